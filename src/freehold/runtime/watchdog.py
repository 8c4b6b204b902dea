"""Ends a connection that waits for a dead server, so that its caller learns of it within a second and a half."""

from __future__ import annotations

import logging
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Protocol
from weakref import WeakKeyDictionary, WeakSet

import psycopg
from psycopg import pq

from freehold.events import Listener, PeerLost, ignore
from freehold.runtime.context import Backend
from freehold.runtime.peer import Life, Peer, peer_of

TICK = 0.25
"""Seconds between looks."""
SUSPICIOUS = 0.3
"""Seconds without an answer after which somebody looks."""
PATIENCE = 0.6
"""Seconds in which a living server greets a client."""
MONITOR_KEPT = 60.0
"""Seconds after the last long wait for which the monitor's connection is kept."""
LOG = logging.getLogger("freehold.watchdog")
LOST_ANSWER = "the server is done, and its answer never came"
_TCP_BYTES = struct.Struct("=120xQQ")
"""``tcpi_bytes_acked`` and ``tcpi_bytes_received`` in Linux's ``struct tcp_info``."""


class Watched(Protocol):
    """A connection that says since when it waits for the server, and learns why it was ended."""

    busy_since: float | None
    backend: Backend
    peer_dead: str

    @property
    def pgconn(self) -> pq.abc.PGconn:
        """libpq's connection."""


def libpq_defaults() -> Mapping[str, Any]:
    """Settings of libpq for connections that notice a dead peer where the watchdog cannot look beside them.

    The kernel probes a silent peer after 5 s, and gives up on data that nobody acknowledges after 10 s.
    """
    return {
        "connect_timeout": "5",
        "keepalives": "1",
        "keepalives_idle": "5",
        "keepalives_interval": "2",
        "keepalives_count": "3",
        "tcp_user_timeout": "10000",
    }


class FindPeer(Protocol):
    """Gives the address of a connection: :func:`freehold.runtime.peer.peer_of`, or a test's own."""

    def __call__(self, pgconn: pq.abc.PGconn, *, direct: bool) -> Peer:
        """``direct`` says that a server answers there itself."""


@dataclass(frozen=True, slots=True)
class _Trace:
    """What was seen of a waiting connection at one look."""

    busy_since: float
    moved: tuple[int, int] | None
    resting_since: str = ""


class Watchdog:
    """Looks after connections; one thread for each address that somebody waits for.

    A wait is suspicious after 0.3 s. The server is then asked over a connection of the watchdog's own, and greeted anew
    where that stays silent; a server that does neither within 0.6 s is dead. Where it lives and has finished the
    statement, while no byte of the answer has come between two looks, the answer is lost. Long statements, poolers,
    slow links and a stopped process are none of these.

    Parameters
    ----------
    listener
        Told of every connection that is ended, in the watchdog's own thread.
    find
        Gives the address of a connection, and whom to ask there.
    """

    def __init__(self, listener: Listener = ignore, find: FindPeer = peer_of) -> None:
        self._listener = listener
        self._find = find
        self._lock = threading.Lock()
        self._guards: dict[tuple[str, str, bool], _Guard] = {}
        self._closed = threading.Event()

    def watch(self, connection: Watched) -> None:
        """Look after a connection until it is closed or forgotten."""
        pgconn = connection.pgconn
        key = (_where(pgconn), (pgconn.port or b"").decode(), connection.backend.pid != 0)
        with self._lock:
            guard = self._guards.get(key)
            # After a fork its thread is the parent's.
            if guard is None or not guard.is_alive() or not guard.add(connection):
                peer = self._find(pgconn, direct=connection.backend.pid != 0)
                guard = self._guards[key] = _Guard(peer, self._listener, self._closed)
                guard.add(connection)
                guard.start()

    def close(self) -> None:
        """Stop looking."""
        self._closed.set()
        with self._lock:
            guards = list(self._guards.values())
        for guard in guards:
            guard.join(PATIENCE + 1)


def _where(pgconn: pq.abc.PGconn) -> str:
    return (pgconn.hostaddr or pgconn.host or b"").decode()


