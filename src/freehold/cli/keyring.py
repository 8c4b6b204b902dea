"""Context keys on both sides: in the application's private file, and as pads in the database."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from freehold.errors import ConfigError, ContextKeyMissing
from freehold.kernel.template import read_sql
from freehold.runtime.keys import Key, KeyRing

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as the database lists it; its secret cannot be read back."""

    key_id: str
    created_at: datetime
    retired_at: datetime | None


def query(name: str) -> sql.SQL:
    """A statement of this package."""
    return sql.SQL(read_sql(__package__, name))


def stored_keys(connection: Connection) -> list[StoredKey]:
    """The database's keys, the newest first; none where the layer has not been applied."""
    if connection.execute(query("find_key_table")).fetchone() != (True,):
        return []
    return [StoredKey(*row) for row in connection.execute(query("list_context_keys"))]


def read_ring(path: Path) -> KeyRing:
    """The file's keys; an empty ring where there is no file."""
    return KeyRing.read(path) if path.exists() else KeyRing(())


def ensure_key(connection: Connection, path: Path) -> str:
    """Give a database without any key the file's keys, or a new one; the signing key's id, or nothing.

    Raises
    ------
    ContextKeyMissing
        The file is open to others, or holds no key.
    """
    if connection.execute(query("find_key_table")).fetchone() != (True,) or stored_keys(connection):
        return ""
    ring = read_ring(path)
    if not ring.keys:
        return rotate(connection, path).key_id
    with connection.transaction():
        for key in reversed(ring.keys):  # the newest signs, there as here
            _add(connection, key)
    return ring.signing.key_id


def rotate(connection: Connection, path: Path) -> Key:
    """Make a key, let the database know it, and put it first in the file.

    The database comes first: a key that only the file holds would fail every transaction that it signs.

    Raises
    ------
    ContextKeyMissing
        The layer has not been applied, so that no database knows keys.
    ConfigError
        The file cannot be written; the database then knows a key that nobody uses.
    """
    if connection.execute(query("find_key_table")).fetchone() != (True,):
        raise ContextKeyMissing("The database holds no context keys yet", hint="Apply the layer first: freehold apply")
    ring = read_ring(path)
    key = Key.new(f"{datetime.now(UTC):%Y%m%d}-{secrets.token_hex(3)}")
    _add(connection, key)
    write_ring(path, (key, *ring.keys))
    return key


def retire(connection: Connection, path: Path, key_id: str) -> None:
    """Make contexts of a key invalid from now on, and take it out of the file.

    Raises
    ------
    ContextKeyMissing
        It signs, or the database knows no such key in use.
    """
    ring = read_ring(path)
    if ring.keys and ring.signing.key_id == key_id:
        raise ContextKeyMissing(
            f"The key {key_id} is the one that signs",
            hint="Rotate first (freehold keys rotate), restart the application, then retire the old key.",
        )
    if connection.execute(query("retire_context_key"), {"key_id": key_id}).fetchone() != (True,):
        raise ContextKeyMissing(f"The database has no key {key_id} in use", hint="See freehold keys list.")
    kept = tuple(key for key in ring.keys if key.key_id != key_id)
    if kept != ring.keys:
        write_ring(path, kept)


def write_ring(path: Path, keys: Sequence[Key]) -> None:
    """Replace the file in one step by one of mode 0600.

    Raises
    ------
    ConfigError
        It cannot be written.
    """
    text = "# Freehold's context keys: the first signs. Keep this file secret.\n"
    write_private(path, text + "".join(f"{key.line}\n" for key in keys))


def write_private(path: Path, text: str) -> None:
    """Write a file of mode 0600 in one step.

    Raises
    ------
    ConfigError
        It cannot be written.
    """
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise ConfigError(
            f"{path} cannot be written", detail=str(error), hint="Give a file in a directory that you may write to."
        ) from error


def _add(connection: Connection, key: Key) -> None:
    # A bind parameter, so that the secret stands in no statement's text.
    connection.execute(query("add_context_key"), {"key_id": key.key_id, "secret": key.secret})
