"""The servers of one test process: started at first use, one per major version, removed at the end."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack

from freehold.errors import BinariesMissing
from freehold.servers.binaries import Binaries, find_embedded, find_installed
from freehold.servers.disposable import disposable, replica_of
from freehold.servers.owned import OwnedServer
from freehold.servers.pooler import Pooler, find_pgbouncer, pooler_for
from freehold.servers.settings import Settings

EMBEDDED_MAJOR = 18
INSTALLED_MAJOR = 15
MAJORS = (EMBEDDED_MAJOR, INSTALLED_MAJOR)
POOL_SIZE = 3
"""Server connections of the shared pooler for one user and database: few, so that clients meet on them."""

SETTINGS: Settings = {
    "max_connections": 100,
    "shared_buffers": "24MB",
    "max_wal_size": "256MB",
    "autovacuum_naptime": "30s",
    "log_min_messages": "fatal",
    "wal_keep_size": "64MB",
}


def binaries_of(major: int) -> Binaries:
    """The programs that tests of a major version use: the embedded ones for the newest, installed ones for others."""
    return find_embedded() if major == EMBEDDED_MAJOR else find_installed(major)


def missing(major: int) -> str:
    """What is missing for tests on an installed major version, as one sentence; "" when nothing is.

    The embedded server comes with the package: its absence is a failure and not a reason to skip.
    """
    if major == EMBEDDED_MAJOR:
        return ""
    return _told(lambda: binaries_of(major))


def missing_pooler() -> str:
    """The same for tests that go through PgBouncer."""
    return _told(find_pgbouncer)


def _told(find: Callable[[], object]) -> str:
    try:
        find()
    except BinariesMissing as error:
        return f"{error.message.rstrip('.')}: {error.hint.split(',')[0]}"
    return ""


def wait_for_replay(primary: OwnedServer, replica: OwnedServer, *, timeout: float = 30.0) -> None:
    """Wait until the replica has replayed all that the primary has written.

    Raises
    ------
    TimeoutError
        It has not within ``timeout`` seconds.
    """
    with primary.connect(autocommit=True) as connection:
        # The position of insertion and not of the flush: with synchronous_commit off a commit is flushed later.
        position = connection.execute("SELECT pg_current_wal_insert_lsn()").fetchone()
    deadline = time.monotonic() + timeout
    with replica.connect(autocommit=True) as connection:
        while connection.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", position).fetchone() != (True,):
            if time.monotonic() > deadline:
                raise TimeoutError(f"the replica has not replayed {position} within {timeout:g} s")
            time.sleep(0.01)


class Servers:
    """Servers, replicas and poolers by major version, each started when a test first asks for it."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._servers: dict[int, OwnedServer] = {}
        self._replicas: dict[int, OwnedServer] = {}
        self._poolers: dict[int, Pooler] = {}

    def server(self, major: int) -> OwnedServer:
        """The shared server; one that a test killed is started again."""
        if major not in self._servers:
            started = disposable(binaries_of(major), settings=SETTINGS, in_memory=True)
            self._servers[major] = self._stack.enter_context(started)
        return self._servers[major].ensure_running()

    def replica(self, major: int) -> OwnedServer:
        """The shared server's streaming replica."""
        if major not in self._replicas:
            self._replicas[major] = self._stack.enter_context(replica_of(self.server(major)))
        return self._replicas[major].ensure_running()

    def pooler(self, major: int) -> Pooler:
        """A PgBouncer in transaction mode in front of the shared server, with few connections to share."""
        server = self.server(major)
        if major not in self._poolers:
            self._poolers[major] = self._stack.enter_context(pooler_for(server, pool_size=POOL_SIZE))
        return self._poolers[major].ensure_running()

    def close(self) -> None:
        """Stop and remove them all."""
        self._stack.close()
