"""Rows of two tenants for every table of any layer, made to fit its keys, checks and references by trial."""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql

from freehold.kernel.model import Model
from torture.interference.catalog import Column, Connection, Name, Relation, ask, relations

TRIES = 60
"""Rows drawn until one fits; the second half with triggers and foreign keys off, as a replica's writes are."""
LONG_AGO = date(2001, 1, 1)
TODAY = datetime.now(UTC).date()
RECENTLY = 0.4
Values = dict[str, str | None]


@dataclass
class Sower:
    """Fills the tables of one database.

    Parameters
    ----------
    connection
        The administrator's, in autocommit mode.
    model
        The layer; its facts say which tables have a tenant.
    draw
        What decides.
    """

    connection: Connection
    model: Model
    draw: random.Random
    planted: dict[Name, list[Values]] = field(default_factory=dict)
    barren: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        schemas = sorted({table.schema for table in self.model.tables})
        found = relations(self.connection, schemas, self.connection.info.user)
        self._relations = {(each.schema, each.name): each for each in found}
        self._references: dict[Name, list[tuple[Name, list[str], list[str]]]] = {}
        for schema, name, other_schema, other, own, theirs in ask(self.connection, "read_references", schemas=schemas):
            self._references.setdefault((schema, name), []).append(((other_schema, other), own, theirs))
        words = ask(self.connection, "read_check_literals", schemas=schemas)
        self._words = {(schema, name): found for schema, name, found in words}

    def shared(self, count: int) -> None:
        """Fill the tables that no tenant owns and the application may read."""
        for name in self._ordered(lambda table: table.facts.role in {"shared", "exempt"}):
            self._fill(name, "", "", count)

    def tenant(self, tenant: str, token: str, count: int) -> None:
        """Fill every table that has the tenant, first through the triggers of the others, then by hand."""
        self._token = token
        columns = {(t.schema, t.table): t.facts.tenant_column for t in self.model.tables}
        for name in self._ordered(lambda table: bool(table.facts.tenant_column) and not table.parent):
            once = next(t.facts.role for t in self.model.tables if (t.schema, t.table) == name) == "root"
            if self._count(name, columns[name], tenant) < (1 if once else count):
                self._fill(name, columns[name], tenant, 1 if once else count)

    def _ordered(self, wanted: Callable[[Any], bool]) -> list[Name]:
        """Referred tables before referring ones, those of the metadata before those that rooms derived from them."""
        waiting = [(t.schema, t.table) for t in self.model.tables if wanted(t)]
        derived = {(t.schema, t.table) for t in self.model.tables if t.facts.of or t.facts.role == "state"}
        waiting.sort(key=lambda name: name in derived)
        ordered: list[Name] = []
        while waiting:
            free = [n for n in waiting if not {t for t, _, _ in self._references.get(n, ())} & set(waiting) - {n}]
            chosen = (free or waiting)[0]
            waiting.remove(chosen)
            ordered.append(chosen)
        return ordered

    def _count(self, name: Name, column: str, tenant: str) -> int:
        query = sql.SQL("SELECT count(*) FROM {} WHERE {}::text = %s")
        row = self.connection.execute(query.format(sql.Identifier(*name), sql.Identifier(column)), (tenant,)).fetchone()
        return int(row[0]) if row else 0

    def _fill(self, name: Name, tenant_column: str, tenant: str, count: int) -> None:
        relation = self._relations[name]
        held = self.planted.setdefault(name, [])
        before = len(held)
        for _ in range(count):
            for attempt in range(TRIES):
                row = self._row(relation, tenant_column, tenant)
                if self._insert(relation, row, quiet=attempt * 2 >= TRIES):
                    held.append(row)
                    break
        if len(held) == before:
            self.barren.append(".".join(name))

    def _row(self, relation: Relation, tenant_column: str, tenant: str) -> Values:
        name = (relation.schema, relation.name)
        row: Values = {c.name: self._value(relation, c) for c in relation.columns if c.written}
        row.update({tenant_column: tenant} if tenant_column else {})
        for parent, own, theirs in self._references.get(name, ()):
            self._refer(row, relation, tenant_column, self.planted.get(parent, []), own, theirs)
        return row

    def _refer(
        self,
        row: Values,
        relation: Relation,
        tenant_column: str,
        parents: Iterable[Values],
        own: list[str],
        theirs: list[str],
    ) -> None:
        pairs = list(zip(own, theirs, strict=True))
        fit = [p for p in parents if all(p.get(t) == row[tenant_column] for o, t in pairs if o == tenant_column)]
        optional = [c.name for c in relation.columns if c.name in own and not c.required and c.name != tenant_column]
        if fit and not (optional and self.draw.random() < 0.2):
            chosen = self.draw.choice(fit)
            row.update({o: chosen.get(t) for o, t in pairs if o != tenant_column})
        else:
            row.update(dict.fromkeys(optional))

    def _value(self, relation: Relation, column: Column) -> str | None:
        if not column.required and not column.key and self.draw.random() < 0.15:
            return None
        words = self._words.get((relation.schema, relation.name), ())
        return value_of(column, self.draw, words)

    def _insert(self, relation: Relation, row: Values, *, quiet: bool) -> bool:
        """Whether the row was taken, with all that is deferred judged at once."""
        given = {name: value for name, value in row.items() if name not in self._derived(relation)}
        statement = sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})").format(
            sql.Identifier(relation.schema, relation.name),
            sql.SQL(", ").join(map(sql.Identifier, given)),
            sql.SQL(", ").join(sql.Placeholder() * len(given)),
        )
        try:
            with self.connection.transaction():
                mode = "replica" if quiet else "origin"
                self.connection.execute("SELECT set_config('session_replication_role', %s, true)", (mode,))
                token = getattr(self, "_token", "")
                self.connection.execute("SELECT set_config('freehold.context', %s, true)", (token,))
                self.connection.execute(statement, list(given.values()))
                self.connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        except psycopg.Error:
            if self.connection.broken:
                raise
            return False
        return True

    def _derived(self, relation: Relation) -> set[str]:
        return {column.name for column in relation.columns if column.generated}


