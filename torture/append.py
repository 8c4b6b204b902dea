"""List-append transactions of many clients at one level, and the verdict of the checker on what they saw."""

from __future__ import annotations

import gc
import random
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack

from freehold.runtime.workload import Isolation, Retry, Workload
from freehold.servers.pooler import pooler_for
from freehold.servers.settings import Settings
from torture.appending import Clients, Keys, Step, record
from torture.elle import FORBIDDEN, Anomaly, check
from torture.ground import TENANT, Ground, ground
from torture.history import History, Status, Transaction
from torture.model import insert_company, layer
from torture.planting import PLANTS, planted
from torture.result import Result

# Deadlocks are part of the load; the server's one second until it looks for them would be most of the time.
SETTINGS: Settings = {"deadlock_timeout": "20ms", "max_connections": 150}
CLIENTS = 24
DEFECT_SIZE = 3_000
"""Transactions in which a defect must show itself."""
RETRY = Retry(attempts=20, seconds=10.0, base=0.002, cap=0.1, derived=frozenset({"list_pkey"}))
WEAKER: dict[Isolation, Isolation] = {"repeatable read": "read committed", "serializable": "repeatable read"}


def run(size: int, seed: int, level: Isolation) -> Result:
    """``size`` committed transactions at this level."""
    with ground(layer(), settings=SETTINGS) as where:
        return attack(where, size, seed, level)


def attack(
    where: Ground, size: int, seed: int, level: Isolation, *, pooled: bool = True, defect_size: int = DEFECT_SIZE
) -> Result:
    """Record a history and check it; then record one with a defect, and plant some."""
    with where.admin() as connection:
        insert_company(connection, TENANT)
    started = time.monotonic()
    history = history_of(where, size, seed, level, pooled=pooled)
    gc.freeze()  # a history is no garbage, and a big one takes long to look through
    checking = time.process_time()
    found = check(history, session_order=True, real_time=True)
    cost = (time.process_time() - checking) / len(history) * 1e6
    gc.unfreeze()
    wrong = forbidden(found, level)
    seen = [
        _defect(where, defect_size, seed, level),
        level != "read committed" or bool(found),
        *_planted(history, seed),
    ]
    return Result(
        name=f"append {level}",
        size=_count(history, Status.OK),
        seed=seed,
        violations=len(wrong),
        seconds=time.monotonic() - started,
        defects_seeded=len(seen),
        defects_caught=sum(seen),
        notes=_notes(history, found, cost, pooled=pooled),
    )


def history_of(
    where: Ground,
    size: int,
    seed: int,
    level: Isolation,
    *,
    pooled: bool = False,
    steps: Sequence[Step] = (Step.UPSERT, Step.UPDATE),
) -> list[Transaction]:
    """What the clients saw: half of them threads, half of them tasks, the tasks through PgBouncer where ``pooled``."""
    with ExitStack() as stack:
        url = where.url
        if pooled:
            pooler = stack.enter_context(pooler_for(where.server))
            url = pooler.url(where.database, user=where.login, password=where.password)
        workloads = (Workload(level, isolation=level, retry=RETRY),)
        with where.admin() as connection:
            first = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM torture.list").fetchone()
        assert first is not None
        clients = Clients(CLIENTS, size, Keys(first[0]), random.Random(seed), level, steps)
        return record(where, clients, workloads, pooled_url=url)


def forbidden(found: Sequence[Anomaly], level: Isolation) -> list[Anomaly]:
    """The anomalies that the level promises not to show."""
    return [anomaly for anomaly in found if anomaly.name in FORBIDDEN[level]]


def _defect(where: Ground, size: int, seed: int, level: Isolation) -> bool:
    """Whether a run that breaks the promise is found: a weaker level, or updates that overwrite what they read."""
    if level in WEAKER:
        history = history_of(where, size, seed, WEAKER[level])
    else:
        history = history_of(where, size, seed, level, steps=(Step.OVERWRITE,))
    return bool(forbidden(check(history, session_order=True, real_time=True), level))


def _planted(history: History, seed: int) -> list[bool]:
    """Of each anomaly planted in what the clients saw, and forbidden everywhere, whether it is found by its name."""
    found = {anomaly.name for anomaly in check(planted(history, random.Random(seed)))}
    return [name in found for name in PLANTS]


def _count(history: History, status: Status) -> int:
    return sum(transaction.status is status for transaction in history)


def _notes(history: History, found: Sequence[Anomaly], cost: float, *, pooled: bool) -> str:
    counts = Counter(anomaly.name for anomaly in found)
    anomalies = ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "no anomaly of any kind"
    return (
        f"{anomalies}; {_count(history, Status.FAIL):,} attempts rolled back, {_count(history, Status.INFO)} unknown; "
        f"{CLIENTS} clients{', half of them through PgBouncer' if pooled else ''}; checker {cost:.0f} µs a transaction"
    )
