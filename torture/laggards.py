"""Replicas that stand still, lag and stall in turn, while somebody reads from them."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from freehold.kernel.template import read_sql
from freehold.servers import OwnedServer
from freehold.servers.disposable import replica_of
from torture.ground import Ground

SHORTEST, LONGEST = 0.05, 0.8
"""Seconds for which a replica stays as it is."""
APPLY_DELAY = "150ms"
WAYS = ("keeps up", "keeps up", "replay paused", "replay delayed", "replay stopped", "receiver stopped")

Undo = Callable[[], object]


@dataclass
class Laggard:
    """One replica, and what has been done to it."""

    server: OwnedServer
    database: str
    draw: random.Random
    ways: Counter[str] = field(default_factory=Counter)
    over: threading.Event = field(default_factory=threading.Event)

    def trouble(self) -> None:
        """Put it into one state after the other until that is over; then it keeps up again."""
        with self.server.connect(self.database, autocommit=True) as admin:
            while not self.over.is_set():
                way = self.draw.choice(WAYS)
                self.ways[way] += 1
                undo = _enter(admin, way)
                try:
                    self.over.wait(self.draw.uniform(SHORTEST, LONGEST))
                finally:
                    undo()


def _enter(admin: psycopg.Connection[Any], way: str) -> Undo:
    if way == "replay paused":
        admin.execute("SELECT pg_wal_replay_pause()")
        return lambda: admin.execute("SELECT pg_wal_replay_resume()")
    if way == "replay delayed":
        _set_delay(admin, APPLY_DELAY)
        return lambda: _set_delay(admin, "0")
    if way in {"replay stopped", "receiver stopped"}:
        return _stop(admin, "startup" if way == "replay stopped" else "walreceiver")
    return lambda: None


def _set_delay(admin: psycopg.Connection[Any], delay: str) -> None:
    admin.execute(sql.SQL("ALTER SYSTEM SET recovery_min_apply_delay = {}").format(sql.Literal(delay)))
    admin.execute("SELECT pg_reload_conf()")


def _stop(admin: psycopg.Connection[Any], process: str) -> Undo:
    pids = [pid for (pid,) in admin.execute(read_sql("torture", "read_replay_process"), (process,)).fetchall()]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    return lambda: _wake(pids)


def _wake(pids: Sequence[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):  # a receiver that the primary had given up on
            os.kill(pid, signal.SIGCONT)


@contextmanager
def laggards(where: Ground, count: int, seed: int) -> Iterator[list[Laggard]]:
    """Replicas of the ground, each in trouble until the block ends."""
    with ExitStack() as stack:
        made = [
            Laggard(
                stack.enter_context(replica_of(where.server, name=f"laggard{n}")),
                where.database,
                random.Random(f"{seed} {n}"),
            )
            for n in range(count)
        ]
        yield made


@contextmanager
def in_trouble(replicas: list[Laggard]) -> Iterator[None]:
    """Trouble them all until the block ends."""
    threads = [threading.Thread(target=each.trouble) for each in replicas]
    for each in replicas:
        each.over.clear()
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for each in replicas:
            each.over.set()
        for thread in threads:
            thread.join()