class _Guard(threading.Thread):
    """The connections to one address; ends by itself once there are none."""

    def __init__(self, peer: Peer, listener: Listener, closed: threading.Event) -> None:
        super().__init__(name=f"freehold-watchdog-{peer.port}", daemon=True)
        self._peer = peer
        self._place = f"{peer.host}:{peer.port}"
        self._listener = listener
        self._closed = closed
        self._lock = threading.Lock()
        self._over = False
        self._connections: WeakSet[Any] = WeakSet()
        self._traces: WeakKeyDictionary[Any, _Trace] = WeakKeyDictionary()
        self._refused = False
        self._looked = 0.0

    def add(self, connection: Watched) -> bool:
        """Take a connection; False where the guard has already ended."""
        with self._lock:
            if not self._over:
                self._connections.add(connection)
            return not self._over

    def run(self) -> None:
        """Look every quarter of a second."""
        while not self._closed.wait(TICK) and self._has_work():
            try:
                self._turn()
            except Exception:  # a listener that fails must not leave the others unwatched
                LOG.exception("The watchdog of %s failed in one of its looks, and goes on", self._place)
        self._peer.close()

    def _turn(self) -> None:
        waiting = self._waiting()
        if waiting:
            self._look(waiting)
        elif time.monotonic() - self._looked > MONITOR_KEPT:
            self._peer.close()

    def _has_work(self) -> bool:
        with self._lock:
            for connection in list(self._connections):
                if connection.pgconn.status == pq.ConnStatus.BAD:
                    self._connections.discard(connection)
            self._over = not self._connections
            return not self._over

    def _waiting(self) -> list[tuple[Watched, float]]:
        """Those that wait for an answer longer than they should; listening for notifications is no such wait."""
        now = time.monotonic()
        with self._lock:
            every: list[Watched] = list(self._connections)
        found = [(each, since) for each in every if (since := each.busy_since) and now - since >= SUSPICIOUS]
        return [(each, since) for each, since in found if each.pgconn.transaction_status == pq.TransactionStatus.ACTIVE]

    def _look(self, waiting: Iterable[tuple[Watched, float]]) -> None:
        pids = [each.backend.pid for each, _ in waiting if each.backend.pid]
        sight = self._peer.look(pids, PATIENCE)
        self._looked = time.monotonic()
        refused_twice = sight.life is Life.REFUSED and self._refused
        self._refused = sight.life is Life.REFUSED
        for connection, since in waiting:
            if sight.life is Life.SILENT or refused_twice:
                self._end(connection, since, sight.life.value)
            elif sight.backends is not None and connection.backend.pid:
                found = sight.backends.get(connection.backend.pid)
                resting = "gone" if found is None else found.since if found.resting else ""
                self._judge(connection, since, resting)

    def _judge(self, connection: Watched, since: float, resting: str) -> None:
        """End it where the server rests since the last look, and nothing moved on the wire."""
        moved = _moved(connection.pgconn)
        trace = _Trace(since, moved, resting)
        before = self._traces.get(connection)
        self._traces[connection] = trace
        if resting and moved is not None and trace == before and not _readable(connection.pgconn):
            self._end(connection, since, LOST_ANSWER)

    def _end(self, connection: Watched, since: float, reason: str) -> None:
        """Shut the socket down, which wakes whoever waits on it."""
        try:
            made = socket.fromfd(connection.pgconn.socket, socket.AF_INET, socket.SOCK_STREAM)
        except (OSError, psycopg.OperationalError):
            return
        with closing(made):
            # While it still waits for the same answer, its socket cannot have become another's.
            if connection.busy_since != since:
                return
            connection.peer_dead = reason
            try:
                made.shutdown(socket.SHUT_RDWR)
            except OSError:
                return
        self._listener(PeerLost(self._place, time.monotonic() - since, reason))


def _moved(pgconn: pq.abc.PGconn) -> tuple[int, int] | None:
    """Bytes that the peer has acknowledged and sent, by the kernel; None where it is not TCP, or cannot be told."""
    found: tuple[int, int] | None = _on_socket(pgconn, _tcp_bytes)
    return found


def _tcp_bytes(made: socket.socket) -> tuple[int, int] | None:
    info = made.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_BYTES.size)
    acknowledged, received = _TCP_BYTES.unpack(info)
    return acknowledged, received


def _readable(pgconn: pq.abc.PGconn) -> bool:
    """Whether an answer is there that this process has not come to read."""
    return _on_socket(pgconn, _has_input) is not False


def _has_input(made: socket.socket) -> bool:
    poller = select.poll()
    poller.register(made, select.POLLIN)
    return bool(poller.poll(0))


def _on_socket(pgconn: pq.abc.PGconn, ask: Callable[[socket.socket], Any]) -> Any:
    """Ask a copy of the connection's socket; None where there is none any more or it is of another kind."""
    try:
        with closing(socket.fromfd(pgconn.socket, socket.AF_INET, socket.SOCK_STREAM)) as made:
            return ask(made)
    except (OSError, psycopg.OperationalError, struct.error):
        return None
