"""Runs every variant in processes of its own, interleaved, at several round trips."""

from __future__ import annotations

import multiprocessing
import os
import re
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from benchmarks.measure import Section, interleaved
from benchmarks.transaction.delay import compiler, delayed
from benchmarks.transaction.shop import KEYS, LOGIN, NAME, PASSWORD, ROWS, TENANTS, build
from benchmarks.transaction.variants import VARIANTS
from freehold.runtime.context import Backend, Context, sign
from freehold.servers import OwnedServer

ROUND_TRIPS = (0.0, 0.0005, 0.002)
CLIENTS = (1, 4)
ROUNDS = 5
SECONDS = 1.0
WARM = 60
REFERENCE = "SQLAlchemy Core"
LIMIT = "pgbench, pipeline, 2 round trips"
SIGNED_LIMIT = "pgbench, pipeline, 2 round trips, signed context"
SCRIPTS = Path(__file__).parent


def run(server: OwnedServer) -> Section:
    """Every variant at every round trip and number of clients."""
    build(server)
    columns: dict[str, Mapping[str, list[float]]] = {}
    for seconds in ROUND_TRIPS:
        if seconds and compiler() is None:
            continue
        with _address(server, seconds) as address:
            for clients in CLIENTS:
                columns[_label(seconds, clients)] = interleaved(_variants(server, address, clients), ROUNDS)
    return _section(columns)


def _label(seconds: float, clients: int) -> str:
    where = f"{seconds * 1000:g} ms" if seconds else "socket"
    return f"{where}, {clients} client{'s' if clients > 1 else ''}"


@contextmanager
def _address(server: OwnedServer, seconds: float) -> Iterator[str]:
    with ExitStack() as stack:
        if not seconds:
            yield server.conninfo(NAME, user=LOGIN, password=PASSWORD, socket=True)
            return
        port = stack.enter_context(delayed(server.port, seconds))
        yield f"host=127.0.0.1 port={port} dbname={NAME} user={LOGIN} password={PASSWORD}"


def _variants(server: OwnedServer, address: str, clients: int) -> dict[str, Callable[[], float]]:
    found: dict[str, Callable[[], float]] = {
        name: partial(_rate, open_variant, address, clients) for name, open_variant in VARIANTS.items()
    }
    found[LIMIT] = partial(_pgbench, server, "usual.pgbench", address, clients)
    found[SIGNED_LIMIT] = partial(_pgbench, server, "signed.pgbench", address, clients)
    return found


def _rate(open_variant: Callable[[str], Any], address: str, clients: int) -> float:
    """Seconds a transaction, over all clients, each a process of its own."""
    context = multiprocessing.get_context("fork")
    barrier, counts = context.Barrier(clients), context.Queue()
    workers = [context.Process(target=_client, args=(open_variant, address, barrier, counts)) for _ in range(clients)]
    for worker in workers:
        worker.start()
    done: int = sum(counts.get(timeout=30) for _ in workers)
    for worker in workers:
        worker.join()
    return SECONDS / done


def _client(open_variant: Callable[[str], Any], address: str, barrier: Barrier, counts: Any) -> None:
    work = open_variant(address)
    work(WARM)
    barrier.wait()
    done, until = 0, time.perf_counter() + SECONDS
    while time.perf_counter() < until:
        work(10)
        done += 10
    counts.put(done)
    counts.close()
    counts.join_thread()
    os._exit(0)  # no library's clean-up belongs to the measurement


def _pgbench(server: OwnedServer, script: str, address: str, clients: int) -> float:
    token = sign(KEYS.signing, Context("1", "bench"), Backend(), lifetime=3600)
    command = [
        *(server.binaries.program("pgbench"), "--no-vacuum", "--protocol=prepared", f"--client={clients}"),
        *(f"--jobs={min(clients, 2)}", f"--time={max(1, round(SECONDS))}", f"--file={SCRIPTS / script}"),
        *(f"--define=tenants={TENANTS}", f"--define=rows={ROWS}", f"--define=token={token}", address),
    ]
    said = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}).stdout
    rate = re.search(r"^tps = ([0-9.]+)", said, re.MULTILINE)
    assert rate is not None, said
    return 1 / float(rate[1])


def _section(columns: Mapping[str, Mapping[str, list[float]]]) -> Section:
    names = list(next(iter(columns.values())))
    rows = [(name, *(_speed(found, name, REFERENCE) for found in columns.values())) for name in names]
    return Section(
        title="One tenant-scoped transaction",
        method=f"Bind the tenant, read one order by its key, insert a line, update a stock row, commit; speed against "
        f"*{REFERENCE}* with its event-hook recipe, min / **median** / max of {ROUNDS} interleaved rounds of "
        f"{SECONDS:g} s, every client a process. Round trips are made by a proxy that delivers each byte later; "
        f"fsync is on. "
        f"Freehold and *{SIGNED_LIMIT}* verify a signed context; the others trust a bare setting.",
        columns=("variant", *columns),
        rows=rows,
        verdict=_verdict(columns),
    )


def _speed(found: Mapping[str, list[float]], of: str, to: str) -> str:
    ratios = [b / a for a, b in zip(found[of], found[to], strict=True)]
    return f"{min(ratios):.2f} / **{statistics.median(ratios):.2f}** / {max(ratios):.2f}"


def _verdict(columns: Mapping[str, Mapping[str, list[float]]]) -> str:
    parts = []
    for label, found in columns.items():
        against = {name: _speed(found, "Freehold, fast path", name) for name in (LIMIT, SIGNED_LIMIT)}
        keyed = _speed(found, "Freehold, fast path, db.run with a key", "Freehold, fast path")
        orm = _speed(found, "Freehold, ORM session", "SQLAlchemy ORM")
        parts.append(
            f"- {label}: fast path to pgbench {against[LIMIT]}, with the same signed context {against[SIGNED_LIMIT]}; "
            f"ORM session to SQLAlchemy's ORM {orm}; retries, key and outcome leave {keyed} of the fast path's speed."
        )
    return "\n".join(parts)
