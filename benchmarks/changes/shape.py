"""The table that is changed, its neighbours, and the layer over them; an edit makes another shape of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.dialects.postgresql import ENUM, JSON

from freehold import DataLayer, Tenancy
from freehold.servers import OwnedServer
from freehold.testing.database import create_database, drop_database

NAME = "changes"
TEMPLATE = f"template_{NAME}"
Kind = sa.types.TypeEngine[Any] | type[sa.types.TypeEngine[Any]]
Item = Callable[[], sa.schema.SchemaItem]
Column = Callable[[], sa.Column[Any]]
Declaration = Callable[[sa.MetaData], object]


def required(kind: Kind, default: str = "") -> sa.Column[Any]:
    """A column that must have a value."""
    return sa.Column(kind, nullable=False, server_default=sa.text(default) if default else None)


def foreign_key(*names: str, name: str = "entry_company_fk", **options: Any) -> sa.ForeignKeyConstraint:
    """To the company."""
    return sa.ForeignKeyConstraint(names or ["company_id"], ["app.company.id"], name=name, **options)


@dataclass
class Shape:
    """What is declared; an edit changes it in place."""

    table: str = "entry"
    columns: dict[str, Column] = field(
        default_factory=lambda: {
            "id": lambda: sa.Column(sa.Integer, sa.Identity(), nullable=False),
            "company_id": lambda: required(sa.Integer),
            "amount": lambda: required(sa.Numeric(12, 2)),
            "units": lambda: required(sa.Integer, "1"),
            "code": lambda: required(sa.String(20)),
            "mail": lambda: required(sa.Text),
            "digits": lambda: required(sa.Text),
            "note": lambda: sa.Column(sa.Text),
            "state": lambda: required(sa.Text, "'open'"),
            "kind": lambda: required(ENUM("plain", "other", name="kind", schema="app"), "'plain'"),
            "at": lambda: required(sa.DateTime(timezone=True), "now()"),
            "made": lambda: required(sa.DateTime(), "'2026-01-01'"),
            "body": lambda: sa.Column(JSON),
            "legacy": lambda: sa.Column(sa.Text),
        }
    )
    items: dict[str, Item] = field(
        default_factory=lambda: {
            "key": lambda: sa.PrimaryKeyConstraint("id", name="entry_pk"),
            "company": foreign_key,
            "units": lambda: sa.CheckConstraint("units > 0", name="entry_units_ck"),
            "mail": lambda: sa.UniqueConstraint("mail", name="entry_mail_uq"),
            "company_ix": lambda: sa.Index("entry_company_ix", "company_id"),
            "at_ix": lambda: sa.Index("entry_at_ix", "at"),
        }
    )
    tag_number: type[sa.types.TypeEngine[int]] = sa.Integer
    tag_key: tuple[str, ...] = ("id",)
    tag_columns: tuple[str, ...] = ("entry_id",)
    tag_refers: tuple[str, ...] = ("id",)
    has_tags: bool = True
    options: dict[str, Any] = field(default_factory=dict)
    tenancy: Declaration | None = None
    company_key: str = "id"
    declared: list[Declaration] = field(default_factory=list)
    comment: str | None = None

    def layer(self) -> DataLayer:
        """The shape as a layer."""
        data = sa.MetaData(schema="app")
        sa.Table(
            "company", data, sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.Text, nullable=False)
        )
        columns = []
        for name, make in self.columns.items():
            column = make()
            column.name = column.key = name
            columns.append(column)
        items = [make() for make in self.items.values()]
        sa.Table(self.table, data, *columns, *items, comment=self.comment, **self.options)
        if self.has_tags:
            sa.Table(
                "tag",
                data,
                sa.Column("id", sa.BigInteger, sa.Identity()),
                sa.Column("company_id", sa.Integer, nullable=False),
                sa.Column("entry_id", self.tag_number, nullable=False),
                sa.PrimaryKeyConstraint(*self.tag_key, name="tag_pk"),
                sa.ForeignKeyConstraint(
                    self.tag_columns, [f"app.{self.table}.{name}" for name in self.tag_refers], name="tag_entry_fk"
                ),
                sa.Index("tag_entry_ix", "entry_id"),
            )
        tenancy = self.tenancy or (lambda _: Tenancy(None, exempt={"*": "one company's own books"}))
        return DataLayer(data, tenancy(data), *(make(data) for make in self.declared), name=NAME)


ROWS = """
INSERT INTO app.entry (company_id, amount, units, code, mail, digits, note, at, body)
SELECT 1 + i %% 100, (i %% 100000) / 100.0, 1 + i %% 9, 'c' || i %% 1000, 'm' || i || '@example.com', i %% 100000,
    CASE WHEN i %% 3 > 0 THEN 'note ' || i %% 50 END, timestamptz '2026-01-01' + (i %% 300) * interval '1 day',
    '{"a": 1}'
FROM generate_series(1, %s) AS i
"""


def fill(connection: psycopg.Connection[Any], rows: int) -> None:
    """Rows for the first shape."""
    run = connection.execute
    run("INSERT INTO app.company SELECT i, 'company ' || i FROM generate_series(1, 100) AS i")
    run(ROWS, (rows,))
    run("INSERT INTO app.tag (company_id, entry_id) SELECT company_id, id FROM app.entry WHERE id %% 25 = 0", ())
    run("VACUUM (ANALYZE) app.entry")
    run("VACUUM (ANALYZE) app.tag")


@contextmanager
def copied(server: OwnedServer) -> Iterator[None]:
    """A copy of the template; the roles that were made for it go with it, since the next one is to make them."""
    with server.connect(autocommit=True) as connection:
        there = _roles(connection)
        create_database(server, NAME, template=TEMPLATE)
        try:
            yield
        finally:
            drop_database(server, NAME)
            for role in _roles(connection) - there:
                connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def _roles(connection: psycopg.Connection[Any]) -> set[str]:
    return {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
