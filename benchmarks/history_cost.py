"""History: linear whatever ran before in the connection, and its ratio to no history."""

from __future__ import annotations

import statistics
from typing import Any

import psycopg
import sqlalchemy as sa

from benchmarks.measure import Section, interleaved, ratios, server_cpu, spread
from freehold import DataLayer, History, Roles, Tenancy
from freehold.operations import apply_layer
from freehold.servers import OwnedServer

ROWS = 50_000
ROUNDS = 5


def run(server: OwnedServer) -> Section:
    """Updates of one row and then of many, in one connection."""
    data = sa.MetaData(schema="past")
    kept, bare = (_table(data, name) for name in ("kept", "bare"))
    layer = DataLayer(data, Tenancy(root=None, exempt={"*": "a benchmark"}), Roles(), History(kept), name="bench_past")
    with server.connect(autocommit=True) as admin:
        admin.execute("CREATE DATABASE bench_past")
    with server.connect("bench_past", autocommit=True) as connection:
        apply_layer(connection, layer.declared)
        for table in (kept, bare):
            connection.execute(
                f"INSERT INTO past.{table.name} SELECT i, 'x', 1 FROM generate_series(1, {ROWS}) AS i".encode()
            )
            connection.execute(f"ANALYZE past.{table.name}".encode())
        connection.execute("ANALYZE past.kept_history")

    def update(name: str, rows: int, *, after_one: bool) -> float:
        with server.connect("bench_past", autocommit=True) as connection:
            if after_one:
                for number in range(1, 12):  # enough for a cached generic plan, if one were kept
                    connection.execute(_update(name), (number, number))
            return _cpu(connection, name, rows)

    found = interleaved(
        {
            "8,000 rows, first in the connection": lambda: update("kept", 8_000, after_one=False),
            "8,000 rows, after one-row updates": lambda: update("kept", 8_000, after_one=True),
            f"{ROWS:,} rows, after one-row updates": lambda: update("kept", ROWS, after_one=True),
            f"{ROWS:,} rows without history": lambda: update("bare", ROWS, after_one=True),
        },
        ROUNDS,
    )
    names = list(found)
    per_row = statistics.median(found[names[2]]) / ROWS / (statistics.median(found[names[1]]) / 8_000)
    cached = statistics.median(ratios(found, names[1], names[0]))
    cost = ratios(found, names[2], names[3])
    return Section(
        title="History",
        method=f"One table of {ROWS:,} rows with a typed history table and its index, statement triggers with "
        f"transition tables; "
        f"{ROUNDS} interleaved rounds, server CPU of the backend, milliseconds.",
        columns=("update", "server CPU, ms"),
        rows=[(name, spread(values, 1e3, 0)) for name, values in found.items()],
        verdict=f"After one-row updates in the same connection 8,000 rows take {cached:.2f} of what they take in "
        f"a fresh one, and the cost a "
        f"row at {ROWS:,} rows is {per_row:.2f} of that at 8,000 (goal: linear, "
        f"{'reached' if cached < 1.5 and per_row < 1.5 else 'not reached'}). "
        f"Ratio to no history: {spread(cost)}.",
    )


def _table(data: sa.MetaData, name: str) -> sa.Table:
    return sa.Table(
        name,
        data,
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("label", sa.Text),
        sa.Column("amount", sa.Numeric),
    )


def _update(name: str) -> bytes:
    return f"UPDATE past.{name} SET amount = amount + 1 WHERE id BETWEEN %s AND %s".encode()


def _cpu(connection: psycopg.Connection[Any], name: str, rows: int) -> float:
    before = server_cpu(connection)
    connection.execute(_update(name), (1, rows))
    return server_cpu(connection) - before
