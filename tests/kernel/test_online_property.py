"""Whatever way a change takes, beside the application or in place, it comes to the same shape and the same rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from freehold import Backfill, LockBudget, Rename
from freehold.kernel.compile import Declared
from freehold.kernel.observe import observe
from freehold.operations import apply_layer, plan_layer
from freehold.testing.database import Database
from tests.kernel.sample import layer
from tests.kernel.test_online import ALWAYS, metadata

IN_PLACE = LockBudget(hold_seconds=10_000.0)
ROWS = 60


@st.composite
def changes(draw: st.DrawFn) -> Callable[[], Declared]:
    """A layer that differs from the sample in some ways."""
    number = draw(st.sampled_from([sa.Integer, sa.BigInteger]))
    mail = draw(st.sampled_from(["mail", "email"]))
    token, domain, note = draw(st.booleans()), draw(st.booleans()), draw(st.booleans())

    def made() -> Declared:
        columns: list[sa.Column[Any]] = []
        if token:
            columns.append(sa.Column("token", sa.Integer, nullable=False, server_default=sa.text("abs(-7)")))
        if domain:
            columns.append(sa.Column("domain", sa.Text, nullable=False))
        if note:
            columns.append(sa.Column("note", sa.Text, server_default="n"))
        data = metadata(*columns, mail=mail, number=number)
        table = data.tables["shop.customer"]
        more: list[object] = [Rename(table, column="email", was="mail")] if mail == "email" else []
        if domain:
            more.append(Backfill(table, "domain", sa.func.upper(table.c[mail])))
        return layer(data, *more)

    return made


def result(database: Database, declared: Declared, budget: LockBudget) -> tuple[Any, ...]:
    """The shape and the rows that a change comes to, in a schema of its own."""
    with database.connect(autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS shop CASCADE; DROP SCHEMA IF EXISTS freehold CASCADE")
        connection.execute("DROP SCHEMA IF EXISTS freehold_coming CASCADE")
        apply_layer(connection, layer(metadata()))
        connection.execute("INSERT INTO shop.customer (mail) SELECT 'c' || i FROM generate_series(1, %s) AS i", (ROWS,))
        connection.execute("INSERT INTO shop.orders (customer_id) SELECT id FROM shop.customer")
        apply_layer(connection, declared, budget=budget)
        apply_layer(connection, declared, budget=budget, contract=True)
        assert plan_layer(connection, declared, budget=budget).steps == ()
        objects = {key: item for key, item in observe(connection).objects.items() if "shop" in key.name}
        return objects, _rows(connection)


def _rows(connection: psycopg.Connection[Any]) -> list[Any]:
    query = "SELECT to_jsonb(c) FROM shop.customer AS c ORDER BY id"
    orders = "SELECT customer_id FROM shop.orders ORDER BY id"
    return [*connection.execute(query).fetchall(), *connection.execute(orders).fetchall()]


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(change=changes())
def test_both_ways_come_to_the_same(database: Database, change: Callable[[], Declared]) -> None:
    assert result(database, change(), ALWAYS) == result(database, change(), IN_PLACE)
