"""Plan of an unchanged 500-table model against Alembic's autogenerate, on the same server in one run."""

from __future__ import annotations

import statistics
import tempfile
from functools import partial
from pathlib import Path

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from benchmarks.measure import Section, interleaved, ratios, spread, wall
from freehold import DataLayer, Roles, Tenancy, tenant_foreign_key, tenant_unique
from freehold.operations import apply_layer, plan_layer
from freehold.servers import OwnedServer

TABLES = 500
ROUNDS = 3


def model(schema: str, tables: int = TABLES) -> tuple[sa.MetaData, sa.Table]:
    """A chain of tables of ten columns, each with an identity, defaults, two keys, two foreign keys and an index."""
    data = sa.MetaData(schema=schema)
    root = sa.Table("tenant", data, sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False))
    for number in range(tables - 1):
        name, before = f"t{number}", f"t{number - 1}"
        parts: list[sa.schema.SchemaItem] = [
            sa.Column(
                "tenant_id", sa.ForeignKey(f"{schema}.tenant.id", name=f"{name}_tenant_id_fkey"), primary_key=True
            ),
            sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
            *(sa.Column(f"text_{i}", sa.Text) for i in range(3)),
            *(sa.Column(f"money_{i}", sa.Numeric(12, 2), nullable=False, server_default="0") for i in range(3)),
            sa.Column("at", sa.DateTime(timezone=True), server_default=sa.func.now()),
            sa.Column("before_id", sa.BigInteger),
            sa.Index(f"{name}_at_idx", "tenant_id", "at"),
            tenant_unique("text_0", name=f"{name}_text_0_key"),
        ]
        if number:
            parts.append(tenant_foreign_key("before_id", f"{schema}.{before}.id", name=f"{name}_before_fkey"))
        sa.Table(name, data, *parts)
    return data, root


def _alembic(engine: sa.Engine, data: sa.MetaData) -> None:
    options = {
        "include_schemas": True,
        "compare_type": True,
        "compare_server_default": True,
        "include_name": lambda name, kind, _: kind != "schema" or name == data.schema,
    }
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection, opts=options), data)
    assert not found, found[:3]


def run(server: OwnedServer) -> Section:
    """Both layers are applied first; the plain one has no guard, so that both tools compare the same objects."""
    cache = Path(tempfile.mkdtemp())
    rows, share = [], {}
    for title, tenants in (("the same objects", False), ("with tenancy and roles", True)):
        data, root = model("guarded" if tenants else "plain")
        guards = (Tenancy(root=root), Roles()) if tenants else (Tenancy(root=None, exempt={"*": "a benchmark"}),)
        layer = DataLayer(data, *guards, name=f"bench_{'g' if tenants else 'p'}")
        with server.connect(_database(server, layer.name), autocommit=True) as connection:
            apply_layer(connection, layer.declared, cache=cache)
            url = server.url(layer.name).replace("postgresql://", "postgresql+psycopg://")
            engine = sa.create_engine(url)

            def warm(layer: DataLayer = layer, guards: tuple[object, ...] = guards) -> float:
                fresh = DataLayer(layer.metadata, *guards, name=layer.name)
                return wall(lambda: plan_layer(connection, fresh.declared, cache=cache))

            def cold(layer: DataLayer = layer) -> float:
                return wall(lambda: plan_layer(connection, layer.declared))

            found = interleaved(
                {
                    "plan": warm,
                    "first plan": cold,
                    "alembic": partial(wall, partial(_alembic, engine, data)),
                },
                ROUNDS,
            )
            engine.dispose()
        share[title] = statistics.median(ratios(found, "plan", "alembic"))
        for name in ("plan", "first plan"):
            rows.append(
                (
                    title,
                    str(len(layer.declared.objects)),
                    name,
                    spread(found[name]),
                    spread(found["alembic"]),
                    spread(ratios(found, name, "alembic")),
                )
            )
    reached = share["the same objects"] <= 0.25
    return Section(
        title="Plan of an unchanged 500-table model",
        method=f"{TABLES} tables, {ROUNDS} interleaved rounds, seconds by the clock, min / **median** / max. "
        f"*Plan* compiles the "
        "declaration, reads the catalog and compares; the declared state was built before and comes from the "
        "cache. *First "
        "plan* builds it in a scratch database. Alembic is its autogenerate comparison with types and defaults.",
        columns=("model", "objects compared", "what", "seconds", "Alembic, seconds", "share of Alembic's time"),
        rows=rows,
        verdict=f"Goal: at most a quarter of Alembic's time for an unchanged model: "
        f"{'reached' if reached else 'not reached'} "
        f"({share['the same objects']:.2f}; with policies, grants and triggers compared as well "
        f"{share['with tenancy and roles']:.2f}).",
    )


def _database(server: OwnedServer, name: str) -> str:
    with server.connect(autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    return name
