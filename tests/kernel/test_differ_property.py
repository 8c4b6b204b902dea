"""Whatever one model becomes, the plan leads there and then has nothing to do; and steps stand in a workable order."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from freehold.kernel.declare import Extra
from freehold.kernel.objects import Function, Key, Object, Policy, RowSecurity, View
from freehold.kernel.topological import topological
from freehold.operations import apply_layer, plan_layer
from freehold.testing.database import Database
from tests.kernel.sample import layer

TYPES: dict[str, list[sa.types.TypeEngine[Any]]] = {
    "a": [sa.Text(), sa.String(20), sa.String(40)],
    "b": [sa.Integer(), sa.BigInteger()],
    "c": [sa.Numeric(8, 2), sa.Numeric(10, 2)],
    "d": [sa.Date(), sa.DateTime(timezone=True)],
}
DEFAULTS = {"a": "'x'", "b": "7", "c": "0", "d": "now()"}


@st.composite
def columns(draw: st.DrawFn) -> list[sa.Column[Any]]:
    """Some of four columns, each with one of its types and perhaps a default or NOT NULL."""
    made = []
    for name in draw(st.sets(st.sampled_from(sorted(TYPES)), min_size=1)):
        kind = draw(st.sampled_from(TYPES[name]))
        default = sa.text(DEFAULTS[name]) if draw(st.booleans()) else None
        made.append(sa.Column(name, kind, server_default=default, nullable=draw(st.booleans())))
    return sorted(made, key=lambda column: column.name)


@st.composite
def models(draw: st.DrawFn) -> tuple[sa.MetaData, tuple[Object, ...]]:
    """One or two tables with indexes and constraints, and policies, views and functions over them."""
    data = sa.MetaData(schema="shop")
    extras: list[Object] = []
    for name in sorted(draw(st.sets(st.sampled_from(["one", "two"]), min_size=1))):
        cells = draw(columns())
        table = sa.Table(name, data, sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True), *cells)
        first = cells[0].name
        if draw(st.booleans()):
            sa.Index(f"{name}_idx", table.c[first], unique=draw(st.booleans()))
        if draw(st.booleans()):
            table.append_constraint(sa.UniqueConstraint("id", first, name=f"{name}_key"))
        if draw(st.booleans()):
            table.append_constraint(sa.CheckConstraint(f"{first} IS NOT NULL", name=f"{name}_check"))
        extras += draw(guards(name, first))
    return data, tuple(extras)


@st.composite
def guards(draw: st.DrawFn, table: str, column: str) -> list[Object]:
    """Perhaps row security with a policy that calls a function, and perhaps a view."""
    found: list[Object] = []
    if draw(st.booleans()):
        kind = draw(st.sampled_from(["boolean", "integer"]))
        value = "true" if kind == "boolean" else "1"
        body = f"CREATE OR REPLACE FUNCTION shop.{table}_open() RETURNS {kind} LANGUAGE sql"
        body += " SET search_path = pg_catalog, pg_temp "
        call = f"shop.{table}_open()" if kind == "boolean" else f"shop.{table}_open() > 0"
        found.append(Function(schema="shop", function=f"{table}_open", definition=f"{body} AS 'SELECT {value}'"))
        found.append(Policy(schema="shop", table=table, policy="p", using=f"{call} AND {column} IS NOT NULL"))
        found.append(RowSecurity(schema="shop", table=table, forced=draw(st.booleans())))
    if draw(st.booleans()):
        text = f"SELECT {column} AS x FROM shop.{table}"
        found.append(View(schema="shop", view=f"{table}_v", definition=text, after=(Key("table", ("shop", table)),)))
    return found


# Shrinking would apply hundreds of plans; the models are small enough to read as they come.
@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(steps=st.lists(models(), min_size=2, max_size=3))
def test_every_model_is_reached_from_every_other(
    database: Database, steps: list[tuple[sa.MetaData, tuple[Object, ...]]]
) -> None:
    with database.connect(autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS shop CASCADE; DROP SCHEMA IF EXISTS freehold CASCADE")
        for data, extras in steps:
            declared = layer(data, Extra(*extras))
            apply_layer(connection, declared, data_loss=True, contract=True, weaker_guard="a test")
            assert plan_layer(connection, declared).steps == ()


@given(edges=st.sets(st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda pair: pair[0] > pair[1])))
def test_needs_come_first(edges: set[tuple[int, int]]) -> None:
    keys = [Key("x", (str(number),)) for number in range(10)]
    needs = {key: {keys[low] for high, low in edges if keys[high] == key} for key in reversed(keys)}
    order = topological(needs, dict.fromkeys(keys, 0))
    assert sorted(order) == sorted(keys)
    assert all(order.index(keys[low]) < order.index(keys[high]) for high, low in edges)


def test_a_cycle_still_yields_every_key_once() -> None:
    one, two = Key("x", ("1",)), Key("x", ("2",))
    assert topological({one: {two}, two: {one}}, {one: 2, two: 1}) == [two, one]