def value_of(column: Column, draw: random.Random, words: Iterable[str] = ()) -> str:
    """A value of the column's type as text; ``words`` are such as the table's checks may ask for."""
    if column.labels:
        return draw.choice(column.labels)
    if column.category == "A" or column.type.endswith("[]"):
        return "{}"
    known = list(words)
    if column.category == "S" and known and draw.random() < 0.7:
        return draw.choice(known)
    maker = MAKERS.get(column.base)
    return maker(draw) if maker else _word(draw)


def _word(draw: random.Random) -> str:
    word = "".join(draw.choices(string.ascii_letters, k=draw.randint(3, 8)))
    return draw.choice([word.upper(), word.lower(), draw.choice(string.ascii_uppercase) * 3])


def _number(draw: random.Random) -> str:
    return str(draw.choice([draw.randint(-5, 5), draw.randint(1, 12), draw.randint(1, 30_000)]))


def _day(draw: random.Random) -> str:
    """Often a recent one, for which a table that is cut by time has a place."""
    if draw.random() < RECENTLY:
        return str(TODAY - timedelta(days=draw.randint(0, 40)))
    return str(LONG_AGO + timedelta(days=draw.randint(0, 6000)))


def _moment(draw: random.Random) -> str:
    return f"{_day(draw)} {draw.randint(0, 23):02}:{draw.randint(0, 59):02}:00+00"


def _span(make: Callable[[random.Random], str]) -> Callable[[random.Random], str]:
    def span(draw: random.Random) -> str:
        low, high = sorted([make(draw), make(draw)])
        return f"[{low},{high})"

    return span


MAKERS: dict[str, Callable[[random.Random], str]] = {
    "uuid": lambda draw: f"{draw.getrandbits(96):024x}00000000"[::-1][:32],
    "int2": _number,
    "int4": _number,
    "int8": _number,
    "xid8": lambda draw: str(draw.randint(1, 9)),
    "numeric": lambda draw: draw.choice([_number(draw), f"{draw.randint(-900, 9000) / 100:.2f}"]),
    "float4": _number,
    "float8": _number,
    "bool": lambda draw: draw.choice(["true", "false"]),
    "date": _day,
    "timestamp": _moment,
    "timestamptz": _moment,
    "interval": lambda draw: f"{draw.randint(1, 90)} minutes",
    "daterange": _span(_day),
    "tstzrange": _span(_moment),
    "json": lambda draw: f'{{"a": {draw.randint(1, 999)}}}',
    "jsonb": lambda draw: draw.choice(["{}", f'{{"a": {draw.randint(1, 999)}}}']),
    "bytea": lambda draw: f"\\x{draw.getrandbits(64):016x}",
    "inet": lambda draw: f"10.{draw.randint(0, 255)}.{draw.randint(0, 255)}.1",
    "time": lambda draw: f"{draw.randint(0, 23):02}:00",
    "tsvector": _word,
}
"""A value's maker by base type; any other type gets a word, which its table may refuse."""
