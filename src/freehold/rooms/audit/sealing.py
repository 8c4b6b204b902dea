"""Sealing: what committed transactions have recorded is hashed, signed and anchored, without a lock for writers.

Entries carry the number of their transaction. A seal covers every transaction below the oldest one that still runs,
so that nothing can be added to it later, and nobody has to wait: transactions that commit meanwhile are the next
seal's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from freehold.errors import AuditForked
from freehold.kernel.template import read_sql
from freehold.rooms.audit.anchor import Anchor, Seal
from freehold.rooms.audit.keys import key_id
from freehold.rooms.audit.merkle import leaf, root

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PACKAGE = __package__ or ""
WIDTH = 8 + 32
"""Bytes that a seal keeps of each entry: its number and its hash."""
NOTHING = "0" * 64
Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class Sealed:
    """What one run has sealed and anchored: seals and entries."""

    seals: int
    entries: int
    anchored: int


def seal(connection: Connection, key: Ed25519PrivateKey, anchor: Anchor) -> Sealed:
    """Seal every entry of transactions that have ended, and anchor what is not anchored yet.

    One run at a time; another one waits. A run that is cut short is finished by the next.

    Parameters
    ----------
    connection
        In autocommit mode, as an administrator.
    key
        What signs.
    anchor
        Where seals are kept outside the database.

    Raises
    ------
    AuditForked
        The anchor holds a seal that the database does not: it was restored or altered. Or the database belongs to
        another cluster, whose transactions have other numbers.
    """
    with snapshot(connection):
        connection.execute(query("lock_sealing"))
        entries = _seal_next(connection, key)
    anchored = _anchor(connection, anchor)
    return Sealed(1 if entries else 0, entries, anchored)


@contextmanager
def snapshot(connection: Connection) -> Iterator[None]:
    """One snapshot, under settings that write every value in one way."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        connection.execute("SELECT set_config('timezone', 'UTC', true), set_config('client_encoding', 'UTF8', true)")
        yield


def entries(connection: Connection, low: str, high: str) -> Iterator[tuple[int, bytes]]:
    """Number and hash of every entry of some transactions, in their order.

    What is hashed is the line that COPY writes in text format: it tells null from every text, and one value from two.
    """
    text = query("copy_entries").format(low=low, high=high)
    with connection.cursor() as cursor, cursor.copy(text) as copy:
        for line in copy:
            whole = bytes(line)
            yield int(whole[: whole.index(b"\t")]), leaf(whole)


def statement_of(found: Seal) -> dict[str, Any]:
    """What a seal says."""
    said: dict[str, Any] = json.loads(found.statement)
    return said


def seals(connection: Connection) -> list[Seal]:
    """Every seal in the database."""
    return [Seal(*row) for row in connection.execute(query("list_seals"))]


def query(name: str) -> sql.SQL:
    """A statement of this room."""
    return sql.SQL(read_sql(PACKAGE, name))


def _seal_next(connection: Connection, key: Ed25519PrivateKey) -> int:
    row = connection.execute(query("read_horizon")).fetchone()
    last = connection.execute(query("read_last_seal")).fetchone()
    assert row is not None
    horizon, cluster = row
    before = statement_of(Seal(*last)) if last else {"to": "0", "root": NOTHING, "cluster": cluster, "number": 0}
    if before["cluster"] != cluster:
        raise AuditForked(
            "The entries were sealed in another cluster, whose transactions have other numbers",
            hint="A copy made by pg_dump is judged where it came from; begin a new audit there: empty its tables.",
        )
    kept = bytearray()
    hashes = []
    for number, hashed in entries(connection, before["to"], horizon):
        kept += number.to_bytes(8, "big") + hashed
        hashes.append(hashed)
    if hashes:
        _insert(connection, key, before, last, cluster, horizon, hashes, bytes(kept))
    return len(hashes)


def _insert(
    connection: Connection,
    key: Ed25519PrivateKey,
    before: dict[str, Any],
    last: Any,
    cluster: str,
    horizon: str,
    hashes: list[bytes],
    kept: bytes,
) -> None:
    said = {
        "number": before["number"] + 1,
        "cluster": cluster,
        "from": before["to"],
        "to": horizon,
        "entries": len(hashes),
        "root": root(hashes).hex(),
        "previous": leaf(last[1].encode()).hex() if last else NOTHING,
        "sealed_at": datetime.now(UTC).isoformat(),
        "key": key_id(key.public_key()),
    }
    statement = json.dumps(said)
    signature = key.sign(statement.encode())
    connection.execute(query("insert_seal"), (said["number"], statement, signature, kept))


def _anchor(connection: Connection, anchor: Anchor) -> int:
    """Under the same lock: two runs would anchor a seal twice."""
    with connection.transaction():
        connection.execute(query("lock_sealing"))
        there, known = seals(connection), anchor.read()
        if there[: len(known)] != known:
            raise AuditForked(
                "The anchor holds seals that the database does not",
                detail=f"The anchor has {len(known)}, the database {len(there)}.",
                hint="Judge it: freehold audit verify. After a restore, keep the anchor and begin a new one.",
            )
        for found in there[len(known) :]:
            anchor.append(found)
    return len(there) - len(known)
