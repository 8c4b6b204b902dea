"""The plan that was applied last is taken back, until it is final; and what would keep writes waiting is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from freehold import Backfill, Extra, LockBudget, Rename
from freehold.errors import StepRefused, UndoRefused
from freehold.kernel.compile import Declared
from freehold.kernel.objects import Function, Index, Policy, RowSecurity, View
from freehold.kernel.observe import observe
from freehold.operations import apply_layer, plan_layer
from freehold.testing.database import Database
from freehold.undo import plan_undo, undo_last
from tests.kernel.sample import layer
from tests.kernel.test_online import ALWAYS, Killed, metadata, one, until, widened

Connection = psycopg.Connection[Any]


@pytest.fixture
def live(database: Database) -> Iterator[Connection]:
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, layer(metadata()))
        connection.execute("INSERT INTO shop.customer (mail) SELECT 'c' || i FROM generate_series(1, 100) AS i")
        yield connection


def shape(connection: Connection) -> dict[Any, Any]:
    """Everything in the application's schema."""
    return {key: item for key, item in observe(connection).objects.items() if "shop" in key.name}


def test_nothing_to_undo(database: Database) -> None:
    with database.connect(autocommit=True) as connection:
        assert plan_undo(connection).as_sql() == "-- nothing to undo\n"


def grown() -> Declared:
    data = metadata(sa.Column("note", sa.Text), sa.Column("domain", sa.Text, nullable=False))
    sa.Table("basket", data, sa.Column("id", sa.BigInteger, primary_key=True))
    return layer(
        data,
        Backfill(data.tables["shop.customer"], "domain", "none"),
        Extra(
            Index(
                schema="shop",
                table="customer",
                index="note_ix",
                definition="CREATE INDEX note_ix ON shop.customer USING btree (note)",
            ),
            Policy(schema="shop", table="customer", policy="p", using="id > 0"),
            RowSecurity(schema="shop", table="customer"),
            View(schema="shop", view="dear", definition="SELECT id FROM shop.customer"),
            Function(
                schema="shop",
                function="f",
                definition="CREATE OR REPLACE FUNCTION shop.f() RETURNS integer LANGUAGE sql "
                "SET search_path = pg_catalog, pg_temp AS 'SELECT 1'",
            ),
        ),
    )


def renamed() -> Declared:
    data = metadata(mail="email")
    return layer(data, Rename(data.tables["shop.customer"], column="email", was="mail"))


@pytest.mark.parametrize("change", [grown, renamed])
def test_what_was_expanded_is_taken_back(live: Connection, change: Any) -> None:
    before, managed = shape(live), set(live.execute("SELECT kind, name::text FROM freehold.managed_object"))
    apply_layer(live, change(), budget=ALWAYS)
    assert shape(live) != before
    undo = plan_undo(live)
    if change is grown:
        with pytest.raises(StepRefused) as refused:
            undo_last(live, undo)
        assert "every value of shop.customer.note" in refused.value.detail
        assert "--allow-weaker-guard" in refused.value.hint
    else:
        assert [u.loses for u in undo.undos if u.loses] == [], "the old name has every value"
    undo_last(live, undo, data_loss=True, weaker_guard="a test")
    assert shape(live) == before
    assert set(live.execute("SELECT kind, name::text FROM freehold.managed_object")) == managed
    assert one(live, "SELECT count(*) FROM shop.customer") == 100
    assert plan_layer(live, layer(metadata()), budget=ALWAYS).steps == ()
    apply_layer(live, change(), budget=ALWAYS)


def test_what_is_final_says_what_a_restore_takes(live: Connection) -> None:
    apply_layer(live, renamed(), budget=ALWAYS)
    apply_layer(live, renamed(), budget=ALWAYS, contract=True)
    with pytest.raises(UndoRefused) as refused:
        plan_undo(live)
    assert "drop column shop.customer.mail" in refused.value.message
    assert "backup" in refused.value.hint


