"""Sealed entries are altered in every way by one who may do anything in the database; the verifier must name each."""

from __future__ import annotations

import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psycopg
import sqlalchemy as sa

from freehold import Audit, DataLayer, Roles, Tenancy
from freehold.operations import apply_layer
from freehold.rooms.audit import verifier
from freehold.rooms.audit.anchor import FileAnchor
from freehold.rooms.audit.keys import make_key, read_private, read_public
from freehold.rooms.audit.sealing import seal
from freehold.rooms.audit.verifier import Judged, verify
from freehold.servers import disposable, find_embedded
from freehold.servers.binaries import Binaries
from torture.result import Result

SEALS, ROWS = 5, 12
"""What is there to be altered: seals, and entries under each."""
COLUMNS = {
    "at": "at + interval '1 microsecond'",
    "owner": "coalesce(owner, '') || 'x'",
    "actor": "actor || 'x'",
    "login": "login || 'x'",
    "transaction_id": "gen_random_uuid()",
    "kind": "'ddl'",
    "object": "object || 'x'",
    "action": "'DELETE'",
    "key": "key || '{\"x\": 1}'",
    "before": "'{}'",
    "after": "after || '{\"rate\": 7}'",
}
"""Every column of an entry but its numbers, and another value for it."""

metadata = sa.MetaData(schema="audited")
RATE = sa.Table("rate", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("rate", sa.Integer))
LAYER = DataLayer(
    metadata, Tenancy(None, exempt={"*": "one company's rates"}), Roles(), Audit(RATE, admin=False), name="tampering"
)


@dataclass(frozen=True)
class Tampering:
    """One way to alter what is recorded: SQL, and the entry that must be named first, where one can be."""

    kind: str
    statement: str
    entry: int | None = None
    seal: int = 0


@dataclass
class Vault:
    """An audited database, and what stands outside it."""

    connection: psycopg.Connection[Any]
    anchor: FileAnchor
    key: Path

    def fill(self) -> None:
        """Entries under several seals, and a copy of all to go back to."""
        for number in range(SEALS):
            for row in range(ROWS):
                self.connection.execute("INSERT INTO audited.rate VALUES (%s, 1)", (number * ROWS + row,))
            seal(self.connection, read_private(self.key), self.anchor)
        for table in ("audit", "audit_seal"):
            self.connection.execute(f"CREATE TABLE public.{table} AS TABLE freehold.{table}".encode())

    def alter(self, statement: str) -> None:
        """As a superuser without triggers."""
        with self.connection.transaction():
            self.connection.execute("SET LOCAL session_replication_role = 'replica'")
            self.connection.execute(statement.encode())

    def mend(self) -> None:
        """Everything as it was sealed."""
        for table in ("audit", "audit_seal"):
            self.alter(
                f"DELETE FROM freehold.{table};"
                f"INSERT INTO freehold.{table} OVERRIDING SYSTEM VALUE SELECT * FROM public.{table}"
            )

    def judge(self) -> Judged:
        """What the verifier says."""
        return verify(self.connection, self.anchor, [read_public(self.key.with_name("audit.key.pub"))])


@contextmanager
def vault(binaries: Binaries) -> Iterator[Vault]:
    """A server with an audited database."""
    with tempfile.TemporaryDirectory() as folder, disposable(binaries) as server:
        with server.connect(autocommit=True) as admin:
            admin.execute("CREATE DATABASE tampering")
        make_key(Path(folder) / "audit.key")
        with server.connect("tampering", autocommit=True) as connection:
            apply_layer(connection, LAYER.declared)
            made = Vault(connection, FileAnchor(Path(folder) / "anchor"), Path(folder) / "audit.key")
            # Applying left an entry of its own; the numbers below begin with the first row.
            made.alter("DELETE FROM freehold.audit; ALTER TABLE freehold.audit ALTER COLUMN id RESTART")
            made.fill()
            yield made


def _entry(draw: random.Random) -> int:
    return draw.randint(1, SEALS * ROWS)


def _edit(draw: random.Random) -> Tampering:
    column, number = draw.choice(sorted(COLUMNS)), _entry(draw)
    return Tampering(
        f"edit {column}", f"UPDATE freehold.audit SET {column} = {COLUMNS[column]} WHERE id = {number}", number
    )


def _delete(draw: random.Random) -> Tampering:
    number = _entry(draw)
    return Tampering("delete", f"DELETE FROM freehold.audit WHERE id = {number}", number)


def _add(draw: random.Random) -> Tampering:
    number = _entry(draw)
    copied = "xid, at, owner, actor, login, transaction_id, kind, object, action, key, before, after"
    statement = (
        f"INSERT INTO freehold.audit (id, {copied}) OVERRIDING SYSTEM VALUE"
        f" SELECT 100000, {copied} FROM freehold.audit WHERE id = {number}"
    )
    return Tampering("add", statement, 100_000)


def _renumber(draw: random.Random) -> Tampering:
    number = _entry(draw)
    return Tampering("renumber", f"UPDATE freehold.audit SET id = 100000 WHERE id = {number}", number)


def _swap(draw: random.Random) -> Tampering:
    one, two = sorted(draw.sample(range(1, SEALS * ROWS + 1), 2))
    statement = (
        f"UPDATE freehold.audit SET id = -{one} WHERE id = {one};"
        f"UPDATE freehold.audit SET id = {one} WHERE id = {two};"
        f"UPDATE freehold.audit SET id = {two} WHERE id = -{one}"
    )
    return Tampering("swap", statement, one)


