"""Histories that are cut by time: each version lies in the period in which it ended, and leaves with it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from freehold import DataLayer, History, Roles, Tenancy
from freehold.errors import DeclarationError
from freehold.kernel.periods import now
from freehold.operations import apply_layer, apply_new_tables, plan_layer, prove_layer
from freehold.rooms.partitions.runtime import partitions_of, retire
from freehold.testing.database import Database

from .layer import ONE, TWO, Base, Company, Customer


class Clock:
    """Tells a time that a test sets."""

    def __init__(self) -> None:
        self.moment = now()

    def __call__(self) -> datetime:
        return self.moment


def cut(clock: Clock, name: str) -> tuple[DataLayer, History]:
    """The layer with one history that is cut by the month."""
    since = (now() - timedelta(days=40)).date()
    history = History(Customer, keep="1 year", current="base", every="month", since=since, clock=clock)
    other = [table for table in Base.metadata.tables.values() if table.name == "article"]
    return DataLayer(Base.metadata, Tenancy(Company, shared=other), Roles(), history, name=name), history


def test_versions_lie_in_their_period_and_leave_with_it(database: Database, layer_name: str) -> None:
    clock = Clock()
    layer, history = cut(clock, layer_name)
    assert history.cut
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, layer.declared)
        assert plan_layer(connection, layer.declared).steps == ()
        connection.execute("SELECT freehold.add_context_key_v1('first', %s)", (bytes(range(32)),))
        connection.execute("INSERT INTO shop.company (id, name) VALUES (%s, 'One'), (%s, 'Two')", (ONE, TWO))
        connection.execute(
            "INSERT INTO shop.customer (tenant_id, id, name) VALUES (%s, 1, 'a'), (%s, 1, 'b')", (ONE, TWO)
        )
        connection.execute("UPDATE shop.customer SET name = name || '!'")
        found = connection.execute("SELECT DISTINCT tableoid::regclass::text FROM shop.customer_history").fetchall()
        begin = history.cut.period.containing(now())
        assert found == [(f"shop.customer_history_{history.cut.period.name(begin)}",)]
        assert [v for v in prove_layer(connection, layer.declared) if v.verdict != "held"] == []
        count = len(partitions_of(connection, history.cut))
        # Months later: the next periods are made, those of more than a year ago leave, and the rows with them.
        clock.moment = now() + timedelta(days=500)
        later, _ = cut(clock, layer_name)
        made = apply_new_tables(connection, later.declared, "history")
        assert len([step for step in made.steps if step.key.kind == "table"]) >= 12
        gone = retire(connection, history.cut)
        assert len(gone) >= count - 3
        assert connection.execute("SELECT count(*) FROM shop.customer_history").fetchall() == [(0,)]
        names = connection.execute("SELECT name FROM shop_past.customer_history ORDER BY name").fetchall()
        assert names == [("a!",), ("b!",)], "what is there now is in its table"
        assert plan_layer(connection, later.declared).steps == ()


@pytest.mark.parametrize(
    "how",
    [
        {"every": "month"},
        {"every": "month", "since": date(2026, 1, 1), "keep": "1 year"},
        {"every": "moon", "since": date(2026, 1, 1), "keep": "1 year", "current": "base"},
        {"since": date(2026, 1, 1)},
    ],
)
def test_a_cut_that_makes_no_sense(how: dict[str, Any]) -> None:
    table = sa.Table("t", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True))
    with pytest.raises(DeclarationError, match="how it is cut") as refused:
        History(table, **how)
    assert refused.value.hint
