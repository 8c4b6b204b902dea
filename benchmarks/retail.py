"""The worked example: the whole demo by the clock, and the load against ``psql \\copy`` of the same rows."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import sqlalchemy as sa
from examples.retail.layer import BALANCED_LEDGER, layer
from examples.retail.load import load
from examples.retail.models import Base

from benchmarks.measure import Section, ratios, spread, wall
from freehold import DataLayer, Tenancy
from freehold.cli.keyring import ensure_key
from freehold.operations import apply_layer
from freehold.rooms.roles import set_password
from freehold.servers import OwnedServer, disposable, find_embedded

ROUNDS = 3
SOURCE = Path(__file__).parent.parent / "examples" / "retail" / "data" / "online_retail.parquet"


def run() -> Iterator[Section]:
    """The load first, then the demo."""
    with disposable(
        find_embedded(), settings={"max_wal_size": "4GB", "shared_buffers": "256MB"}, durable=True
    ) as server:
        yield load_ratio(server)
    yield whole_demo()


def load_ratio(server: OwnedServer) -> Section:
    """Load through the layer, copy out what it loaded, and load that with psql into the same tables unguarded."""
    loaded, copied = [], []
    for number in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            loaded.append(_through_the_layer(server, f"layer{number}", Path(folder)))
            copied.append(_by_copy(server, f"copy{number}", Path(folder)))
    found = {"layer": loaded, "copy": copied}
    share = ratios(found, "copy", "layer")
    reached = sorted(share)[len(share) // 2] >= 0.5
    return Section(
        title="Loading 541,909 invoice lines",
        method="Through the layer: read the Parquet file, classify, quarantine, book stock and ledger, as the "
        "application's role "
        "under row security, with history on products and customers, one transaction a tenant and batch. Against "
        "it: `psql "
        "\\copy` of the finished rows of every table, from ready CSV files, into the same tables with the same "
        "keys, constraints "
        f"and ledger trigger, without row security and history. {ROUNDS} rounds in turn, seconds by the clock.",
        columns=("way", "seconds"),
        rows=[("through the layer", spread(loaded)), ("`psql \\copy` of the same rows", spread(copied))],
        verdict=f"Speed against `psql \\copy`: {spread(share)}. Goal: at least 0.5, "
        f"{'reached' if reached else 'not reached'}.",
    )


def _through_the_layer(server: OwnedServer, database: str, folder: Path) -> float:
    _create(server, database)
    with server.connect(database, autocommit=True) as connection:
        apply_layer(connection, layer.declared)
        ensure_key(connection, folder / "keys")
        password = secrets.token_urlsafe(16)
        set_password(connection, f"{layer.name}_app_a", password)
    db = layer.connect(server.url(database, user=f"{layer.name}_app_a", password=password), keys=folder / "keys")
    seconds = wall(lambda: load(db, SOURCE))
    db.dispose()
    with server.connect(database, autocommit=True) as connection:
        for table in _tables():
            columns = ", ".join(column.name for column in table.columns if column.computed is None)
            query = f"COPY (SELECT {columns} FROM {table.fullname}) TO STDOUT (FORMAT csv)"
            with (folder / f"{table.name}.csv").open("wb") as file, connection.cursor().copy(query.encode()) as out:
                for block in out:
                    file.write(block)
    _drop(server, database)
    return seconds


def _by_copy(server: OwnedServer, database: str, folder: Path) -> float:
    _create(server, database)
    bare = DataLayer(Base.metadata, Tenancy(None, exempt={"*": "a benchmark"}), BALANCED_LEDGER, name="bare")
    with server.connect(database, autocommit=True) as connection:
        apply_layer(connection, bare.declared)
    script = folder / "copy.sql"
    script.write_text("BEGIN;\n" + "".join(_copies(folder)) + "COMMIT;\n", encoding="utf-8")
    seconds = wall(lambda: _psql(server, database, script))
    _drop(server, database)
    return seconds


def _copies(folder: Path) -> Iterator[str]:
    for table in _tables():
        columns = ", ".join(column.name for column in table.columns if column.computed is None)
        yield f"\\copy {table.fullname} ({columns}) FROM '{folder / table.name}.csv' (FORMAT csv)\n"


def _psql(server: OwnedServer, database: str, script: Path) -> None:
    program = server.binaries.program("psql")
    environment = {**os.environ, **server.binaries.environment}
    arguments = [program, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", server.conninfo(database), "-f", str(script)]
    subprocess.run(arguments, check=True, env=environment)


def _tables() -> Sequence[sa.Table]:
    return Base.metadata.sorted_tables


def _create(server: OwnedServer, database: str) -> None:
    with server.connect(autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {database}".encode())


def _drop(server: OwnedServer, database: str) -> None:
    with server.connect(autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {database} WITH (FORCE)".encode())


def whole_demo() -> Section:
    """From nothing to a drilled example."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "examples.retail.demo", "--home", folder]
        seconds = wall(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))
    return Section(
        title="The whole example",
        method="`python -m examples.retail.demo` on an empty directory: server, plan, apply, load, reports, "
        "proof, restore drill.",
        columns=("what", "seconds"),
        rows=[("the demo, once", f"{seconds:.0f}")],
        verdict=f"Goal: under 180 s, {'reached' if seconds < 180 else 'not reached'}.",
    )
