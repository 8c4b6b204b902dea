"""The application's way in: its URL from the environment, its keys from the project's private folder."""

from __future__ import annotations

import os
from pathlib import Path

from examples.subscriptions.layer import layer

from freehold import Database, Encryption
from freehold.rooms.encryption.local_keys import LocalKeyFile

HOME = Path(os.environ.get("FREEHOLD_HOME", ".freehold"))
"""Where the keys lie; in production they come from a secret store, and data keys from a key management service."""


def connect() -> Database:
    """As the login of DATABASE_URL."""
    wrapping = HOME / "data.keys"
    provider = LocalKeyFile(wrapping) if wrapping.exists() else LocalKeyFile.create(wrapping)
    return layer.connect(
        os.environ["DATABASE_URL"],
        keys=os.environ.get("FREEHOLD_KEYS", str(HOME / "context.keys")),
        encryption=Encryption(provider),
    )
