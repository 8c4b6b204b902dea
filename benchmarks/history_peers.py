"""History beside others' histories: the same statements on the same columns, in one interleaved run."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module, metadata
from pathlib import Path
from typing import Any, Literal

import psycopg
import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy_continuum import remove_versioning  # type: ignore[import-untyped]

from benchmarks.measure import Section, interleaved, ratios, spread, wall
from benchmarks.peers import django_tables
from freehold import DataLayer, History, Roles, Tenancy
from freehold.operations import apply_layer
from freehold.servers import OwnedServer

UPDATED, INSERTED, SINGLE, OBJECTS, ROUNDS = 50_000, 100_000, 300, 3_000, 5
NEARFORM = "FREEHOLD_BENCH_NEARFORM"
"""The environment variable that names nearform's ``versioning_function.sql``; without it that row is left out."""

FILL = """
INSERT INTO {} (id, tenant_id, name, email, status, amount, note)
SELECT i, 1, 'customer number ' || i, 'c' || i || '@example.com', 'active', i, repeat('n', 40)
FROM generate_series(%s::bigint, %s) AS i
"""
UPDATE = "UPDATE {} SET amount = amount + 1 WHERE id BETWEEN %s AND %s"
BARE = "no history"
OURS: dict[str, tuple[Literal["history", "base"], str | None]] = {
    "Freehold": ("history", None),
    'Freehold, current="base"': ("base", None),
    'Freehold, current="base", born': ("base", "created_at"),
}


@dataclass(frozen=True)
class Table:
    """One table of the comparison, on a connection that commits each statement."""

    name: str
    connection: psycopg.Connection[Any]

    def update(self) -> float:
        """Seconds of one statement over many rows."""
        return self._timed(lambda: self._run(UPDATE, (1, UPDATED)))

    def singles(self) -> float:
        """Seconds of committed updates of one row."""

        def work() -> None:
            for number in range(1, SINGLE + 1):
                self._run(UPDATE, (number, number))

        return self._timed(work)

    def insert(self) -> float:
        """Seconds of one statement that inserts many rows, which are taken away again."""
        seconds = wall(lambda: self._run(FILL, (UPDATED + 1, UPDATED + INSERTED)))
        self._run("DELETE FROM {} WHERE id > %s", (UPDATED,))
        self._run("VACUUM {}")
        return seconds

    def log(self) -> float:
        """Bytes of write-ahead log of one statement over many rows."""
        before = self._position()
        self._run(UPDATE, (1, UPDATED))
        after = self._position()
        self._run("VACUUM {}")
        return float(after - before)

    def fill(self) -> None:
        """The rows that are updated."""
        self._run(FILL, (1, UPDATED))
        self._run("VACUUM ANALYZE {}")

    def _timed(self, work: Callable[[], object]) -> float:
        seconds = wall(work)
        self._run("VACUUM {}")
        return seconds

    def _run(self, text: str, values: tuple[int, ...] = ()) -> None:
        self.connection.execute(text.format(self.name).encode(), values or None)

    def _position(self) -> int:
        row = self.connection.execute("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint").fetchone()
        return int(row[0]) if row else 0


def run(server: OwnedServer) -> Section:
    """Every way, in turn."""
    with server.connect(autocommit=True) as admin:
        admin.execute("CREATE DATABASE bench_peers")
    with server.connect("bench_peers", autocommit=True) as connection:
        tables = _tables(connection)
        for table in tables.values():
            table.fill()
            table.update()
        figures = {
            kind: interleaved({name: getattr(table, kind) for name, table in tables.items()}, ROUNDS)
            for kind in ("update", "log", "insert", "singles")
        }
        objects = interleaved(_objects(server), ROUNDS)
        remove_versioning()
    rows = [(name, *(spread(ratios(found, name, BARE)) for found in figures.values())) for name in tables]
    orm = spread(ratios(objects, "versioned", "plain"))
    rows.append((f"SQLAlchemy-Continuum {metadata.version('SQLAlchemy-Continuum')}, by the ORM", orm, "", "", ""))
    return Section(
        title="History beside others'",
        method=f"Tables of eight columns, a primary key and one index; one UPDATE of {UPDATED:,} rows, one INSERT of "
        f"{INSERTED:,}, and {SINGLE} committed updates of one row. Times are by the clock, without VACUUM; each is "
        f"divided by that of the table without history in the same round; {ROUNDS} interleaved rounds, min / "
        f"**median** / max. django-pghistory {metadata.version('django-pghistory')} records updates and deletions; "
        "nearform's is temporal_tables in PL/pgSQL with an index on the key. SQLAlchemy-Continuum sees the ORM's "
        f"writes alone: {OBJECTS:,} objects flushed, against the same without versions.",
        columns=("history", "update, times", "its WAL, times", "insert, times", "one row, times"),
        rows=rows,
        verdict=_verdict(figures),
    )


