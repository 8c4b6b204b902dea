"""Asks a server, beside the connection that waits for it, whether it lives and what it does for that connection."""

from __future__ import annotations

import errno
import select
import socket
import struct
import time
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from enum import Enum

import psycopg
from psycopg import pq
from psycopg.conninfo import make_conninfo

from freehold.kernel.template import read_sql

PACKAGE = "freehold.runtime"
SSL_REQUEST = struct.pack("!ii", 8, 80877103)
"""What a client asks before TLS; servers and poolers answer it with one byte before any login."""
NOT_ALIVE = frozenset({errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ECONNRESET})
MONITOR_HEAD_START = 0.15
"""Seconds that the kept connection has to answer before the server is greeted anew."""
LOGIN_PAUSE = 30.0
"""Seconds after a refused login of the monitor until the next."""


class Life(Enum):
    """What a look at a server found."""

    ALIVE = "alive"
    SILENT = "it did not answer in time"
    REFUSED = "it takes no connections"
    UNKNOWN = "this process could not look"


@dataclass(frozen=True, slots=True)
class Backend:
    """What a backend does: ``resting`` for its client, in the same state since ``since`` (the server's own text)."""

    resting: bool
    since: str


@dataclass(frozen=True, slots=True)
class Sight:
    """A look's result; ``backends`` is None where nobody could be asked about them."""

    life: Life
    backends: Mapping[int, Backend] | None = None


@dataclass(slots=True)
class Peer:
    """One address, with a connection of its own that is kept while somebody waits long.

    Parameters
    ----------
    host, port
        An address that needs no further look-up, or the directory of a socket.
    conninfo
        How to log in there; "" for a pooler, which knows nothing of backends.
    """

    host: str
    port: str
    conninfo: str = ""
    _monitor: pq.abc.PGconn | None = None
    _login_after: float = field(default=0.0)

    def look(self, pids: Iterable[int], patience: float) -> Sight:
        """Look once; takes ``patience`` seconds at most, by the clock of a process that gets its turn."""
        began = time.monotonic()
        sight = self._look(list(pids), began + patience)
        if sight.life is Life.SILENT and time.monotonic() - began > 2 * patience:
            # This process was stopped or starved: the silence may be its own.
            return Sight(Life.UNKNOWN)
        return sight

    def close(self) -> None:
        """Close the kept connection."""
        if self._monitor is not None:
            self._monitor.finish()
            self._monitor = None

    def _look(self, pids: list[int], deadline: float) -> Sight:
        if self._monitor is not None:
            self._ask(pids)
            if (found := self._answer(min(deadline, time.monotonic() + MONITOR_HEAD_START))) is not None:
                return Sight(Life.ALIVE, found)
        life = greet(self.host, self.port, deadline)
        if self._monitor is not None and (found := self._answer(time.monotonic())) is not None:
            return Sight(Life.ALIVE, found)
        self.close()
        if life is Life.ALIVE and pids and self._log_in(deadline):
            self._ask(pids)
            return Sight(life, self._answer(deadline))
        return Sight(life)

    def _log_in(self, deadline: float) -> bool:
        if not self.conninfo or time.monotonic() < self._login_after:
            return False
        made = pq.PGconn.connect_start(self.conninfo.encode())
        state = int(pq.PollingStatus.WRITING)
        while state in (pq.PollingStatus.READING, pq.PollingStatus.WRITING):
            if not _ready(made.socket, deadline, writing=state == pq.PollingStatus.WRITING):
                break
            state = made.connect_poll()
        if state != pq.PollingStatus.OK:
            made.finish()
            self._login_after = time.monotonic() + LOGIN_PAUSE
            return False
        made.nonblocking = 1
        self._monitor = made
        return True

    def _ask(self, pids: list[int]) -> None:
        assert self._monitor is not None, "asked after a login"
        listed = "{" + ",".join(map(str, pids)) + "}"
        try:
            self._monitor.send_query_params(read_sql(PACKAGE, "read_backends").encode(), [listed.encode()])
            self._monitor.flush()
        except psycopg.Error:
            self.close()

    def _answer(self, deadline: float) -> dict[int, Backend] | None:
        """What the kept connection says until then."""
        if self._monitor is None:
            return None
        try:
            return self._read(self._monitor, deadline)
        except psycopg.Error:
            self.close()
            return None

    def _read(self, monitor: pq.abc.PGconn, deadline: float) -> dict[int, Backend] | None:
        found: dict[int, Backend] = {}
        while True:
            while monitor.is_busy():
                if not _ready(monitor.socket, deadline):
                    return None
                monitor.consume_input()
            result = monitor.get_result()
            if result is None:
                return found
            if result.status != pq.ExecStatus.TUPLES_OK:
                raise psycopg.OperationalError("the monitor's question was refused")
            found |= {int(_text(result, row, 0)): _backend(result, row) for row in range(result.ntuples)}


