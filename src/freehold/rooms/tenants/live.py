"""What the database says of the tables that hold a tenant's rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row

from freehold.errors import InputError, ShapeChanged
from freehold.kernel.names import ddl, literal, trusted
from freehold.kernel.template import read_sql
from freehold.rooms.tenants.owned import Owned

PACKAGE = __package__ or ""
Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Live:
    """One column: ``generated`` ones are computed, and ``sequence`` is what an identity or serial column draws from."""

    name: str
    type: str
    generated: bool
    sequence: str | None


def pin(connection: Connection) -> None:
    """Let values be written in one way, row security refuse instead of hide, and no name be shadowed."""
    connection.execute(read_sql(PACKAGE, "pin_session"))


def columns_of(connection: Connection, tables: Iterable[Owned]) -> Mapping[tuple[str, str], tuple[Live, ...]]:
    """The columns of each table, in one query.

    Raises
    ------
    ShapeChanged
        A table of the layer is not there.
    """
    wanted = [owned.name for owned in tables]
    found: dict[tuple[str, str], list[Live]] = {}
    with connection.cursor(row_factory=dict_row) as cursor:
        names = ([schema for schema, _ in wanted], [table for _, table in wanted])
        for row in cursor.execute(read_sql(PACKAGE, "list_columns"), names):
            place = (row.pop("schema"), row.pop("table"))
            found.setdefault(place, []).append(Live(**row))
    missing = sorted(".".join(name) for name in set(wanted) - set(found))
    if missing:
        raise ShapeChanged(
            f"The database has no {', '.join(missing)}", hint="Apply the layer first: freehold plan, freehold apply."
        )
    return {name: tuple(columns) for name, columns in found.items()}


def check_tenant(connection: Connection, tenant: str, kind: str) -> None:
    """Refuse a text that is no tenant's id.

    Raises
    ------
    InputError
        It is no value of the tenant column's type.
    """
    try:
        with connection.transaction():
            connection.execute(ddl("SELECT {}::{}", literal(tenant), trusted(kind)).encode())
    except psycopg.DataError as error:
        raise InputError(
            f"{tenant!r} is no tenant: its id is of type {kind}", hint="Give the id as the database writes it."
        ) from error
