"""Rules over several rows: what each adds to one-row transactions and to a large statement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import INT8RANGE

from benchmarks.measure import Section, interleaved, ratios, server_cpu, spread
from freehold import Balanced, DataLayer, Limit, NoOverlap, Roles, StateMachine, Tenancy
from freehold.operations import apply_layer
from freehold.servers import OwnedServer

ROWS, SINGLE, ROUNDS = 10_000, 1_000, 5
STATEMENTS = {
    "StateMachine": "UPDATE rules.{order} SET status = 'placed' WHERE id BETWEEN %(low)s AND %(high)s",
    "Balanced, each statement in balance": "INSERT INTO rules.{line} SELECT i, i / 2, 5 * (-1) ^ i"
    " FROM generate_series(%(low)s::bigint * 2, %(high)s::bigint * 2 + 1) AS i",
    "Limit": "INSERT INTO rules.{seat} SELECT i, i %% 100 FROM generate_series(%(low)s::bigint, %(high)s) AS i",
    "NoOverlap": "INSERT INTO rules.{booking} SELECT i, i %% 100, int8range(i, i + 100)"
    " FROM generate_series(%(low)s::bigint, %(high)s) AS i",
}
"""One statement over the rows ``low`` to ``high``; a rule's table is named in braces."""
HALVES = (
    "INSERT INTO rules.{line} VALUES (%(low)s * 2, %(low)s, 5); "
    "INSERT INTO rules.{line} VALUES (%(low)s * 2 + 1, %(low)s, -5)"
)
REFILL = (
    "TRUNCATE rules.{table}_order, rules.{table}_line, rules.{table}_seat, rules.{table}_booking",
    "INSERT INTO rules.{table}_order SELECT i, 'draft' FROM generate_series(0, %s) AS i",
)


def run(server: OwnedServer) -> Section:
    """Every statement on tables with and without the rule, in turn."""
    layer = _layer()
    with server.connect(autocommit=True) as admin:
        admin.execute("CREATE DATABASE bench_rules")
    with server.connect("bench_rules", autocommit=True) as connection:
        apply_layer(connection, layer.declared)
        connection.execute("INSERT INTO rules.plan SELECT i, 1000000 FROM generate_series(0, 99) AS i")
        found = interleaved(
            {f"{name}|{kind}": _variant(connection, name, kind) for name in _names() for kind in ("kept", "bare")},
            ROUNDS,
        )
    rows = []
    for name in _names():
        cost = ratios(found, f"{name}|kept", f"{name}|bare")
        rows.append((name, spread(found[f"{name}|bare"], 1e6 / _count(name), 0), spread(cost)))
    return Section(
        title="Rules over several rows",
        method=f"{SINGLE:,} transactions of one statement over one row (two for a line with its counterpart), or one "
        f"statement over {ROWS:,} rows, on a table with the rule and on the same table without; server CPU of the "
        f"backend, {ROUNDS} interleaved rounds, min / **median** / max.",
        columns=("rule", "without it, µs of CPU a row", "with it, times"),
        rows=rows,
        verdict="`NoOverlap` is compared with no index at all: what it costs is the GiST index of the constraint.",
    )


def _names() -> list[str]:
    names = [f"{name}, {size}" for name in STATEMENTS for size in ("one row", f"{ROWS:,} rows")]
    return [*names, "Balanced, in balance only at COMMIT, one row"]


def _count(name: str) -> int:
    return SINGLE if name.endswith("one row") else ROWS


def _variant(connection: psycopg.Connection[Any], name: str, kind: str) -> Callable[[], float]:
    rule = name.rpartition(", " + ("one row" if name.endswith("one row") else f"{ROWS:,} rows"))[0]
    tables = {table: f"{kind}_{table}" for table in ("order", "line", "seat", "booking")}
    parts = [part.encode() for part in STATEMENTS.get(rule, HALVES).format(**tables).split("; ")]

    def work() -> float:
        connection.execute(REFILL[0].format(table=kind).encode())
        connection.execute(REFILL[1].format(table=kind).encode(), (ROWS,))
        before = server_cpu(connection)
        if _count(name) == ROWS:
            connection.execute(parts[0], {"low": 0, "high": ROWS - 1})
        else:
            for number in range(SINGLE):
                with connection.transaction():
                    for part in parts:
                        connection.execute(part, {"low": number, "high": number})
        return server_cpu(connection) - before

    return work


def _layer() -> DataLayer:
    data = sa.MetaData(schema="rules")
    plan = sa.Table("plan", data, _key(), sa.Column("seats", sa.Integer))
    made = {kind: _tables(data, kind) for kind in ("kept", "bare")}
    order, line, seat, booking = made["kept"]
    return DataLayer(
        data,
        Tenancy(root=None, exempt={"*": "a benchmark"}),
        Roles(),
        StateMachine(order, "status", initial=("draft",), allowed={"draft": ("placed",)}),
        Balanced(line, amount="amount", per=("booking_id",)),
        Limit(seat, of=plan, at_most="seats"),
        NoOverlap(booking, per=("room_id",), during="span"),
        name="bench_rules",
    )


def _key() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False)


def _tables(data: sa.MetaData, kind: str) -> tuple[sa.Table, sa.Table, sa.Table, sa.Table]:
    number = sa.BigInteger
    return (
        sa.Table(f"{kind}_order", data, _key(), sa.Column("status", sa.Text, nullable=False)),
        sa.Table(
            f"{kind}_line",
            data,
            _key(),
            sa.Column("booking_id", number, nullable=False),
            sa.Column("amount", sa.Numeric, nullable=False),
        ),
        sa.Table(
            f"{kind}_seat",
            data,
            _key(),
            sa.Column("plan_id", number, sa.ForeignKey("rules.plan.id", name=f"{kind}_plan_fk"), index=True),
        ),
        sa.Table(
            f"{kind}_booking",
            data,
            _key(),
            sa.Column("room_id", number, nullable=False),
            sa.Column("span", INT8RANGE, nullable=False),
        ),
    )
