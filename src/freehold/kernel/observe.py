"""Read the catalog into objects: one query per kind for the whole database, all of them in one round trip."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
from psycopg import sql

from freehold.kernel.names import Sql
from freehold.kernel.objects import (
    Column,
    Constraint,
    DefaultPrivilege,
    Domain,
    Enum,
    EventTrigger,
    Extension,
    Function,
    Grant,
    Index,
    Key,
    Membership,
    Object,
    Owner,
    Policy,
    Role,
    RowSecurity,
    Schema,
    Sequence,
    Setting,
    Table,
    Trigger,
    View,
)
from freehold.kernel.template import read_sql

KINDS: tuple[type[Object], ...] = (
    Role,
    Membership,
    Setting,
    Schema,
    Extension,
    Enum,
    Domain,
    Sequence,
    Function,
    Table,
    Column,
    Constraint,
    Index,
    View,
    RowSecurity,
    Policy,
    Trigger,
    Owner,
    Grant,
    DefaultPrivilege,
    EventTrigger,
)

CATALOG_SESSION = {
    "search_path": "",
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "quote_all_identifiers": "off",
    "check_function_bodies": "off",
}
"""Settings that decide how the catalog writes expressions; both sides of a comparison are read under the same ones."""

Connection = psycopg.Connection[tuple[Any, ...]]

Address = tuple[int, int, int]
"""The class, the number and the part of an object, as ``pg_depend`` has them."""


@dataclass(frozen=True)
class Catalog:
    """What one database holds, and what of it needs what."""

    version: int
    database: str
    objects: Mapping[Key, Object] = field(default_factory=dict)
    needs: Mapping[Key, frozenset[Key]] = field(default_factory=dict)
    bytes: Mapping[Key, int] = field(default_factory=dict)
    """How large each table is, where that was asked."""
    heavy: frozenset[Key] = frozenset()
    """Tables too large to be written anew while somebody waits for them."""


def prepare_session(connection: Connection) -> None:
    """Make the catalog write its expressions in one way, for the current transaction."""
    names = list(CATALOG_SESSION)
    connection.execute(
        "SELECT set_config(name, value, true) FROM unnest(%s::text[], %s::text[]) AS setting (name, value)",
        (names, list(CATALOG_SESSION.values())),
    )


def observe(connection: Connection, kinds: Iterable[type[Object]] = KINDS, *, dependencies: bool = True) -> Catalog:
    """Read a database's catalog in one repeatable-read transaction.

    Parameters
    ----------
    dependencies
        Whether to read what needs what, the largest of the queries, which only a change has to know.

    Raises
    ------
    psycopg.Error
        The connection failed; the caller translates it.
    """
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        prepare_session(connection)
        return read_catalog(connection, kinds, dependencies=dependencies)


def read_catalog(
    connection: Connection,
    kinds: Iterable[type[Object]] = KINDS,
    *,
    dependencies: bool = True,
    besides: Mapping[Address, Key] | None = None,
) -> Catalog:
    """Read the catalog as the current transaction sees it, its own uncommitted changes included.

    ``besides`` names what is not read, so that the needs tell of it too.
    """
    wanted = tuple(kinds)
    with connection.pipeline():
        cursors = [_send(connection, read_sql("freehold.kernel.objects", f"read_{kind.kind}")) for kind in wanted]
        edges = [_send(connection, read_sql("freehold.kernel.objects", "read_dependencies"))] if dependencies else []
        database = _send(connection, Sql("SELECT current_database()"))
        found, addresses = _objects(wanted, cursors)
        needs = _needs((edge for cursor in edges for edge in cursor.fetchall()), {**(besides or {}), **addresses})
        row = database.fetchone()
    return Catalog(
        version=connection.info.server_version,
        database=row[0] if row else "",
        objects=found,
        needs=needs,
    )


def _send(connection: Connection, text: Sql) -> psycopg.Cursor[tuple[Any, ...]]:
    cursor = connection.cursor()
    cursor.execute(sql.SQL(text))
    return cursor


def _objects(
    kinds: tuple[type[Object], ...], cursors: list[psycopg.Cursor[tuple[Any, ...]]]
) -> tuple[dict[Key, Object], dict[Address, Key]]:
    found: dict[Key, Object] = {}
    addresses: dict[Address, Key] = {}
    for kind, cursor in zip(kinds, cursors, strict=True):
        for classid, objid, subid, *values in cursor.fetchall():
            item = kind.from_row(values)
            key = item.key
            found[key] = item
            if classid:
                addresses[classid, objid, subid] = key
    return with_columns(found), addresses


def with_columns(objects: dict[Key, Object]) -> dict[Key, Object]:
    """Give every table its columns, which the catalog keeps apart and CREATE TABLE needs."""
    columns: dict[Key, list[Column]] = {}
    for item in objects.values():
        if isinstance(item, Column):
            columns.setdefault(item.table_key, []).append(item)
    for key, found in columns.items():
        table = objects[key]
        assert isinstance(table, Table)
        objects[key] = replace(table, columns=tuple(found))
    return objects


def _needs(edges: Iterable[tuple[Any, ...]], addresses: Mapping[Address, Key]) -> dict[Key, frozenset[Key]]:
    needs: dict[Key, set[Key]] = {}
    for classid, objid, subid, refclass, refobj, refsub in edges:
        needer = addresses.get((classid, objid, subid)) or addresses.get((classid, objid, 0))
        needed = addresses.get((refclass, refobj, refsub)) or addresses.get((refclass, refobj, 0))
        if needer and needed and needer != needed and needer.kind != "sequence":  # it goes with the column that owns it
            needs.setdefault(needer, set()).add(needed)
    return {key: frozenset(found) for key, found in needs.items()}
