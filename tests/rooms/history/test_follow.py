"""The history table follows its table through plan and apply."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from freehold.errors import DeclarationError, StepRefused, UnknownTable
from freehold.kernel.compile import Declared, compile_layer
from freehold.kernel.declare import Declarations, Rename
from freehold.operations import apply_layer, plan_layer
from freehold.rooms.history import ROOM, History
from freehold.rooms.tenancy import ROOM as TENANCY
from freehold.rooms.tenancy import Tenancy
from freehold.testing.database import Database

SINGLE = Tenancy(None, exempt={"*": "one company's own books"})


def price(*more: sa.Column[Any]) -> sa.Table:
    """A table of a metadata of its own."""
    return sa.Table(
        "price",
        sa.MetaData(schema="shop"),
        sa.Column("article", sa.Text, primary_key=True),
        sa.Column("amount", sa.Numeric(12, 2), nullable=False),
        *more,
    )


def layer(name: str, table: sa.Table, *declarations: object) -> Declared:
    """A layer without tenants."""
    items = (SINGLE, *declarations)
    return compile_layer(Declarations(metadata=table.metadata, items=items, name=name), [ROOM, TENANCY])


def kept(name: str, table: sa.Table) -> Declared:
    """A layer that keeps the table's history."""
    return layer(name, table, History(table, keep="7 years"))


def columns(connection: psycopg.Connection[Any]) -> list[str]:
    """The history table's columns."""
    query = """
        SELECT attname::text FROM pg_attribute
        WHERE attrelid = 'shop.price_history'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
    """
    return [name for (name,) in connection.execute(query)]


def test_a_second_apply_has_nothing_to_do(database: Database, layer_name: str) -> None:
    declared = kept(layer_name, price())
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, declared)
        assert plan_layer(connection, declared).steps == ()
        connection.execute("INSERT INTO shop.price VALUES ('tea', 1)")
        assert connection.execute("SELECT article, operation FROM shop.price_history").fetchall() == [("tea", "INSERT")]


def test_history_declared_over_a_live_table(database: Database, layer_name: str) -> None:
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, layer(layer_name, price()))
        connection.execute("INSERT INTO shop.price VALUES ('tea', 1), ('jam', 2)")
        apply_layer(connection, kept(layer_name, price()))
        connection.execute("UPDATE shop.price SET amount = 3 WHERE article = 'tea'")
        assert connection.execute(
            "SELECT article, amount, operation FROM shop.price_history ORDER BY valid_from, valid_to"
        ).fetchall() == [("tea", 1, "BEFORE"), ("tea", 3, "UPDATE")]
        connection.execute("SELECT shop.catch_up_price_history_v1()")
        assert connection.execute("SELECT count(*) FROM shop.price_history").fetchall() == [(3,)]


def test_a_new_column_is_kept_from_then_on(database: Database, layer_name: str) -> None:
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, kept(layer_name, price()))
        connection.execute("INSERT INTO shop.price VALUES ('tea', 1)")
        added = (sa.Column("currency", sa.Text, nullable=False, server_default="GBP"), sa.Column("note", sa.Text))
        wider = kept(layer_name, price(*added))
        apply_layer(connection, wider)
        assert plan_layer(connection, wider).steps == ()
        connection.execute("UPDATE shop.price SET note = 'dear'")
        assert connection.execute(
            "SELECT amount, currency, note FROM shop.price_history ORDER BY valid_from"
        ).fetchall() == [(1, "GBP", None), (1, "GBP", "dear")]


def test_a_renamed_column_and_a_renamed_table_keep_their_past(database: Database, layer_name: str) -> None:
    old = sa.Table(
        "rate",
        sa.MetaData(schema="shop"),
        sa.Column("article", sa.Text, primary_key=True),
        sa.Column("cost", sa.Numeric(12, 2), nullable=False),
    )
    new = price()
    renames = (Rename(new, was="rate"), Rename(new, was="cost", column="amount"))
    renamed = layer(layer_name, new, History(new, keep="7 years"), *renames)
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, kept(layer_name, old))
        connection.execute("INSERT INTO shop.rate VALUES ('tea', 1)")
        plan = plan_layer(connection, renamed)
        assert [step.change.title for step in plan.steps if step.change.loses] == []
        apply_layer(connection, renamed, weaker_guard="a test")
        assert plan_layer(connection, renamed).due(contract=False) == ()
        connection.execute("UPDATE shop.price SET amount = 2")
        assert connection.execute(
            "SELECT article, amount, operation FROM shop.price_history ORDER BY valid_from"
        ).fetchall() == [("tea", 1, "INSERT"), ("tea", 2, "UPDATE")]


