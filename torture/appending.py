"""The clients of the append harness: threads and tasks that append to lists and read them, and log all they see."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import array, insert

from freehold import AsyncDatabase, Database
from freehold.errors import CommitUnknown
from freehold.runtime.workload import Workload
from torture.ground import TENANT, WHO, Failures, Ground
from torture.history import Status, Transaction, append, read
from torture.model import LIST

ACTIVE_KEYS = 16
LONGEST = 24
"""Appends after which a key is left for a new one."""
ORM_EVERY = 6
"""One client in so many uses the ORM's session; the others go the fast path."""

_KEY = sa.bindparam("key", type_=sa.BigInteger)
_ELEMENT = sa.bindparam("element", type_=sa.BigInteger)
_WHOLE = sa.bindparam("whole", type_=LIST.c.elements.type)
_LONGER = sa.func.array_append(LIST.c.elements, _ELEMENT)
READ = sa.select(LIST.c.elements).where(LIST.c.id == _KEY)
UPDATE = sa.update(LIST).where(LIST.c.id == _KEY).values(elements=_LONGER)
OVERWRITE = sa.update(LIST).where(LIST.c.id == _KEY).values(elements=_WHOLE)
INSERT = sa.insert(LIST).values(tenant_id=TENANT, id=_KEY, elements=array([_ELEMENT]))
UPSERT = (
    insert(LIST)
    .values(tenant_id=TENANT, id=_KEY, elements=array([_ELEMENT]))
    .on_conflict_do_update(index_elements=[LIST.c.tenant_id, LIST.c.id], set_={"elements": _LONGER})
)


class Step(Enum):
    """What a client does with a key."""

    READ = "read"
    UPSERT = "upsert"
    UPDATE = "update"
    OVERWRITE = "overwrite"  # writes back the whole list that it read: wrong at read committed


Plan = Sequence[tuple[Step, int]]
Talk = Generator[tuple[sa.Executable, Mapping[str, Any]], Any, None]
"""Statements to run with their parameters, each answered with its result."""


