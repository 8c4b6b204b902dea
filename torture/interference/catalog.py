"""What a role can reach in a database: relations with their columns, functions, and values to ask for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from freehold.kernel.names import Sql, ddl, ident, literal, qualified, trusted
from freehold.kernel.template import read_sql

Connection = psycopg.Connection[Any]
Name = tuple[str, str]
Row = Mapping[str, str | None]

INCOMPARABLE = frozenset(
    {"json", "xml", "point", "box", "path", "polygon", "line", "circle", "anyarray", "pg_node_tree"}
)
"""Types without an order: they are shown and compared as text."""
UNREPEATABLE = frozenset({"xid", "xid8", "cid", "tid", "pg_lsn", "pg_snapshot", "oid"})
"""Types whose values tell which transaction or page came first: they differ between any two databases."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its type as SQL writes it, the base type's name, and what the role may do with it."""

    name: str
    type: str
    base: str
    category: str
    required: bool
    generated: bool
    identity: bool
    readable: bool
    insertable: bool
    updatable: bool
    key: bool
    labels: tuple[str, ...] = ()

    @property
    def written(self) -> bool:
        """Whether an insert may give it a value."""
        return not self.generated


@dataclass(frozen=True)
class Relation:
    """A table, partition, view or materialized view; ``rows`` are samples of all tenants, as text by column."""

    schema: str
    name: str
    kind: str
    deletable: bool
    columns: tuple[Column, ...]
    rows: tuple[Row, ...] = field(default=(), compare=False)

    @property
    def sql(self) -> Sql:
        """The qualified name."""
        return qualified(self.schema, self.name)

    @property
    def readable(self) -> tuple[Column, ...]:
        """The columns that the role may read and whose values two databases can have in common."""
        return tuple(c for c in self.columns if c.readable and c.base not in UNREPEATABLE)

    @property
    def key(self) -> tuple[Column, ...]:
        """The primary key's columns."""
        return tuple(column for column in self.columns if column.key)

    @property
    def insertable(self) -> bool:
        """Whether the role may insert rows."""
        return any(column.insertable for column in self.columns)

    @property
    def changeable(self) -> tuple[Column, ...]:
        """The columns that the role may update."""
        return tuple(column for column in self.columns if column.updatable and column.written and not column.identity)


@dataclass(frozen=True, slots=True)
class Function:
    """A function that the role may call."""

    schema: str
    name: str
    arguments: tuple[str, ...]
    returns: str

    @property
    def sql(self) -> Sql:
        """The qualified name."""
        return qualified(self.schema, self.name)


@dataclass(frozen=True)
class Reach:
    """All that a role can name, and constants by type to compare with."""

    relations: tuple[Relation, ...]
    functions: tuple[Function, ...]

    def values(self, base: str) -> Sequence[str]:
        """Constants of a type that occur in rows of any tenant, in either database."""
        return self._pool.get(base, ())

    @property
    def _pool(self) -> Mapping[str, Sequence[str]]:
        found: dict[str, dict[str, None]] = self.__dict__.setdefault("_values", {})
        if not found:
            for relation in self.relations:
                for column in relation.columns:
                    held = found.setdefault(column.base, {})
                    held.update((value, None) for row in relation.rows if (value := row.get(column.name)) is not None)
        return {base: tuple(values) for base, values in found.items()}


def ask(connection: Connection, name: str, **parameters: Any) -> list[tuple[Any, ...]]:
    """The rows of one of this harness's queries."""
    return connection.execute(read_sql("torture.interference", name), parameters).fetchall()


def relations(connection: Connection, schemas: Iterable[str], role: str) -> tuple[Relation, ...]:
    """Every relation of these schemas, with what the role may do with it."""
    found: dict[tuple[str, str, str, bool], list[Column]] = {}
    for row in ask(connection, "read_columns", schemas=list(schemas), role=role):
        schema, name, kind, column, *rest, deletable, key, labels = row
        made = Column(column, *rest, key, tuple(labels))  # type: ignore[call-arg]
        found.setdefault((schema, name, kind, deletable), []).append(made)
    return tuple(Relation(*name, columns=tuple(columns)) for name, columns in found.items())


def functions(connection: Connection, schemas: Iterable[str], role: str) -> tuple[Function, ...]:
    """Every function of these schemas that the role may call."""
    rows = ask(connection, "read_functions", schemas=list(schemas), role=role)
    return tuple(Function(schema, name, tuple(arguments), returns) for schema, name, arguments, returns in rows)


def sample(connection: Connection, relation: Relation, most: int = 60) -> tuple[Row, ...]:
    """Rows as text by column, of whatever tenant."""
    names = [column.name for column in relation.columns]
    texts = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in names)
    query = sql.SQL("SELECT {} FROM {} LIMIT {}").format(texts, sql.Identifier(relation.schema, relation.name), most)
    return tuple(dict(zip(names, row, strict=True)) for row in connection.execute(query).fetchall())


def constant(column: Column, value: str | None) -> Sql:
    """A constant of a column's type."""
    return ddl("NULL") if value is None else ddl("{}::{}", literal(value), trusted(column.type))


def same_row(columns: Iterable[Column], row: Row, alias: str = "") -> Sql:
    """The condition that names one row by some of its columns."""
    prefix = ddl("{}.", ident(alias)) if alias else Sql("")
    parts = [ddl("{}{} = {}", prefix, ident(c.name), constant(c, row.get(c.name))) for c in columns]
    return trusted(" AND ".join(parts)) if parts else ddl("true")
