"""The signed context of one transaction: who owns the rows, who acts, which transaction, for how long."""

from __future__ import annotations

import base64
import hmac
import time
import uuid
from dataclasses import dataclass, field

from freehold.runtime.keys import Key

LIFETIME = 30.0
"""Seconds; a context is judged by the start of its transaction, so a longer transaction needs no longer context."""


@dataclass(frozen=True, slots=True)
class Context:
    """What the database is told of a transaction.

    ``tenant`` is the text of the tenant's key, empty for a transaction that reaches shared tables alone. ``request_id``
    is not signed: it is for logs and for those who look on.
    """

    tenant: str
    actor: str
    transaction: uuid.UUID = field(default_factory=uuid.uuid4)
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Backend:
    """What a physical connection learned of its server: process id (0 behind a pooler) and clock offset in µs."""

    pid: int = 0
    offset: int = 0


def sign(key: Key, context: Context, backend: Backend, lifetime: float = LIFETIME, now: float | None = None) -> str:
    """The token of a context: HMAC-SHA-256 (RFC 2104) over all fields, in the form that the database reads."""
    issued = int((time.time() if now is None else now) * 1_000_000) + backend.offset
    fields = (
        "v1",
        key.key_id,
        str(issued),
        str(issued + int(lifetime * 1_000_000)),
        str(backend.pid),
        str(context.transaction),
        _encoded(context.actor),
        _encoded(context.tenant),
    )
    message = "|".join(fields)
    return f"{hmac.digest(key.secret, message.encode('ascii'), 'sha256').hex()}|{message}"


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode("utf-8")).decode("ascii")
