"""TPC-C's twelve consistency conditions, after every one of the crashes that its load goes through."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import ExitStack

import psycopg

from freehold import Database
from freehold.runtime.workload import Retry, Workload
from torture.crashes import storm
from torture.ground import TENANT, Ground, ground
from torture.result import Result
from torture.tpcc import transactions
from torture.tpcc.conditions import NUMBERS, broken, seen_when_broken
from torture.tpcc.load import SIZE, load
from torture.tpcc.model import layer
from torture.tpcc.terminal import Terminal

TERMINALS = 8
EACH = 200
"""Transactions that are acknowledged between two crashes."""
PATIENT = Retry(attempts=100, seconds=30.0)
WORKLOADS = (
    Workload(transactions.ORDER, retry=PATIENT),
    Workload(transactions.DELIVERY, isolation="repeatable read", retry=PATIENT),
    Workload(transactions.READ, isolation="repeatable read", read_only=True, retry=PATIENT),
)


def run(size: int, seed: int) -> Result:
    """``size`` crashes."""
    with ground(layer(), durable=True) as where:
        return attack(where, size, seed)


def attack(where: Ground, crashes: int, seed: int, *, each: int = EACH) -> Result:
    """Load, kill, look; then break each condition once and look again."""
    started = time.monotonic()
    with where.admin() as connection:
        load(connection, TENANT)
    wrong: list[str] = []
    look = _looker(where, wrong)
    look()
    with ExitStack() as stack:
        db: Database = where.connect(workloads=WORKLOADS, pool_size=TERMINALS)
        stack.callback(db.dispose)
        workers = [Terminal(db, random.Random(f"{seed} {number}")).work for number in range(TERMINALS)]
        tally = storm(where.server, workers, crashes=crashes, each=each, draw=random.Random(seed), after_crash=look)
    look()
    wrong += [f"{what} ({count} times)" for what, count in tally.unexpected.items()]
    with where.admin() as connection:
        caught = sum(seen_when_broken(connection, number) for number in NUMBERS)
    return Result(
        name="tpcc",
        size=tally.crashes,
        seed=seed,
        violations=len(wrong),
        seconds=time.monotonic() - started,
        defects_seeded=len(NUMBERS),
        defects_caught=caught,
        notes="; ".join(wrong[:3])
        or f"crashes under load of {TERMINALS} terminals, {tally.acknowledged:,} transactions acknowledged, "
        f"{tally.unknown} unknown; 12 conditions held after each crash",
    )


def _looker(where: Ground, wrong: list[str]) -> Callable[[], None]:
    """Looks at all conditions in one snapshot, beside the load."""

    def look() -> None:
        with where.admin() as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            for number, rows in broken(connection, SIZE).items():
                wrong.append(f"condition {number}: {rows[0]}")

    return look