def test_a_dropped_column_stays_in_history(database: Database, layer_name: str) -> None:
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, kept(layer_name, price(sa.Column("note", sa.Text))))
        connection.execute("INSERT INTO shop.price VALUES ('tea', 1, 'dear')")
        narrow = kept(layer_name, price())
        plan = plan_layer(connection, narrow)
        dropped = [step.change.title for step in plan.steps if step.change.loses]
        assert dropped == ["drop column shop.price.note"]
        apply_layer(connection, narrow, data_loss=True, contract=True)
        assert plan_layer(connection, narrow).steps == ()
        connection.execute("DELETE FROM shop.price")
        assert connection.execute("SELECT note FROM shop.price_history").fetchall() == [("dear",)]


def test_a_wider_type_is_followed(database: Database, layer_name: str) -> None:
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, kept(layer_name, price()))
        wider = price()
        wider.c.amount.type = sa.Numeric(16, 4)
        steps = plan_layer(connection, kept(layer_name, wider)).steps
        titles = [title for step in steps for title in step.change.title.split("; ")]
        assert [t.split(" from ")[0] for t in titles if t.startswith("change type")] == [
            "change type of column shop.price.amount",
            "change type of column shop.price_history.amount",
        ]


def test_taking_history_away_needs_its_flag(database: Database, layer_name: str) -> None:
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, kept(layer_name, price()))
        with pytest.raises(StepRefused):
            apply_layer(connection, layer(layer_name, price()))
        assert connection.execute(
            "SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'freehold_history_%%'"
        ).fetchall() == [(4,)]


def test_a_virtual_column_is_computed_in_the_past_too(database: Database, layer_name: str) -> None:
    table = price(sa.Column("gross", sa.Numeric(12, 2), sa.Computed("amount * 1.2", persisted=False)))
    with database.connect(autocommit=True) as connection:
        if connection.info.server_version < 180000:
            with pytest.raises(DeclarationError):
                apply_layer(connection, kept(layer_name, table))
            return
        apply_layer(connection, kept(layer_name, table))
        connection.execute("INSERT INTO shop.price VALUES ('tea', 10)")
        connection.execute("UPDATE shop.price SET amount = 20")
        assert connection.execute("SELECT gross FROM shop.price_history ORDER BY valid_from").fetchall() == [
            (12,),
            (24,),
        ]


def test_a_partitioned_table_is_recorded_whichever_way_it_is_written(database: Database, layer_name: str) -> None:
    data = sa.MetaData(schema="shop")
    reading = sa.Table(
        "reading", data, sa.Column("id", sa.Integer, primary_key=True), postgresql_partition_by="RANGE (id)"
    )
    low = sa.Table("reading_low", data, info={"partition_of": ("shop.reading", "FOR VALUES FROM (0) TO (100)")})
    high = sa.Table("reading_high", data, info={"partition_of": ("shop.reading", "FOR VALUES FROM (100) TO (200)")})
    declared = layer(layer_name, reading, History(reading))
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, declared)
        connection.execute("INSERT INTO shop.reading VALUES (1), (2)")
        connection.execute("UPDATE shop.reading SET id = 150 WHERE id = 1")
        connection.execute("DELETE FROM shop.reading_low")
        assert connection.execute(
            "SELECT id, operation, ended_operation FROM shop.reading_history ORDER BY valid_from, id"
        ).fetchall() == [(1, "INSERT", "UPDATE"), (2, "INSERT", "DELETE"), (150, "UPDATE", None)]
    assert {low.name, high.name} == {"reading_low", "reading_high"}


def test_a_table_without_a_key_is_refused() -> None:
    log = sa.Table("log", sa.MetaData(), sa.Column("line", sa.Text))
    with pytest.raises(DeclarationError, match="no primary key"):
        History(log)


@pytest.mark.parametrize("keep", ["soon", "7", "-1 days"])
def test_a_time_to_keep_that_is_no_duration_is_refused(keep: str) -> None:
    with pytest.raises(DeclarationError, match="not a duration"):
        History(price(), keep=keep)


def test_a_column_that_history_needs_for_itself_is_refused() -> None:
    table = price(sa.Column("valid_to", sa.Date))
    with pytest.raises(DeclarationError, match="needs for itself: valid_to"):
        layer("t", table, History(table))


def test_a_table_of_another_metadata_is_refused() -> None:
    with pytest.raises(UnknownTable):
        layer("t", price(), History(sa.Table("other", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True))))


def test_long_names_are_cut_to_what_every_part_can_carry() -> None:
    table = sa.Table("a" * 57, sa.MetaData(schema="shop"), sa.Column("id", sa.Integer, primary_key=True))
    declared = layer("t", table, History(table, keep="1 day"))
    own = [key.name for key, item in declared.objects.items() if item.room == "history" and key.kind != "column"]
    assert max(len(part) for name in own for part in name if part != table.name) <= 63
