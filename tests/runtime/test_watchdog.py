"""A dead server is noticed within a second and a half, and a slow one is left alone."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from freehold.errors import CommitUnknown
from freehold.events import Event, PeerLost
from freehold.runtime.context import Backend
from freehold.runtime.driver import AsyncConnection, Connection
from freehold.runtime.peer import Life, greet
from freehold.runtime.watchdog import LOST_ANSWER, Watchdog, libpq_defaults
from freehold.servers.owned import OwnedServer
from freehold.testing.database import Database
from freehold.testing.proxy import Cut, KillableProxy

LIMIT = 1.5


class Kennel:
    """A watchdog, what it told, and the connections that it looks after."""

    def __init__(self, database: Database, proxy: KillableProxy | None = None) -> None:
        self.told: list[Event] = []
        self.dog = Watchdog(self.told.append)
        self.conninfo = database.conninfo()
        if proxy is not None:
            self.conninfo = psycopg.conninfo.make_conninfo(self.conninfo, host=proxy.host, port=proxy.port)
        self.open: list[Connection] = []

    def connect(self, conninfo: str = "", *, pooled: bool = False, autocommit: bool = True) -> Connection:
        made = Connection.connect(conninfo or self.conninfo, autocommit=autocommit, **libpq_defaults())
        made.backend = Backend(0 if pooled else made.info.backend_pid)
        self.dog.watch(made)
        self.open.append(made)
        return made

    def close(self) -> None:
        self.dog.close()
        for connection in self.open:
            connection.close()


@pytest.fixture
def kennel(database: Database, killable_proxy: KillableProxy) -> Iterator[Kennel]:
    made = Kennel(database, killable_proxy)
    yield made
    made.close()


def dies(connection: psycopg.Connection[Any], query: sql.SQL) -> float:
    """Seconds until the caller of a statement learns that the connection is lost."""
    began = time.monotonic()
    with pytest.raises(psycopg.OperationalError):
        connection.execute(query)
    return time.monotonic() - began


def after(seconds: float, function: Callable[..., Any], *arguments: Any) -> None:
    threading.Timer(seconds, function, arguments).start()


@pytest.mark.parametrize("trap", ["cut_before", "cut_after"])
def test_a_lost_question_and_a_lost_answer(kennel: Kennel, killable_proxy: KillableProxy, trap: str) -> None:
    connection = kennel.connect()
    getattr(killable_proxy, trap)(b"SELECT 'lost'", Cut.SILENCE)
    assert dies(connection, sql.SQL("SELECT 'lost'")) <= LIMIT
    assert connection.peer_dead == LOST_ANSWER
    kennel.dog.close()
    assert [type(event) for event in kennel.told] == [PeerLost]


def test_a_pulled_cable_in_a_long_statement(kennel: Kennel, killable_proxy: KillableProxy) -> None:
    connection = kennel.connect()
    cut: list[float] = []

    def pull() -> None:
        killable_proxy.refuse()
        killable_proxy.cut(Cut.SILENCE)
        cut.append(time.monotonic())

    after(1.5, pull)
    dies(connection, sql.SQL("SELECT pg_sleep(60)"))
    assert time.monotonic() - cut[0] <= LIMIT


def test_a_frozen_server(own_server: OwnedServer) -> None:
    kennel = Kennel(Database(own_server, "postgres"))
    connection = kennel.connect()
    children = [int(pid) for pid, _ in connection.execute("SELECT pid, 1 FROM pg_stat_activity").fetchall()]
    postmaster = int((own_server.data_directory / "postmaster.pid").read_text().split()[0])
    everything = [postmaster, *children]
    try:
        for pid in everything:
            os.kill(pid, signal.SIGSTOP)
        assert dies(connection, sql.SQL("SELECT 1")) <= LIMIT
    finally:
        for pid in reversed(everything):
            os.kill(pid, signal.SIGCONT)
        kennel.close()


def test_a_pooler_that_falls_silent(kennel: Kennel, killable_proxy: KillableProxy) -> None:
    connection = kennel.connect(pooled=True)
    after(0.3, killable_proxy.refuse)
    after(0.3, killable_proxy.cut, Cut.SILENCE)
    assert dies(connection, sql.SQL("SELECT pg_sleep(60)")) <= 0.3 + LIMIT


def test_a_lost_commit_is_unknown(kennel: Kennel, killable_proxy: KillableProxy) -> None:
    connection = kennel.connect(autocommit=False)
    connection.execute("CREATE TABLE stored (one int)")
    killable_proxy.cut_after(b"COMMIT", Cut.SILENCE)
    began = time.monotonic()
    with pytest.raises(CommitUnknown):
        connection.commit()
    assert time.monotonic() - began <= LIMIT


def test_under_asyncio(kennel: Kennel, killable_proxy: KillableProxy) -> None:
    async def run() -> float:
        connection = await AsyncConnection.connect(kennel.conninfo, autocommit=True)
        connection.backend = Backend(connection.info.backend_pid)
        kennel.dog.watch(connection)
        killable_proxy.cut_before(b"SELECT 'lost'", Cut.SILENCE)
        began = time.monotonic()
        with pytest.raises(psycopg.OperationalError):
            await connection.execute(sql.SQL("SELECT 'lost'"))
        seconds = time.monotonic() - began
        await connection.close()
        # An answer that lies there while the loop does something else is not lost.
        second = await AsyncConnection.connect(kennel.conninfo, autocommit=True)
        second.backend = Backend(second.info.backend_pid)
        kennel.dog.watch(second)
        task = asyncio.create_task(second.execute(sql.SQL("SELECT pg_sleep(0.1)")))
        await asyncio.sleep(0.01)
        time.sleep(2)
        await task
        await second.close()
        return seconds

    assert asyncio.run(run()) <= LIMIT


def test_the_slow_and_the_idle_are_left_alone(kennel: Kennel, database: Database) -> None:
    direct = kennel.connect(database.conninfo(socket=True))
    proxied, pooled, listening = kennel.connect(), kennel.connect(pooled=True), kennel.connect()
    waiting = kennel.connect()
    listening.execute("LISTEN news")
    with database.connect() as holder:
        holder.execute("SELECT pg_advisory_xact_lock(1)")
        after(3, holder.rollback)
        threads = [
            threading.Thread(target=connection.execute, args=(query,))
            for connection, query in (
                (proxied, sql.SQL("SELECT pg_sleep(3)")),
                (pooled, sql.SQL("SELECT pg_sleep(3)")),
                (direct, sql.SQL("SELECT pg_sleep(3)")),
                (waiting, sql.SQL("SELECT pg_advisory_lock(1)")),
            )
        ]
        for thread in threads:
            thread.start()
        assert list(listening.notifies(timeout=3)) == []
        for thread in threads:
            thread.join()
    assert kennel.told == []
    for connection in kennel.open:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_slow_upload_is_left_alone(kennel: Kennel) -> None:
    connection = kennel.connect()
    connection.execute("CREATE TEMPORARY TABLE upload (text text)")

    def slowly() -> Iterator[bytes]:
        for _ in range(12):
            time.sleep(0.25)
            yield b"x" * 1000 + b"\n"

    with connection.cursor().copy("COPY upload FROM STDIN") as copy:
        for line in slowly():
            copy.write(line)
    assert kennel.told == []


def test_a_thread_ends_with_its_connections(kennel: Kennel) -> None:
    kennel.connect().close()
    until = time.monotonic() + 5
    while any(thread.name.startswith("freehold-watchdog") for thread in threading.enumerate()):
        assert time.monotonic() < until
        time.sleep(0.05)
    assert kennel.connect().execute("SELECT 1").fetchone() == (1,)


def test_nobody_at_the_address(server: OwnedServer) -> None:
    with KillableProxy(server.host, server.port) as proxy:
        port = str(proxy.port)
        assert greet("127.0.0.1", port, time.monotonic() + 1) is Life.ALIVE
    assert greet("127.0.0.1", port, time.monotonic() + 1) is Life.REFUSED


def test_a_listener_that_fails_leaves_the_others_watched(
    database: Database, killable_proxy: KillableProxy, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(event: Event) -> None:
        raise ValueError("no")

    kennel = Kennel(database, killable_proxy)
    kennel.dog = Watchdog(fail)
    for _ in range(2):
        killable_proxy.cut_before(b"SELECT 'lost'", Cut.SILENCE)
        assert dies(kennel.connect(), sql.SQL("SELECT 'lost'")) <= LIMIT
    kennel.close()
    assert [record.name for record in caplog.records] == ["freehold.watchdog"] * 2