def _move(draw: random.Random) -> Tampering:
    one = draw.randint(1, (SEALS - 1) * ROWS)
    statement = (
        f"UPDATE freehold.audit SET xid = (SELECT xid FROM freehold.audit WHERE id = {SEALS * ROWS}) WHERE id = {one}"
    )
    return Tampering("move to another seal", statement, one)


def _unsealed(draw: random.Random) -> Tampering:
    one = _entry(draw)
    return Tampering("take out of every seal", f"UPDATE freehold.audit SET xid = '9999999' WHERE id = {one}", one)


def _seal_gone(draw: random.Random) -> Tampering:
    number = draw.randint(1, SEALS)
    return Tampering("delete a seal", f"DELETE FROM freehold.audit_seal WHERE number = {number}", seal=number)


def _seal_edited(draw: random.Random) -> Tampering:
    number = draw.randint(1, SEALS)
    what = draw.choice(["root", "previous", "from", "to", "entries", "sealed_at", "key", "cluster"])
    statement = (
        f"UPDATE freehold.audit_seal SET statement = jsonb_set(statement::jsonb, '{{{what}}}', '\"1\"')::text"
        f" WHERE number = {number}"
    )
    return Tampering(f"edit a seal's {what}", statement, seal=number)


def _signature(draw: random.Random) -> Tampering:
    number, at = draw.randint(1, SEALS), draw.randrange(64)
    statement = (
        "UPDATE freehold.audit_seal SET signature = set_byte(signature,"
        f" {at}, 255 - get_byte(signature, {at})) WHERE number = {number}"
    )
    return Tampering("edit a signature", statement, seal=number)


def _leaves(draw: random.Random) -> Tampering:
    number = _entry(draw)
    statement = (
        f"UPDATE freehold.audit SET actor = 'x' WHERE id = {number};"
        "UPDATE freehold.audit_seal SET leaves = set_byte(leaves, 9, 255 - get_byte(leaves, 9))"
    )
    return Tampering("edit leaves with the entry", statement, seal=(number - 1) // ROWS + 1)


def _tail(draw: random.Random) -> Tampering:
    number = draw.randint(1, SEALS)
    statement = (
        f"DELETE FROM freehold.audit WHERE id > {(number - 1) * ROWS};"
        f"DELETE FROM freehold.audit_seal WHERE number >= {number}"
    )
    return Tampering("cut off the tail", statement, seal=number)


def _empty(draw: random.Random) -> Tampering:
    return Tampering("empty all", "DELETE FROM freehold.audit; DELETE FROM freehold.audit_seal", seal=1)


KINDS: tuple[Callable[[random.Random], Tampering], ...] = (
    _edit,
    _edit,
    _edit,
    _delete,
    _add,
    _renumber,
    _swap,
    _move,
    _unsealed,
    _seal_gone,
    _seal_edited,
    _signature,
    _leaves,
    _tail,
    _empty,
)


def attack(where: Vault, size: int, seed: int) -> Result:
    """Alter, judge and mend; then blind the verifier in each of its eyes and see it miss."""
    draw, started, missed = random.Random(seed), time.monotonic(), Counter[str]()
    assert where.judge().sound
    for _ in range(size):
        done = draw.choice(KINDS)(draw)
        if not _found(where, done):
            missed[done.kind] += 1
    forged = _rewritten(where)
    seconds = time.monotonic() - started
    seeded, caught = _blinded(where)
    named = f"missed or misnamed: {dict(missed)}" if missed else "the first bad entry or seal was named each time"
    return Result(
        name="tampering",
        size=size + 1,
        seed=seed,
        violations=missed.total() + (not forged),
        seconds=seconds,
        defects_seeded=seeded,
        defects_caught=caught,
        notes=f"{len(KINDS)} ways; {named}",
    )


def _found(where: Vault, done: Tampering) -> bool:
    try:
        where.alter(done.statement)
    except psycopg.Error:
        return True  # the server itself refuses it, as a duplicate number
    judged = where.judge()
    where.mend()
    if judged.sound:
        return False
    first = judged.findings[0]
    named = {found.entry for found in judged.findings}
    return done.entry in named if done.entry is not None else first.seal == done.seal


def _rewritten(where: Vault) -> bool:
    """Everything sealed anew, by a key of the attacker's, in the database and not in the anchor."""
    key = where.key.with_name("attacker")
    make_key(key)
    where.alter("DELETE FROM freehold.audit WHERE id = 5; DELETE FROM freehold.audit_seal")
    seal(where.connection, read_private(key), FileAnchor(where.anchor.path.with_name("forged")))
    judged = where.judge()
    where.mend()
    return not judged.sound


def _blinded(where: Vault) -> tuple[int, int]:
    """A verifier that does not look at entries, at seals, at signatures, or at the anchor misses something."""
    entry, tail = Tampering("edit", "UPDATE freehold.audit SET actor = 'x' WHERE id = 2", 2), _tail(random.Random(1))
    signature = _signature(random.Random(1))
    blind: dict[str, Any] = {
        "_entries": lambda *_: (0, []),
        "_compared": lambda *_: iter(()),
        "_signed": lambda *_: True,
    }
    eyes = ((("_entries",), entry), (("_entries", "_compared"), tail), (("_signed", "_compared"), signature))
    missed = 0
    for names, done in eyes:
        with patch.multiple(verifier, **{name: blind[name] for name in names}):
            missed += not _found(where, done)
    return len(eyes), missed


def run(size: int, seed: int) -> Result:
    """On a server of its own."""
    with vault(find_embedded()) as where:
        return attack(where, size, seed)
