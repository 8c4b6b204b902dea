"""What the live database holds at one exact moment, and how a copy differs from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import psycopg
from psycopg import sql

from freehold.errors import DrillFailed
from freehold.kernel.names import Sql
from freehold.kernel.observe import Connection, prepare_session
from freehold.kernel.template import read_sql
from freehold.rooms.backup.reads import PACKAGE, read_all, read_one
from freehold.servers.owned import OwnedServer

NO_CONTEXT = "FH001"
LOCK_TIMEOUT = "2s"
LOCK_TRIES = 10

TableName = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Contents:
    """A table's rows: how many, the sum of a 64-bit hash of each, and the sum of each numeric column."""

    rows: int
    digest: Decimal
    sums: tuple[tuple[str, Decimal], ...]


@dataclass(frozen=True, slots=True)
class Guard:
    """A table's row security: both switches, and its policies as one text."""

    enabled: bool
    forced: bool
    policies: str


@dataclass(frozen=True, slots=True)
class Witness:
    """The state that a restore to ``moment`` must show."""

    moment: datetime
    contents: Mapping[TableName, Contents]
    guards: Mapping[TableName, Guard]

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(each.rows for each in self.contents.values())


def take_witness(
    server: OwnedServer, database: str, tables: Sequence[TableName], guarded: Sequence[TableName] = ()
) -> Witness:
    """The state of the tables at a moment that recovery can stop at, under concurrent writes too.

    While one session holds SHARE locks on all tables no writer is in the middle, so that a second session's
    snapshot and the clock name the same state. The locks are held for two round trips; the rows are read afterwards.

    Raises
    ------
    DrillFailed
        A table is missing, or its locks could not be had.
    """
    with server.connect(database) as reader:
        reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        with server.connect(database) as locker:
            _lock(locker, tables)
            (moment,) = read_one(reader, "read_clock")
        prepare_session(reader)
        return Witness(moment, read_contents(reader, tables), read_guards(reader, {*tables, *guarded}))


def _lock(connection: Connection, tables: Sequence[TableName]) -> None:
    names = sql.SQL(", ").join(sql.Identifier(*name) for name in tables)
    for attempt in range(1, LOCK_TRIES + 1):
        try:
            connection.execute("SELECT set_config('lock_timeout', %s, true)", (LOCK_TIMEOUT,))
            connection.execute(sql.SQL("LOCK TABLE {} IN SHARE MODE").format(names))
        except psycopg.errors.LockNotAvailable as error:
            connection.rollback()
            if attempt == LOCK_TRIES:
                raise DrillFailed(
                    f"No moment without writers within {LOCK_TRIES} tries of {LOCK_TIMEOUT}",
                    hint="A long transaction holds a table: run the drill when it has ended.",
                ) from error
        except psycopg.errors.UndefinedTable as error:
            raise DrillFailed(
                "A table of the layer is not in the database",
                detail=error.diag.message_primary or "",
                hint="Apply the layer first.",
            ) from error
        else:
            return


def read_contents(connection: Connection, tables: Iterable[TableName]) -> dict[TableName, Contents]:
    """Count, hash and add up each table; the session must write values as ``prepare_session`` says."""
    names = [".".join(name) for name in tables]
    numeric: dict[TableName, list[str]] = {}
    for schema, table, column in read_all(connection, "list_numeric_columns", names=names):
        numeric.setdefault((schema, table), []).append(column)
    return {name: _read_table(connection, name, numeric.get(name, [])) for name in tables}


def _read_table(connection: Connection, name: TableName, columns: Sequence[str]) -> Contents:
    sums = [sql.SQL(", coalesce(pg_catalog.sum(t.{}), 0)").format(sql.Identifier(column)) for column in columns]
    text: Sql = read_sql(PACKAGE, "count_rows")
    row = connection.execute(sql.SQL(text).format(sums=sql.SQL("").join(sums), table=sql.Identifier(*name))).fetchone()
    assert row is not None
    return Contents(row[0], row[1], tuple(zip(columns, row[2:], strict=True)))


def read_guards(connection: Connection, tables: Iterable[TableName]) -> dict[TableName, Guard]:
    """The row security of each table."""
    rows = read_all(connection, "list_guards", names=[".".join(name) for name in tables])
    return {(schema, table): Guard(*guard) for schema, table, *guard in rows}


def differences(witness: Witness, connection: Connection, guarded: Iterable[TableName] = ()) -> Iterator[str]:
    """What a copy does not have as the witness saw it, one sentence each.

    ``guarded`` are the tables whose row security must be on and forced, whatever the live ones had.
    """
    prepare_session(connection)
    contents = read_contents(connection, witness.contents)
    guards = read_guards(connection, witness.guards)
    if not contents:
        yield "no table was checked"
    for name, expected in witness.contents.items():
        yield from _contents_differ(".".join(name), expected, contents[name])
    for name, guard in witness.guards.items():
        if guards.get(name) != guard:
            yield f"row security of {'.'.join(name)} is {guards.get(name)} in the copy, {guard} live"
    for name in guarded:
        found = guards.get(name)
        if found is None or not (found.enabled and found.forced):
            yield f"row security of {'.'.join(name)} is not enabled and forced in the copy"


def _contents_differ(name: str, expected: Contents, found: Contents) -> Iterator[str]:
    if expected.rows != found.rows:
        yield f"{name} has {found.rows} rows in the copy, {expected.rows} live"
    elif expected.sums != found.sums:
        yield f"{name} adds up to {dict(found.sums)} in the copy, {dict(expected.sums)} live"
    elif expected.digest != found.digest:
        yield f"{name} has other rows in the copy than live"


def exposed(connection: Connection, tables: Iterable[TableName], role: str) -> Iterator[str]:
    """Tables of which a role without a tenant's context gets a row; being refused is as good as seeing none."""
    for name in tables:
        if _sees_row(connection, name, role):
            yield f"{role} reads {'.'.join(name)} in the copy without a tenant's context"


def _sees_row(connection: Connection, name: TableName, role: str) -> bool:
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))
            found = connection.execute(sql.SQL("SELECT FROM {} LIMIT 1").format(sql.Identifier(*name)))
            return found.rowcount > 0
    except psycopg.errors.InsufficientPrivilege:
        return False
    except psycopg.Error as error:
        if error.sqlstate == NO_CONTEXT:
            return False
        raise
