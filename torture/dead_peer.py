"""Connections fall silent in every way while somebody waits on them; the slow ones beside them must be left alone."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
from psycopg import pq, sql
from psycopg.conninfo import make_conninfo

from freehold.errors import CommitUnknown
from freehold.runtime.context import Backend
from freehold.runtime.driver import Connection
from freehold.runtime.peer import Life, Peer, Sight
from freehold.runtime.watchdog import FindPeer, Watchdog, libpq_defaults
from freehold.servers import OwnedServer, disposable, find_embedded
from freehold.testing.proxy import Cut, KillableProxy
from torture.result import Result

LIMIT = 1.5
"""Seconds from the cut to the caller's error, at the 99th percentile (F5)."""
GIVEN_UP = 5.0
"""Seconds after which a cut counts as never noticed."""
TOGETHER = 6
"""Cuts under way at once, each through a proxy of its own."""
SOAK = 1.0
"""Seconds for each cut for which slow and idle connections are watched, at the least."""
LONG = sql.SQL("SELECT pg_sleep(60)")
SHORT = sql.SQL("SELECT 'lost'")
KINDS = ("lost question", "lost answer", "lost commit", "pulled cable", "pooler gone")


@dataclass
class Yard:
    """A server, and a watchdog for its connections."""

    server: OwnedServer
    dog: Watchdog | None
    silent: list[float] = field(default_factory=list)

    def connect(self, conninfo: str, *, pooled: bool = False, autocommit: bool = True) -> Connection:
        """A connection that the watchdog looks after."""
        made = Connection.connect(conninfo, autocommit=autocommit, **libpq_defaults())
        made.backend = Backend(0 if pooled else made.info.backend_pid)
        if self.dog is not None:
            self.dog.watch(made)
        return made

    def seconds(self, kind: str, delay: float) -> float:
        """Cut one connection in one way; seconds until its caller was told, at most :data:`GIVEN_UP`."""
        with KillableProxy(self.server.host, self.server.port) as proxy:
            conninfo = make_conninfo(self.server.conninfo("postgres"), host=proxy.host, port=proxy.port)
            connection = self.connect(conninfo, pooled=kind == "pooler gone", autocommit=kind != "lost commit")
            cut = _CUTS[kind](connection, proxy, delay)
            told: list[float] = []
            caller = threading.Thread(target=_call, args=(connection, kind, told))
            caller.start()
            began = cut()
            caller.join(GIVEN_UP + delay)
            proxy.close()
            caller.join()
            connection.close()
        return told[0] - began


def _call(connection: Connection, kind: str, told: list[float]) -> None:
    """Wait for an answer that never comes, and note when that was told, in the right words."""
    try:
        if kind == "lost commit":
            connection.commit()
        else:
            connection.execute(LONG if kind in {"pulled cable", "pooler gone"} else SHORT)
    except CommitUnknown:
        told.append(time.monotonic() if kind == "lost commit" else float("inf"))
    except psycopg.OperationalError:
        told.append(time.monotonic() if kind != "lost commit" else float("inf"))


def _spring(needle: bytes, how: str) -> Callable[[Connection, KillableProxy, float], Callable[[], float]]:
    """Lose the message that holds these bytes, or its answer."""

    def arm(connection: Connection, proxy: KillableProxy, delay: float) -> Callable[[], float]:
        if not connection.autocommit:
            connection.execute("SELECT 1")
        sprung = getattr(proxy, how)(needle, Cut.SILENCE)

        def wait() -> float:
            assert sprung.wait(GIVEN_UP), "the message never came"
            return time.monotonic()

        return wait

    return arm


def _pull(connection: Connection, proxy: KillableProxy, delay: float) -> Callable[[], float]:
    """Let the whole way fall silent in the middle of a long statement."""

    def cut() -> float:
        time.sleep(delay)
        proxy.refuse()
        proxy.cut(Cut.SILENCE)
        return time.monotonic()

    return cut


_CUTS = {
    "lost question": _spring(b"SELECT 'lost'", "cut_before"),
    "lost answer": _spring(b"SELECT 'lost'", "cut_after"),
    "lost commit": _spring(b"COMMIT", "cut_after"),
    "pulled cable": _pull,
    "pooler gone": _pull,
}


