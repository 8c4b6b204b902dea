"""What the signed context costs a statement, over a bare setting, and whether the plan stays the same."""

from __future__ import annotations

import statistics
from functools import partial
from typing import Any

import psycopg
import sqlalchemy as sa

from benchmarks.measure import Section, interleaved, server_cpu, spread
from freehold import DataLayer, Roles, Tenancy
from freehold.operations import apply_layer
from freehold.servers import OwnedServer

READS = 20_000
ROUNDS = 9
ROWS = 100_000
NAMES = ("signed", "setting", "open")

SET_UP = """
CREATE TABLE cost.setting (LIKE cost.signed INCLUDING ALL);
CREATE TABLE cost.open (LIKE cost.signed INCLUDING ALL);
ALTER TABLE cost.setting ENABLE ROW LEVEL SECURITY;
ALTER TABLE cost.setting FORCE ROW LEVEL SECURITY;
CREATE POLICY p ON cost.setting USING (tenant_id = (SELECT current_setting('bench.tenant')::bigint));
GRANT SELECT ON cost.setting, cost.open TO bench_cost_app_a;
INSERT INTO cost.tenant SELECT generate_series(1, 100);
INSERT INTO cost.signed (tenant_id, id, value) SELECT 1 + i %% 100, i, 'x' FROM generate_series(1, %(rows)s) AS i;
INSERT INTO cost.setting SELECT * FROM cost.signed;
INSERT INTO cost.open SELECT * FROM cost.signed;
ANALYZE cost.signed, cost.setting, cost.open;
SELECT freehold.add_context_key_v1('bench', sha256('bench'));
"""


def run(server: OwnedServer) -> Section:
    """Primary-key reads, prepared, one backend, its CPU by /proc."""
    data = sa.MetaData(schema="cost")
    root = sa.Table("tenant", data, sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False))
    sa.Table(
        "signed",
        data,
        sa.Column("tenant_id", sa.ForeignKey("cost.tenant.id", name="signed_tenant_id_fkey"), primary_key=True),
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("value", sa.Text),
    )
    layer = DataLayer(data, Tenancy(root=root), Roles(), name="bench_cost")
    with server.connect(autocommit=True) as admin:
        admin.execute("CREATE DATABASE bench_cost")
    with server.connect("bench_cost", autocommit=True) as connection:
        apply_layer(connection, layer.declared)
        for statement in filter(str.strip, SET_UP.split(";")):
            connection.execute(statement.encode(), {"rows": ROWS})
        plans = {name: _plan(connection, name) for name in NAMES}
        found = interleaved({name: partial(_cpu, connection, name) for name in NAMES}, ROUNDS)
    added = [(a - b) * 1e6 for a, b in zip(found["signed"], found["setting"], strict=True)]
    median = statistics.median(added)
    rows = [(name, spread(found[name], 1e6, 1), plans[name]) for name in NAMES]
    return Section(
        title="The signed context",
        method=f"{READS:,} primary-key reads a round from a PL/pgSQL loop in one transaction as the application, "
        f"{ROUNDS} interleaved "
        f"rounds over {ROWS:,} rows, server CPU of the backend from /proc, microseconds a statement. *Setting* is "
        f"the usual policy "
        "over a bare `current_setting`; *open* has no row security.",
        columns=("policy", "server CPU, µs", "plan"),
        rows=rows,
        verdict=f"The signature adds {min(added):.1f} / **{median:.1f}** / {max(added):.1f} µs to a statement. "
        f"Goal: at most 20 µs, and the "
        f"same index plan as without row security: "
        f"{'reached' if median <= 20 and len(set(plans.values())) == 1 else 'not reached'}.",
    )


def _bind(connection: psycopg.Connection[Any]) -> None:
    connection.execute("SELECT set_config('freehold.context', freehold.issue_context_v1('1', 'bench', '1 hour'), true)")
    connection.execute("SELECT set_config('bench.tenant', '1', true)")
    connection.execute("SET LOCAL ROLE bench_cost_app_a")


def _query(name: str, explain: str = "") -> bytes:
    return f"{explain}SELECT value FROM cost.{name} WHERE tenant_id = %s AND id = %s".encode()


def _cpu(connection: psycopg.Connection[Any], name: str) -> float:
    """CPU of one read, from a loop inside the server: the round trip's own CPU is not the policy's."""
    with connection.transaction():
        _bind(connection)
        connection.execute(_loop(name, 50))
        before = server_cpu(connection)
        connection.execute(_loop(name, READS))
        return (server_cpu(connection) - before) / READS


def _loop(name: str, reads: int) -> bytes:
    body = f"SELECT value INTO found FROM cost.{name} WHERE tenant_id = 1 AND id = 100 * (1 + i % 900)"
    return f"DO $$ DECLARE found text; BEGIN FOR i IN 1..{reads} LOOP {body}; END LOOP; END $$".encode()


def _plan(connection: psycopg.Connection[Any], name: str) -> str:
    """The scan node, with the table's name taken out of the index's."""
    with connection.transaction():
        _bind(connection)
        row = connection.execute(_query(name, "EXPLAIN (FORMAT JSON) "), (1, 100)).fetchone()
    assert row is not None
    node = row[0][0]["Plan"]
    while node.get("Node Type") not in {"Index Scan", "Index Only Scan", "Seq Scan", "Bitmap Heap Scan"}:
        node = node["Plans"][-1]
    return f"{node['Node Type']}" + (" on the primary key" if node.get("Index Name", "").endswith("_pkey") else "")
