"""Whether reads of two servers add up to one history: on a standby they do not (long fork), as snapshots they do."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from psycopg import sql

from freehold import Database
from freehold.events import Event, ReplicaFallback
from freehold.runtime.reading import Mode
from freehold.runtime.workload import Isolation, Workload
from freehold.servers.disposable import replica_of
from torture.appending import LONGEST, READ, UPSERT
from torture.elle import FORBIDDEN, Anomaly, check
from torture.ground import TENANT, WHO, Ground, ground
from torture.history import Status, Transaction, append, read
from torture.model import insert_company, layer
from torture.result import Result

LEVEL: Isolation = "repeatable read"
WRITERS = 4
"""Each appends to a list of its own, so that none waits for another."""
READERS = 4
PART = 10_000
"""Transactions after which the standby's history is looked at for what it must show."""
PARTS = 20
STANDBY = "standby"


@dataclass
class Fork:
    """What the clients of one history share."""

    db: Database
    size: int
    mode: Mode
    first: int
    history: list[Transaction] = field(default_factory=list)
    lists: list[int] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, transaction: Transaction) -> None:
        """A transaction that is committed."""
        transaction.status, transaction.ended = Status.OK, time.monotonic_ns()
        with self.lock:
            self.history.append(transaction)
            if len(self.history) >= self.size:
                self.over.set()

    def write(self, number: int) -> None:
        """Append to the writer's list, and begin another one where it is long."""
        element = 0
        while not self.over.is_set():
            if element % LONGEST == 0:
                self.lists[number] = self.first + WRITERS * (element // LONGEST) + number
            element += 1
            key = self.lists[number]
            made = Transaction([append(key, element)], process=number, started=time.monotonic_ns())
            with self.db.core(workload=LEVEL, **WHO) as tx:
                tx.finish((UPSERT, {"key": key, "element": element}))
            self.note(made)

    def read(self, number: int) -> None:
        """Read all lists in one snapshot; every second reader reads on the primary."""
        mode: Mode = self.mode if number % 2 else "snapshot"
        while not self.over.is_set():
            keys = list(self.lists)
            made = Transaction(process=WRITERS + number, started=time.monotonic_ns())
            with self.db.read_core(workload=LEVEL, mode=mode, **WHO) as reader:
                answers = reader.batch(*((READ, {"key": key}) for key in keys))
            for key, answer in zip(keys, answers, strict=True):
                made.operations.append(read(key, answer.scalar_one_or_none() or []))
            self.note(made)


def record(db: Database, size: int, mode: Mode, first: int) -> list[Transaction]:
    """What all clients saw, in the order in which it began."""
    fork = Fork(db, size, mode, first, lists=[first + number for number in range(WRITERS)])
    with ThreadPoolExecutor(WRITERS + READERS) as pool:
        futures = [pool.submit(fork.write, number) for number in range(WRITERS)]
        futures += [pool.submit(fork.read, number) for number in range(READERS)]
        for future in futures:
            future.result()
    return sorted(fork.history, key=lambda transaction: transaction.started)


def run(size: int, seed: int) -> Result:
    """``size`` transactions with every read in a snapshot; then enough with half of the readers on a standby."""
    settings = {"synchronous_commit": "on", "wal_keep_size": "512MB"}
    with ground(layer(), settings=settings) as where:
        return attack(where, size, seed)


def attack(where: Ground, size: int, seed: int, *, part: int = PART, parts: int = PARTS) -> Result:
    """Record both kinds of history, behind a synchronous standby."""
    with where.admin() as connection:
        insert_company(connection, TENANT)
    told: list[Event] = []
    with replica_of(where.server, name=STANDBY) as standby:
        with where.server.connect(autocommit=True) as connection:
            setting = sql.SQL("ALTER SYSTEM SET synchronous_standby_names = {}")
            connection.execute(setting.format(sql.Literal(STANDBY)))
            connection.execute("SELECT pg_reload_conf()")
        url = standby.url(where.database, user=where.login, password=where.password)
        workloads = (Workload(LEVEL, isolation=LEVEL),)
        db = where.connect(replicas=(url,), workloads=workloads, pool_size=WRITERS + READERS, listener=told.append)
        began = time.monotonic()
        found = forbidden(record(db, size, "snapshot", 1))
        seconds = time.monotonic() - began
        shown, looked = _search(db, part, parts, random.Random(seed))
        db.dispose()
    fallbacks = sum(isinstance(event, ReplicaFallback) for event in told)
    names = ", ".join(f"{name} {count}" for name, count in sorted(Counter(each.name for each in shown).items()))
    return Result(
        name="long fork",
        size=size,
        seed=seed,
        violations=len(found),
        seconds=seconds,
        defects_seeded=1,
        defects_caught=int(bool(shown)),
        notes=f"with half of the readers on a synchronous standby: {names or 'nothing'} in {looked:,} transactions, "
        f"{fallbacks} of them sent to the primary; with snapshots: {len(found)} in {size:,}",
    )


def forbidden(history: Sequence[Transaction]) -> list[Anomaly]:
    """The anomalies that snapshot isolation rules out."""
    return [each for each in check(history) if each.name in FORBIDDEN[LEVEL]]


def _search(db: Database, part: int, parts: int, draw: random.Random) -> tuple[list[Anomaly], int]:
    """Histories with readers on the standby, until one shows that they are not one."""
    first = 1_000_000_000
    for number in range(1, parts + 1):
        first += draw.randint(10_000_000, 20_000_000)
        shown = forbidden(record(db, part, "session", first))
        if shown:
            return shown, number * part
    return [], parts * part