def _verdict(figures: dict[str, dict[str, list[float]]]) -> str:
    cheapest = list(OURS)[-1]
    update, log, insert, single = (statistics.median(ratios(found, cheapest, BARE)) for found in figures.values())
    return (
        f"With the current version in its table and a column that says since when: update {update:.2f} (goal 1.6), "
        f"WAL {log:.2f} (goal 1.75), insert {insert:.2f} (goal 1.2), one row {single:.2f} (goal 1.15)."
    )


def _tables(connection: psycopg.Connection[Any]) -> dict[str, Table]:
    data = sa.MetaData(schema="past")
    ours = {name: _table(data, f"kept_{number}") for number, name in enumerate(OURS)}
    bare = _table(data, "bare")
    histories = [History(table, current=OURS[name][0], born=OURS[name][1]) for name, table in ours.items()]
    exempt = Tenancy(root=None, exempt={"*": "a benchmark"})
    apply_layer(connection, DataLayer(data, exempt, Roles(), *histories, name="bench_peers").declared)
    connection.execute("SET search_path = public")  # which the others' triggers rely on
    django_tables.create(connection)
    names = {BARE: bare.fullname, **{name: table.fullname for name, table in ours.items()}}
    names |= {"django-pghistory, statement": "pghistory_statement", "django-pghistory, row": "pghistory_row"}
    names |= _nearform(connection)
    for table in names.values():
        if not table.startswith("past."):
            connection.execute(f"ALTER TABLE {table} ALTER created_at SET DEFAULT clock_timestamp()".encode())
            connection.execute(f"CREATE INDEX ON {table} (tenant_id, status)".encode())
    return {name: Table(table, connection) for name, table in names.items()}


def _nearform(connection: psycopg.Connection[Any]) -> dict[str, str]:
    script = os.environ.get(NEARFORM)
    if not script:
        return {}
    connection.execute(Path(script).read_bytes())
    for text in (
        "CREATE TABLE nearform (LIKE past.bare INCLUDING DEFAULTS)",
        "ALTER TABLE nearform ADD PRIMARY KEY (id)",
        "ALTER TABLE nearform ADD sys_period tstzrange NOT NULL DEFAULT tstzrange(current_timestamp, NULL)",
        "CREATE TABLE nearform_history (LIKE nearform)",
        "CREATE INDEX ON nearform_history (id)",
        "CREATE TRIGGER versioning BEFORE INSERT OR UPDATE OR DELETE ON nearform FOR EACH ROW "
        "EXECUTE FUNCTION versioning('sys_period', 'nearform_history', true)",
    ):
        connection.execute(text.encode())
    return {"nearform temporal_tables": "nearform"}


def _table(data: sa.MetaData, name: str) -> sa.Table:
    return sa.Table(
        name,
        data,
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("tenant_id", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("email", sa.Text),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("amount", sa.Numeric(12, 2), nullable=False),
        sa.Column("note", sa.Text),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.clock_timestamp()),
        sa.Index(f"{name}_status_ix", "tenant_id", "status"),
    )


def _objects(server: OwnedServer) -> dict[str, Callable[[], float]]:
    """Updates of objects through the ORM, with SQLAlchemy-Continuum and without."""
    versioned = import_module("benchmarks.peers.versioned")
    engine = sa.create_engine("postgresql+psycopg://", creator=lambda: server.connect("bench_peers"))
    with engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL search_path = public")
        versioned.Base.metadata.create_all(connection)
    kinds: dict[str, type[Any]] = {"plain": versioned.Plain, "versioned": versioned.Versioned}

    def write(work: Callable[[Session], object]) -> float:
        with Session(engine) as session:
            session.execute(sa.text("SET LOCAL search_path = public"))
            work(session)
            return wall(session.commit)

    def change(session: Session, kind: type[Any]) -> None:
        for each in session.scalars(sa.select(kind)):
            each.amount += 1

    for kind in kinds.values():
        write(lambda session, kind=kind: session.add_all(_new(kind)))  # type: ignore[misc]
    return {
        name: lambda kind=kind: write(lambda session: change(session, kind))  # type: ignore[misc]
        for name, kind in kinds.items()
    }


def _new(kind: type[Any]) -> list[Any]:
    return [kind(id=number, name="x", amount=0) for number in range(OBJECTS)]
