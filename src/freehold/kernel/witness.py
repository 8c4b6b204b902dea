"""Two tenants with rows in a table, found there or planted in a transaction that is rolled back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql

from freehold.kernel.observe import Connection
from freehold.kernel.template import read_sql

DEEPEST = 8
"""How far up foreign keys are followed."""
RANGES = {
    "int4range": "integer",
    "int8range": "bigint",
    "numrange": "numeric",
    "daterange": "date",
    "tsrange": "timestamp without time zone",
    "tstzrange": "timestamp with time zone",
}
"""The range types, each with that of its bounds."""
INTEGERS = frozenset({"smallint", "integer", "bigint", "numeric"})


class NoWitness(Exception):
    """Two tenants with rows are neither there nor can be planted; the text says why."""


@dataclass(frozen=True, slots=True)
class Witness:
    """Two tenants, and one whole row of the second as JSON."""

    tenant: str = ""
    other: str = ""
    row: str = ""

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What an attack may name."""
        return {"tenant": self.tenant, "other": self.other, "row": self.row}


class Witnesses:
    """Witnesses by table, each looked for once; planted ones are planted again in each transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._found: dict[tuple[str, str, str], Witness | None] = {}

    def of(self, place: tuple[str, str, str]) -> Witness:
        """Two tenants with rows in ``(schema, table, tenant column)``.

        Raises
        ------
        NoWitness
            There are none, and the table takes no planted rows.
        """
        if place not in self._found:
            self._found[place] = self._find(place)
        return self._found[place] or self._plant(place)

    def made_up(self, table: tuple[str, str], number: int) -> dict[str, Any]:
        """Harmless values for the columns that an insert into a table must give, other ones for each number."""
        return _required(self._columns(table), number)

    def _find(self, place: tuple[str, str, str]) -> Witness | None:
        """The lowest tenant and the next one, each by one index descent where the tenant leads the primary key."""
        first = self._row("find_first_tenant", place, {})
        second = self._row("find_next_tenant", place, {"after": first[0]}) if first else None
        if not first or not second:
            return None
        return Witness(tenant=first[0], other=second[0], row=second[1])

    def _row(self, name: str, place: tuple[str, str, str], parameters: Mapping[str, Any]) -> Any:
        schema, table, column = place
        text = sql.SQL(read_sql("freehold.kernel", name))
        query = text.format(table=sql.Identifier(schema, table), tenant=sql.Identifier(column))
        return self._connection.execute(query, dict(parameters)).fetchone()

    def _plant(self, place: tuple[str, str, str]) -> Witness:
        columns = self._columns(place)
        tenants = _tenants(columns[place[2]][0], place)
        rows = [{**_required(columns, number), place[2]: tenant} for number, tenant in enumerate(tenants)]
        try:
            self._insert("plant_rows", place[:2], rows)
        except psycopg.Error as error:
            if self._connection.broken:
                raise
            reason = error.diag.message_primary
            raise NoWitness(
                f"{'.'.join(place[:2])} has no rows of two tenants, and took no planted ones: {reason}"
            ) from error
        self._plant_parents(place[:2], rows, DEEPEST)
        return Witness(tenant=tenants[0], other=tenants[1], row=json.dumps(rows[1]))

    def _plant_parents(self, table: tuple[str, str], rows: list[dict[str, Any]], depth: int) -> None:
        """Rows that planted ones refer to: an attack that changes a planted row has its foreign keys checked."""
        query = sql.SQL(read_sql("freehold.kernel", "read_foreign_keys"))
        found = self._connection.execute(query, {"schema": table[0], "table": table[1]}).fetchall()
        for schema, name, own, theirs in found if depth else ():
            columns = self._columns((schema, name))
            keys = [dict(zip(theirs, map(row.get, own), strict=True)) for row in rows if set(own) <= set(row)]
            parents = [{**_required(columns, number), **key} for number, key in enumerate(keys)]
            if parents and self._took((schema, name), parents):
                self._plant_parents((schema, name), parents, depth - 1)

    def _took(self, table: tuple[str, str], rows: list[dict[str, Any]]) -> bool:
        """Whether a table took planted parents; an attack that misses one says so itself."""
        try:
            self._insert("plant_parents", table, rows)
        except psycopg.Error:
            if self._connection.broken:
                raise
            return False
        return True

    def _columns(self, place: tuple[str, ...]) -> dict[str, tuple[str, bool, str]]:
        query = sql.SQL(read_sql("freehold.kernel", "read_plantable_columns"))
        found = self._connection.execute(query, {"schema": place[0], "table": place[1]})
        return {name: (kind, required, label) for name, kind, required, label in found}

    def _insert(self, name: str, table: tuple[str, str], rows: list[dict[str, Any]]) -> None:
        """Insert with foreign keys and triggers off, as a logical replica would."""
        names = sql.SQL(", ").join(sql.Identifier(name) for name in rows[0])
        text = sql.SQL(read_sql("freehold.kernel", name))
        statement = text.format(table=sql.Identifier(*table), columns=names)
        with self._connection.transaction():
            self._connection.execute("SET LOCAL session_replication_role = 'replica'")
            self._connection.execute(statement, {"rows": json.dumps(rows)})
            self._connection.execute("SET LOCAL session_replication_role = 'origin'")


def _tenants(kind: str, place: tuple[str, str, str]) -> tuple[str, str]:
    if kind == "uuid":
        return "00000000-0000-8000-8000-00000000000a", "00000000-0000-8000-8000-00000000000b"
    if kind in INTEGERS:
        return "-32001", "-32002"
    if kind == "text" or kind.startswith("character varying"):
        return "freehold-a", "freehold-b"
    raise NoWitness(f"no tenant can be made up for the type {kind} of {'.'.join(place)}")


def _required(columns: Mapping[str, tuple[str, bool, str]], number: int) -> dict[str, Any]:
    """Values for the columns that an insert must give."""
    return {name: _value(kind, label, number) for name, (kind, required, label) in columns.items() if required}


def _value(kind: str, label: str, number: int) -> Any:
    """A harmless value of a type, another one for each number; ``label`` is an enum's first label."""
    if label:
        return label
    if kind in {*INTEGERS, "xid8"} or kind.startswith("numeric") or kind in {"real", "double precision"}:
        return 1 + number
    if kind == "uuid":
        return f"00000000-0000-8000-8000-0000000000f{number}"
    if kind == "boolean":
        return False
    if kind == "date" or kind.startswith("timestamp"):
        # Near the present, which every table has room for that is cut by time.
        return (datetime.now(UTC) + timedelta(days=number)).date().isoformat()
    if kind in RANGES:
        first = _value(RANGES[kind], label, number)
        return f"[{first},{first}]"
    if kind in {"json", "jsonb"}:
        return {}
    return [] if kind.endswith("[]") else "xy"[number]
