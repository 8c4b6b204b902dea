"""What SQLAlchemy models say reaches the database as they say it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from freehold.errors import DeclarationError
from freehold.kernel.declare import Rename
from freehold.operations import apply_layer, plan_layer
from freehold.testing.database import Database
from tests.kernel.sample import layer


class Cents(sa.types.TypeDecorator[int]):
    """A type of the application's own, over an enum."""

    impl = sa.Enum("low", "high", name="level", schema="shop")
    cache_ok = True


def rich(schema: str | None) -> sa.MetaData:
    """Percent signs, awkward names, types without a schema, enums in arrays and behind a TypeDecorator."""
    data = sa.MetaData(schema=schema)
    counter = sa.Sequence(
        "count%er", start=10, increment=-2, minvalue=-90, maxvalue=10, cycle=True, cache=3, metadata=data
    )
    parent = sa.Table("Parent", data, sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("a b", sa.Text))
    sa.Table(
        "child%",
        data,
        sa.Column("order", sa.Integer, primary_key=True, server_default=counter.next_value()),
        sa.Column("parent", sa.ForeignKey(parent.c.id)),
        sa.Column("n", sa.Integer, server_default=sa.text("7 % 4")),
        sa.Column("note", sa.Text, server_default="50% 'off' \\ %s"),
        sa.Column("double", sa.Integer, sa.Computed("n % 3")),
        sa.Column("tier", sa.Enum("a%", "b", name="tier", metadata=data)),
        sa.Column("tiers", pg.ARRAY(sa.Enum("x", "y", name="Mood", metadata=data))),
        sa.Column("level", Cents),
        sa.Column("money", pg.DOMAIN("money%", sa.Numeric(8, 2), check="VALUE % 5 <> 1", metadata=data)),
        sa.Column("tags", pg.JSONB, server_default=sa.text("'{}'")),
        sa.CheckConstraint("n % 10 <> 9 AND note NOT LIKE 'x%'", name="mod%check"),
        sa.UniqueConstraint("order", "n", name='qu"ote key'),
        sa.Index("idx%", sa.text("(n % 2)"), postgresql_where=sa.text("note LIKE '%y'")),
    )
    if schema != "shop":
        sa.Table("other", data, sa.Column("id", sa.Integer, primary_key=True), schema="shop")
    return data


@pytest.mark.parametrize("schema", [None, "shop", "Sh%op"])
def test_models_arrive_as_they_are_written(database: Database, schema: str | None) -> None:
    declared = layer(rich(schema))
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, declared)
        assert plan_layer(connection, declared).steps == ()
        place = f'"{schema or "public"}"."child%"'
        connection.execute(f"INSERT INTO {place} (tier) VALUES ('a%')".encode())
        row = connection.execute(f'SELECT "order", n, note, double FROM {place}'.encode()).fetchone()
        assert row == (10, 3, "50% 'off' \\ %s", 0)
        assert connection.execute("SELECT count(*) FROM pg_type WHERE typname = 'Mood'").fetchone() == (1,)


def test_name_that_would_be_cut_is_refused() -> None:
    data = sa.MetaData(schema="shop")
    sa.Table("t", data, sa.Column("id", sa.Integer, primary_key=True), sa.Index("é" * 32, "id"))
    with pytest.raises(DeclarationError, match="longer than 63 bytes"):
        layer(data)


def test_rename_under_views_on_views(database: Database) -> None:
    old, new = sa.MetaData(schema="shop"), sa.MetaData(schema="shop")
    sa.Table("client", old, sa.Column("id", sa.BigInteger, primary_key=True))
    table = sa.Table("customer", new, sa.Column("id", sa.BigInteger, primary_key=True))
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, layer(old))
        connection.execute(
            "CREATE VIEW shop.zz AS SELECT id FROM shop.client; CREATE VIEW shop.aa AS SELECT id FROM shop.zz;"
            "CREATE FUNCTION shop.f() RETURNS SETOF shop.client LANGUAGE sql AS 'SELECT * FROM shop.client';"
            "CREATE VIEW shop.a0 AS SELECT id FROM shop.f()"
        )
        renamed = layer(new, Rename(table, was="client"))
        apply_layer(connection, renamed)
        assert plan_layer(connection, renamed).due(contract=False) == ()
        assert connection.execute("SELECT count(*) FROM shop.aa").fetchone() == (0,)
