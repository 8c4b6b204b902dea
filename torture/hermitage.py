"""Hermitage through our transactions: 14 schedules at 3 levels, sync and async, direct and through PgBouncer."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from freehold.kernel.template import read_sql
from freehold.runtime.workload import Workload
from freehold.servers.pooler import pooler_for
from torture.ground import TENANT, Failures, Ground, ground, state_of
from torture.model import insert_company, layer
from torture.result import Result
from torture.schedules import CASES, LEVELS, RC, RR, SER, START, Case, Ending, Expected, Level, Rows, Step, Told
from torture.sessions import Opener, Session, TaskSession, ThreadSession

PATIENCE = 10.0
"""Seconds after which a step that neither ends nor waits for a lock is a violation."""
GLANCE = 0.002
"""Seconds between two looks at a step that has not ended; nothing is concluded from their passing."""
WORKLOADS = tuple(Workload(level, isolation=level) for level in LEVELS)
WEAKER: dict[Level, Level] = {RR: RC, SER: RR}
"""The seeded defects: what is called by the first name runs at the second."""


@dataclass
class Play:
    """One case at one level: its sessions, and what was not as it must be."""

    opener: Opener
    watcher: psycopg.Connection[Any]
    level: Level
    runs_at: Level
    sessions: dict[str, Session] = field(default_factory=dict)
    waiting: dict[str, Future[Rows | None]] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)

    def run(self, case: Case) -> list[str]:
        """Play it to its end; gives what differed from what is expected."""
        reset(self.watcher)
        try:
            for step in case.steps:
                self._take(step)
        finally:
            self._leave()
        found = table(self.watcher)
        if found != case.left[self.level]:
            self.wrong.append(f"left {found} and not {case.left[self.level]}")
        return [f"{case.name} at {self.level}: {wrong}" for wrong in self.wrong]

    def _take(self, step: Step) -> None:
        expected = step.expected(self.level)
        told = Told.GONE if step.session in self.ended else self._told(step)
        if told != expected:
            self.wrong.append(f"{step.session} was told {told} and not {expected}")

    def _told(self, step: Step) -> Expected:
        if step.action is None:
            future = self.waiting.pop(step.session, None)
            return self._outcome(step.session, future) if future else Told.DONE
        if step.session in self.waiting:
            return Told.BLOCKED
        if step.session not in self.sessions:
            self.sessions[step.session] = self.opener(self.runs_at)
        future = self.sessions[step.session].order(step.action)
        if isinstance(step.action, Ending):
            self.ended.add(step.session)
        return self._outcome(step.session, future)

    def _outcome(self, session: str, future: Future[Rows | None]) -> Expected:
        """Rows, an end, a refusal, or that the server says it waits for a lock of another session."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                rows = future.result(GLANCE)
            except TimeoutError:
                if self._blocked() and not future.done():
                    self.waiting[session] = future
                    return Told.BLOCKED
            except Failures as error:
                self.ended.add(session)
                if state_of(error) == Told.REFUSED.value:
                    return Told.REFUSED
                self.wrong.append(f"{session} failed: {error!r}")
                return Told.GONE
            else:
                return Told.DONE if rows is None else rows
        raise TimeoutError(f"{session} neither ended nor waited for a lock")

    def _blocked(self) -> bool:
        """Whether a session waits that did not wait before."""
        found = self.watcher.execute(read_sql("torture", "count_blocked")).fetchone()
        return found is not None and found[0] > len(self.waiting)

    def _leave(self) -> None:
        """End every transaction that the schedule left open, those that others wait for first."""
        last = sorted(self.sessions.keys() - self.ended, key=lambda name: name in self.waiting)
        for name in last:
            future = self.sessions[name].order(Ending.ROLLBACK)
            if name in self.waiting:
                self.waiting.pop(name).exception(PATIENCE)
            if not future.done():
                _wait(future)


def _wait(future: Future[Rows | None]) -> None:
    """Wait for a session's end; one whose statement failed has ended without taking the order."""
    deadline = time.monotonic() + 0.2
    while not future.done() and time.monotonic() < deadline:
        time.sleep(GLANCE)


def reset(watcher: psycopg.Connection[Any]) -> None:
    """The two rows that every case begins with."""
    with watcher.transaction():
        watcher.execute(read_sql("torture", "delete_test"))
        for key, value in START:
            watcher.execute(read_sql("torture", "insert_test"), (TENANT, key, value))


def table(watcher: psycopg.Connection[Any]) -> Rows:
    """All rows."""
    return tuple((key, value) for key, value in watcher.execute(read_sql("torture", "read_test")).fetchall())


@contextmanager
def event_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def paths(where: Ground, *, pooled: bool = True) -> Iterator[dict[str, Opener]]:
    """The ways to our transactions, each by its name."""
    with ExitStack() as stack:
        urls = {"direct": where.url}
        if pooled:
            pooler = stack.enter_context(pooler_for(where.server))
            urls["pooled"] = pooler.url(where.database, user=where.login, password=where.password)
        loop = stack.enter_context(event_loop())
        found: dict[str, Opener] = {}
        for name, url in urls.items():
            found[f"sync {name}"] = _sync(where, url, stack)
            found[f"async {name}"] = _async(where, url, stack, loop)
        yield found


def _sync(where: Ground, url: str, stack: ExitStack) -> Opener:
    db = where.connect(url, workloads=WORKLOADS)
    stack.callback(db.dispose)
    return lambda workload: ThreadSession(db, workload)


def _async(where: Ground, url: str, stack: ExitStack, loop: asyncio.AbstractEventLoop) -> Opener:
    db = asyncio.run_coroutine_threadsafe(where.connect_async(url, workloads=WORKLOADS), loop).result()
    stack.callback(lambda: asyncio.run_coroutine_threadsafe(db.dispose(), loop).result())
    return lambda workload: TaskSession(db, workload, loop)


def prepare(where: Ground) -> None:
    """The tenant whose rows the cases use."""
    with where.admin() as connection:
        insert_company(connection, TENANT)


def run(size: int, seed: int) -> Result:
    """All cases on all paths, and again with levels weaker than their names: fewer would not show every defect."""
    with ground(layer()) as where:
        return attack(where, CASES, seed)


def attack(where: Ground, cases: tuple[Case, ...], seed: int, *, pooled: bool = True) -> Result:
    """Play the cases on this ground."""
    prepare(where)
    started = time.monotonic()
    wrong: list[str] = []
    caught = seeded = played = 0
    with paths(where, pooled=pooled) as openers, where.admin() as watcher:
        for opener in openers.values():
            for level in LEVELS:
                for case in cases:
                    wrong += Play(opener, watcher, level, level).run(case)
                    played += 1
            for level, weaker in WEAKER.items():
                seeded += 1
                caught += any(Play(opener, watcher, level, weaker).run(case) for case in cases)
    return Result(
        name="hermitage",
        size=played,
        seed=seed,
        violations=len(wrong),
        seconds=time.monotonic() - started,
        defects_seeded=seeded,
        defects_caught=caught,
        notes="; ".join(wrong[:3]) or f"paths: {', '.join(openers)}",
    )