def test_a_plan_that_changed_is_not_undone(live: Connection) -> None:
    apply_layer(live, grown(), budget=ALWAYS)
    read = plan_undo(live)
    apply_layer(live, layer(metadata(sa.Column("extra", sa.Text))), weaker_guard="a test", budget=ALWAYS)
    with pytest.raises(UndoRefused, match="meanwhile"):
        undo_last(live, read, data_loss=True, weaker_guard="a test")


@pytest.mark.parametrize(
    "more",
    [
        lambda: sa.Column("twice", sa.Integer, sa.Computed("units * 2", persisted=True)),
        lambda: ExcludeConstraint(("mail", "="), using="hash", name="customer_mail_excl"),
    ],
    ids=["generated", "exclusion"],
)
def test_what_keeps_writes_waiting_is_refused(live: Connection, more: Callable[[], Any]) -> None:
    """It is written, or looked for, in every row under a lock that writes wait for, and has no other way."""
    data = metadata(more())
    plan = plan_layer(live, layer(data), budget=ALWAYS)
    (long,) = (step for step in plan.steps if step.waits)
    assert long.flag == "--allow-long-lock"
    with pytest.raises(StepRefused, match="keep writes waiting"):
        apply_layer(live, layer(data), budget=ALWAYS)
    apply_layer(live, layer(data), budget=ALWAYS, long_lock=True)


def test_the_budget_is_declared(live: Connection) -> None:
    declared = layer(metadata(), LockBudget(hold_seconds=0.0, timeout_seconds=0.25))
    assert declared.budget.write_wait_seconds == 0.25
    data = metadata(sa.Column("twice", sa.Integer, sa.Computed("units * 2", persisted=True)))
    with pytest.raises(StepRefused):
        apply_layer(live, layer(data, declared.budget))


def test_why_a_guard_is_weaker_is_journaled(live: Connection) -> None:
    apply_layer(live, grown(), budget=ALWAYS)
    fewer = layer(metadata())
    text = plan_layer(live, fewer, budget=ALWAYS).as_sql()
    assert text.index("GUARDS BECOME WEAKER") < text.index("-- 1.")
    apply_layer(live, fewer, weaker_guard="the pilot ended", approved_by="eve", budget=ALWAYS)
    last = live.execute("SELECT because, approved_by FROM freehold.applied_plan ORDER BY started_at DESC LIMIT 1")
    assert last.fetchone() == ("the pilot ended", "eve")


def test_a_renamed_table_gets_its_name_back(database: Database) -> None:
    def named(name: str) -> sa.MetaData:
        data = sa.MetaData(schema="shop")
        key, mail = sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("mail", sa.Text, unique=True)
        sa.Table(name, data, key, mail)
        return data

    new = named("client")
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, layer(named("customer")))
        before = shape(connection)
        apply_layer(connection, layer(new, Rename(new.tables["shop.client"], was="customer")))
        connection.execute("INSERT INTO shop.client VALUES (1, 'a')")
        undo_last(connection, plan_undo(connection))
        assert shape(connection) == before
        assert one(connection, "SELECT mail FROM shop.customer") == "a"


@pytest.mark.parametrize("events", range(2, 40, 4))
def test_what_was_only_begun_is_taken_back(live: Connection, events: int) -> None:
    """A change of type that was cut short leaves nothing behind, or says that it is final."""
    before = shape(live)
    with suppress(Killed):
        apply_layer(live, widened(), budget=ALWAYS, listener=until(events))
    try:
        undo_last(live, plan_undo(live))
    except UndoRefused:
        live.execute(
            "SELECT 1 / (SELECT count(*) FROM pg_attribute WHERE attname = 'units' AND atttypid = 'int8'::regtype)"
        )
    else:
        assert shape(live) == before


def test_a_contraction_alone_is_final(live: Connection) -> None:
    data = metadata(sa.Column("domain", sa.Text, nullable=False))
    declared = layer(data, Backfill(data.tables["shop.customer"], "domain", "none"))
    apply_layer(live, declared, budget=ALWAYS)
    apply_layer(live, declared, budget=ALWAYS, contract=True)
    with pytest.raises(UndoRefused, match="stop filling"):
        plan_undo(live)