@dataclass
class Keys:
    """The keys in use: few, so that clients meet, and each for a while only, so that lists stay short."""

    first: int
    appended: dict[int, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def draw(self, draw: random.Random, *, appends: bool) -> int:
        """A key for the next step."""
        with self.lock:
            while len(self.appended) < ACTIVE_KEYS:
                self.appended[self.first] = 0
                self.first += 1
            key = draw.choice(list(self.appended))
            self.appended[key] += appends
            if self.appended[key] >= LONGEST:
                del self.appended[key]
            return key


@dataclass
class Clients:
    """How many there are, and what they share."""

    count: int
    size: int
    keys: Keys
    draw: random.Random
    workload: str
    steps: Sequence[Step]
    committed: int = 0

    def plan(self, draw: random.Random) -> Plan:
        """One to four steps, half of them reads."""
        kinds = [draw.choice(self.steps) if draw.random() < 0.5 else Step.READ for _ in range(draw.randint(1, 4))]
        return [(kind, self.keys.draw(draw, appends=kind is not Step.READ)) for kind in kinds]


@dataclass
class Log:
    """What one client saw."""

    process: int
    clients: Clients
    draw: random.Random
    attempts: list[Transaction] = field(default_factory=list)
    drawn: int = 0

    @property
    def orm(self) -> bool:
        """Whether this client uses the ORM's session."""
        return self.process % ORM_EVERY == 0

    def element(self) -> int:
        """A number that nobody else appends."""
        self.drawn += 1
        return self.drawn * self.clients.count + self.process

    def begin(self) -> Transaction:
        """A new attempt; the one before it has failed."""
        self.settle(Status.FAIL)
        self.attempts.append(Transaction([], Status.INFO, self.process, time.monotonic_ns()))
        return self.attempts[-1]

    def settle(self, status: Status) -> None:
        """What became of the last attempt, unless that is known."""
        if self.attempts and self.attempts[-1].status is Status.INFO and not self.attempts[-1].ended:
            self.attempts[-1].status = status
            self.attempts[-1].ended = time.monotonic_ns()

    def told(self, error: BaseException | None) -> None:
        """The end of a call: its last attempt is committed, failed, or unknown."""
        if error is None:
            self.settle(Status.OK)
            self.clients.committed += 1
        else:
            self.settle(Status.INFO if isinstance(error, CommitUnknown) else Status.FAIL)


def talk(plan: Plan, log: Log) -> Talk:
    """One attempt at a plan; what it asks for is noted before, what it reads after."""
    attempt = log.begin()
    for kind, key in plan:
        elements: list[int] = []
        if kind in (Step.READ, Step.OVERWRITE):
            answer = yield READ, {"key": key}
            elements = answer.scalar_one_or_none() or []
            attempt.operations.append(read(key, elements))
        if kind is not Step.READ:
            element = log.element()
            attempt.operations.append(append(key, element))
            yield from _write(kind, key, element, elements)


def _write(kind: Step, key: int, element: int, elements: list[int]) -> Talk:
    values = {"key": key, "element": element}
    if kind is Step.OVERWRITE and elements:
        yield OVERWRITE, {"key": key, "whole": [*elements, element]}
    elif kind is Step.UPDATE:
        answer = yield UPDATE, values
        if not answer.rowcount:
            # Somebody may insert it at the same time: that key was derived from what this transaction saw.
            yield INSERT, values
    else:
        yield UPSERT, values


def carry(handle: Any, plan: Plan, log: Log) -> None:
    """Run a plan in a transaction."""
    talking, answer = talk(plan, log), None
    while (asked := _next(talking, answer)) is not None:
        answer = handle.execute(*asked)


async def carry_async(handle: Any, plan: Plan, log: Log) -> None:
    """The same under asyncio."""
    talking, answer = talk(plan, log), None
    while (asked := _next(talking, answer)) is not None:
        answer = await handle.execute(*asked)


def _next(talking: Talk, answer: Any) -> tuple[sa.Executable, Mapping[str, Any]] | None:
    """The next statement of a talk, or None at its end."""
    try:
        return talking.send(answer)
    except StopIteration:
        return None


def work(db: Database, log: Log) -> None:
    """A client in a thread."""
    run: Callable[..., None] = db.run if log.orm else db.run_core
    clients = log.clients
    while clients.committed < clients.size:
        try:
            run(carry, clients.plan(log.draw), log, workload=clients.workload, **WHO)
            log.told(None)
        except Failures as error:
            log.told(error)


async def work_async(db: AsyncDatabase, log: Log) -> None:
    """A client in a task."""
    run: Callable[..., Any] = db.run if log.orm else db.run_core
    clients = log.clients
    while clients.committed < clients.size:
        try:
            await run(carry_async, clients.plan(log.draw), log, workload=clients.workload, **WHO)
            log.told(None)
        except Failures as error:
            log.told(error)


def record(where: Ground, clients: Clients, workloads: Sequence[Workload], *, pooled_url: str) -> list[Transaction]:
    """Let them work until enough is committed; gives all attempts in the order in which they began."""
    logs = [Log(number, clients, random.Random(clients.draw.random())) for number in range(clients.count)]
    threads, tasks = logs[::2], logs[1::2]
    with ThreadPoolExecutor(len(threads) + 1) as pool:
        db = where.connect(workloads=workloads, pool_size=len(threads))
        loop = pool.submit(asyncio.run, _tasks(where, pooled_url, workloads, tasks))
        futures = [pool.submit(work, db, log) for log in threads]
        for future in [*futures, loop]:
            future.result()
        db.dispose()
    attempts = [attempt for log in logs for attempt in log.attempts]
    return sorted(attempts, key=lambda attempt: attempt.started)


async def _tasks(where: Ground, url: str, workloads: Sequence[Workload], logs: Sequence[Log]) -> None:
    db = await where.connect_async(url, workloads=workloads, pool_size=len(logs))
    try:
        await asyncio.gather(*(work_async(db, log) for log in logs))
    finally:
        await db.dispose()
