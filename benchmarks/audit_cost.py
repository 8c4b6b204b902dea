"""The audit: what an entry costs, whether sealing holds writers up, and how fast entries are judged."""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa

from benchmarks.measure import Section, interleaved, ratios, server_cpu, spread, wall
from freehold import Audit, DataLayer, Roles, Tenancy
from freehold.operations import apply_layer
from freehold.rooms.audit.anchor import FileAnchor
from freehold.rooms.audit.keys import make_key, read_private, read_public
from freehold.rooms.audit.sealing import seal
from freehold.rooms.audit.verifier import verify
from freehold.servers import OwnedServer

ROWS, SINGLE, ROUNDS = 10_000, 500, 5
JUDGED = 200_000
CLIENTS, SECONDS = 8, 4.0
DATABASE = "bench_audit"


def run(server: OwnedServer) -> Section:
    """Entries, seals and judgement."""
    layer = _layer()
    with server.connect(autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {DATABASE}".encode())
    with tempfile.TemporaryDirectory() as folder, server.connect(DATABASE, autocommit=True) as connection:
        apply_layer(connection, layer.declared)
        make_key(Path(folder) / "key")
        key, anchor = read_private(Path(folder) / "key"), FileAnchor(Path(folder) / "anchor")
        for table in ("kept", "bare"):
            fill = f"INSERT INTO audited.{table} SELECT i, 0, 'some text' FROM generate_series(1, {ROWS}) AS i"
            connection.execute(fill.encode())
        found = interleaved(
            {f"{size}|{table}": _update(connection, table, size) for size in (1, ROWS) for table in ("kept", "bare")},
            ROUNDS,
        )
        beside = interleaved(
            {
                "alone": lambda: _writers(server, lambda: None),
                "beside": lambda: _writers(server, lambda: seal(connection, key, anchor)),
            },
            ROUNDS,
        )
        connection.execute(
            f"INSERT INTO audited.kept SELECT i + {ROWS}, 0, 'x' FROM generate_series(1, {JUDGED}) AS i".encode()
        )
        sealing = wall(lambda: seal(connection, key, anchor))
        public_key = read_public(Path(folder) / "key.pub")
        judging = [wall(lambda: verify(connection, anchor, [public_key])) for _ in range(3)]
        entries = verify(connection, anchor, [public_key]).entries
    rows = [
        ("update of one row in a transaction, with audit", spread(ratios(found, "1|kept", "1|bare")), "times without"),
        (
            f"update of {ROWS:,} rows, with audit",
            spread(ratios(found, f"{ROWS}|kept", f"{ROWS}|bare")),
            "times without",
        ),
        (
            f"{CLIENTS} writers for {SECONDS:.0f} s beside a sealer that never rests",
            spread(ratios(beside, "beside", "alone")),
            "of their throughput without it",
        ),
        (f"sealing {JUDGED:,} entries", f"**{JUDGED / sealing:,.0f}**", "entries a second"),
        (f"judging {entries:,} entries", f"**{entries / statistics.median(judging):,.0f}**", "entries a second"),
    ]
    return Section(
        title="Audit",
        method="Tables of three columns, with and without `Audit`; server CPU of the backend for the first two lines, "
        f"committed updates a second for the third, {ROUNDS} interleaved rounds, min / **median** / max; seconds by "
        "the clock for the last two.",
        columns=("what", "figure", "unit"),
        rows=rows,
        verdict="The sealer takes CPU from the writers, with whom it shares two cores, and no lock that they meet.",
    )


def _update(connection: psycopg.Connection[Any], table: str, size: int) -> Callable[[], float]:
    text = f"UPDATE audited.{table} SET amount = amount + 1 WHERE id BETWEEN %s AND %s".encode()

    def work() -> float:
        before = server_cpu(connection)
        if size == 1:
            for number in range(1, SINGLE + 1):
                connection.execute(text, (number, number))
        else:
            connection.execute(text, (1, size))
        return server_cpu(connection) - before

    return work


def _writers(server: OwnedServer, beside: Callable[[], object]) -> float:
    """Committed updates a second."""
    over, done = time.monotonic() + SECONDS, [0] * CLIENTS

    def write(number: int) -> None:
        with server.connect(DATABASE, autocommit=True) as connection:
            while time.monotonic() < over:
                connection.execute("UPDATE audited.kept SET amount = amount + 1 WHERE id = %s", (number + 1,))
                done[number] += 1

    threads = [threading.Thread(target=write, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    while time.monotonic() < over:
        beside()
        time.sleep(0.05)
    for thread in threads:
        thread.join()
    return sum(done) / SECONDS


def _layer() -> DataLayer:
    data = sa.MetaData(schema="audited")
    kept, _ = (
        sa.Table(
            name,
            data,
            sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
            sa.Column("amount", sa.Integer, nullable=False),
            sa.Column("note", sa.Text),
        )
        for name in ("kept", "bare")
    )
    return DataLayer(
        data, Tenancy(root=None, exempt={"*": "a benchmark"}), Roles(), Audit(kept, admin=False), name="bench_audit"
    )