@dataclass
class Soak:
    """Connections that are slow or idle, and must not be ended."""

    yard: Yard
    ended: int = 0
    statements: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let them be slow until the block ends."""
        with self.yard.server.connect("postgres") as holder:
            holder.execute("SELECT pg_advisory_lock(7)")
            threads = [threading.Thread(target=self._slow, args=one) for one in self._kinds()]
            for thread in threads:
                thread.start()
            try:
                yield
            finally:
                self.over.set()
                holder.rollback()
                holder.close()
                for thread in threads:
                    thread.join()

    def _kinds(self) -> Iterator[tuple[sql.SQL, bool, float]]:
        for pooled in (False, True):
            yield sql.SQL("SELECT pg_sleep(3)"), pooled, 0.0
            yield sql.SQL("SELECT pg_sleep(0.45)"), pooled, 0.0
            yield sql.SQL("SELECT 1"), pooled, 2.5
        yield sql.SQL("SELECT pg_advisory_xact_lock_shared(7)"), False, 0.0

    def _slow(self, query: sql.SQL, pooled: bool, pause: float) -> None:
        with self.yard.connect(self.yard.server.conninfo("postgres"), pooled=pooled) as connection:
            while not self.over.wait(pause):
                try:
                    connection.execute(query)
                except psycopg.OperationalError:
                    self.ended += 1
                    return
                self.statements += 1


def run(size: int, seed: int) -> Result:
    """Cut ``size`` connections in turn, and then show the checks three broken watchdogs.

    Raises
    ------
    ServerNotStarted
    """
    began = time.monotonic()
    with disposable(find_embedded(), settings={"max_connections": 100}, in_memory=True) as server:
        yard = Yard(server, Watchdog())
        soak = Soak(yard)
        with soak.running():
            found = _cut_all(yard, size, random.Random(seed))
            time.sleep(max(0.0, SOAK * size - (time.monotonic() - began)))
            soaked = time.monotonic() - began
        assert yard.dog is not None
        yard.dog.close()
        caught = [defect(server) for defect in (_nobody_watches, _nobody_asks, _everyone_is_dead)]
    late = _percentile(found, 0.99) > LIMIT
    never = sum(seconds >= GIVEN_UP for seconds in found)
    return Result(
        name="dead peer",
        size=size,
        seed=seed,
        violations=late + never + soak.ended,
        seconds=time.monotonic() - began,
        defects_seeded=len(caught),
        defects_caught=sum(caught),
        notes=f"noticed after {_percentile(found, 0.5):.2f} s (median), {_percentile(found, 0.99):.2f} s (p99), "
        f"{max(found):.2f} s (longest); none of {soak.statements:,} slow statements ended in {soaked:.0f} s",
    )


def _cut_all(yard: Yard, size: int, draw: random.Random) -> list[float]:
    plans = [(KINDS[number % len(KINDS)], draw.uniform(0.1, 2.0)) for number in range(size)]
    with ThreadPoolExecutor(TOGETHER) as pool:
        return list(pool.map(lambda plan: yard.seconds(*plan), plans))


def _percentile(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


def _nobody_watches(server: OwnedServer) -> bool:
    """Without a watchdog, a lost answer is never noticed."""
    return Yard(server, None).seconds("lost answer", 0.1) > LIMIT


class _Greeter(Peer):
    """Greets, and asks nobody about backends."""

    def look(self, pids: object, patience: float) -> Sight:
        """Look without a login."""
        return super().look((), patience)


class _Pessimist(Peer):
    """Takes every wait for a death."""

    def look(self, pids: object, patience: float) -> Sight:
        """Look away."""
        return Sight(Life.SILENT)


def _nobody_asks(server: OwnedServer) -> bool:
    """A watchdog that only greets does not see that an answer was lost."""
    dog = Watchdog(find=_found(_Greeter, server))
    missed = Yard(server, dog).seconds("lost answer", 0.1) > LIMIT
    dog.close()
    return missed


def _everyone_is_dead(server: OwnedServer) -> bool:
    """A watchdog that takes slow for dead ends statements that it should leave alone."""
    dog = Watchdog(find=_found(_Pessimist, server))
    soak = Soak(Yard(server, dog))
    with soak.running():
        time.sleep(1.5)
    dog.close()
    return soak.ended > 0


def _found(kind: type[Peer], server: OwnedServer) -> FindPeer:
    def find(pgconn: pq.abc.PGconn, *, direct: bool) -> Peer:
        return kind(server.host, str(server.port))

    return find
