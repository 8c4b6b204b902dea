"""Policies that indexes serve: a key lookup has the plan it has without row security, and parallel plans remain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from freehold.testing.database import Database

from .layer import A, B, applied

Connection = psycopg.Connection[Any]
ISSUE = "SELECT set_config('freehold.context', freehold.issue_context_v1(%s, 'ana', '1 minute'), true)"


@pytest.fixture
def connection(database: Database, layer_name: str) -> Iterator[Connection]:
    with database.connect(autocommit=True) as opened:
        applied(opened, layer_name)
        fill = "INSERT INTO shop.customer (tenant_id, email) SELECT %s, n || '@x' FROM generate_series(1, 20000) n"
        for tenant in (A, B):
            opened.execute(fill, (tenant,))
        opened.execute("ANALYZE shop.customer")
        opened.execute("SELECT set_config('layer.app', %s, false)", (f"{layer_name}_app_a",))
        yield opened


def as_app(connection: Connection) -> None:
    """Act as the application under the first tenant, until the transaction ends."""
    connection.execute(ISSUE, (str(A),))
    role = connection.execute("SELECT current_setting('layer.app')").fetchone()
    assert role is not None
    connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role[0])))


def nodes(connection: Connection, query: str) -> list[tuple[str, str]]:
    """Node types and index names of a plan, from the top.

    Left out are the policies' InitPlans, and the Result that compares a tenant named by the statement with the
    context's once, before the index is touched.
    """
    found: list[tuple[str, str]] = []
    row = connection.execute(f"EXPLAIN (FORMAT JSON) {query}".encode()).fetchone()
    assert row is not None

    def walk(plan: dict[str, Any]) -> None:
        if "One-Time Filter" not in plan:
            found.append((plan["Node Type"], plan.get("Index Name", "")))
        for child in plan.get("Plans", ()):
            if child["Parent Relationship"] != "InitPlan":
                walk(child)

    walk(row[0][0]["Plan"])
    return found


@pytest.mark.parametrize(
    "condition",
    [f"tenant_id = '{A}' AND id = 7", "id = 7", f"tenant_id = '{A}' AND email = '7@x'", "email = '7@x'"],
)
def test_a_key_lookup_uses_the_index_that_it_uses_without_row_security(connection: Connection, condition: str) -> None:
    named = condition if "tenant_id" in condition else f"tenant_id = '{A}' AND {condition}"
    free = nodes(connection, f"SELECT * FROM shop.customer WHERE {named}")
    with connection.transaction():
        as_app(connection)
        assert nodes(connection, f"SELECT * FROM shop.customer WHERE {condition}") == free
        assert free[0][0] == "Index Scan"


def test_parallel_workers_read_under_the_leaders_context(connection: Connection) -> None:
    query = "SELECT count(*) FROM shop.customer"
    with connection.transaction():
        for setting in ("parallel_setup_cost", "parallel_tuple_cost", "min_parallel_table_scan_size"):
            connection.execute(sql.SQL("SET LOCAL {} = 0").format(sql.Identifier(setting)))
        connection.execute("SET LOCAL enable_indexonlyscan = off; SET LOCAL enable_bitmapscan = off")
        connection.execute("SET LOCAL enable_indexscan = off")
        as_app(connection)
        assert any(node == "Gather" for node, _ in nodes(connection, query))
        assert connection.execute(query.encode()).fetchone() == (20003,)