def _backend(result: pq.abc.PGresult, row: int) -> Backend:
    return Backend(_text(result, row, 1) == "t", _text(result, row, 2))


def _text(result: pq.abc.PGresult, row: int, column: int) -> str:
    return (result.get_value(row, column) or b"").decode()


def _ready(descriptor: int, deadline: float, *, writing: bool = False) -> bool:
    """Whether the socket can be read (or written) before the deadline; a last look is taken after it."""
    poller = select.poll()
    poller.register(descriptor, select.POLLOUT if writing else select.POLLIN)
    return bool(poller.poll(max(0.0, deadline - time.monotonic()) * 1000))


def greet(host: str, port: str, deadline: float) -> Life:
    """Whether something at the address still answers a client before its login."""
    kind, address = _address(host, port)
    try:
        made = socket.socket(kind, socket.SOCK_STREAM)
    except OSError:
        # This process has no descriptor left: that says nothing of the server.
        return Life.UNKNOWN
    with closing(made):
        made.setblocking(False)
        failed = made.connect_ex(address)
        if failed in {errno.EINPROGRESS, errno.EAGAIN}:
            if not _ready(made.fileno(), deadline, writing=True):
                return Life.SILENT
            failed = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if failed:
            return Life.REFUSED if failed in NOT_ALIVE or failed == errno.ENOENT else Life.UNKNOWN
        return _answered(made, deadline)


def _answered(made: socket.socket, deadline: float) -> Life:
    try:
        made.send(SSL_REQUEST)
        if not _ready(made.fileno(), deadline):
            return Life.SILENT
        return Life.ALIVE if made.recv(1) else Life.REFUSED
    except OSError as error:
        return Life.REFUSED if error.errno in NOT_ALIVE else Life.UNKNOWN


def _address(host: str, port: str) -> tuple[socket.AddressFamily, tuple[str, int] | str]:
    if host.startswith(("/", "@")):
        path = f"{host}/.s.PGSQL.{port}"
        return socket.AF_UNIX, "\0" + path[1:] if host.startswith("@") else path
    return (socket.AF_INET6 if ":" in host else socket.AF_INET), (host, int(port))


def peer_of(pgconn: pq.abc.PGconn, *, direct: bool) -> Peer:
    """The address that a connection is made to, whichever of several hosts it chose.

    Parameters
    ----------
    direct
        Whether a server answers there itself, and not a pooler.
    """
    host, port = _decoded(pgconn.host), _decoded(pgconn.port) or "5432"
    hostaddr = _decoded(pgconn.hostaddr)
    if not direct:
        return Peer(hostaddr or host, port)
    given = {option.keyword.decode(): option.val.decode() for option in pgconn.info if option.val is not None}
    address = {"hostaddr": hostaddr} if hostaddr else {}
    chosen = {**given, "host": host, "port": port, **address, "application_name": "freehold watchdog"}
    chosen.pop("target_session_attrs", None)
    return Peer(hostaddr or host, port, make_conninfo(**chosen))


def _decoded(value: bytes | None) -> str:
    return (value or b"").decode()
