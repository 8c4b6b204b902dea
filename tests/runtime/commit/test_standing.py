"""A COMMIT that takes its time, cut short by an administrator, by Ctrl-C or by a task's end, is told as what it is."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from freehold import AsyncCoreTransaction, CoreTransaction, Database, Session
from freehold.errors import CommittedNotDurable
from freehold.events import TransactionEnded
from freehold.runtime.commits import CancelledAfterCommit, InterruptedAfterCommit
from freehold.servers import Server

from .conftest import WHO, Ledger
from .layer import Entry

ADD = sa.insert(Entry)
WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND usename = %s"


@pytest.fixture
def alone(own_ledger: Ledger) -> Iterator[Ledger]:
    """A primary whose commits wait for a standby that does not come."""
    await_standby(own_ledger.place.server, "nobody")
    yield own_ledger
    await_standby(own_ledger.place.server, "")


def await_standby(server: Server, name: str) -> None:
    with server.connect(autocommit=True) as admin:
        admin.execute(psycopg.sql.SQL("ALTER SYSTEM SET synchronous_standby_names = {}").format(name))
        admin.execute("SELECT pg_reload_conf()")


@contextmanager
def once_it_waits(ledger: Ledger, act: Callable[[int], object]) -> Iterator[None]:
    """Do something to the backend whose COMMIT waits, as soon as one does."""

    def watch() -> None:
        with ledger.admin() as admin:
            while not over.wait(0.01):
                found = admin.execute(WAITING, (ledger.user,)).fetchone()
                if found is not None:
                    act(int(found[0]))
                    return

    over = threading.Event()
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def cancel(ledger: Ledger) -> Callable[[int], None]:
    def act(pid: int) -> None:
        with ledger.admin() as admin:
            admin.execute("SELECT pg_cancel_backend(%s)", (pid,))

    return act


def orm(session: Session) -> None:
    session.add(Entry(mark="x"))


def core(tx: CoreTransaction) -> None:
    tx.execute(ADD, {"mark": "x"})


def at_once(tx: CoreTransaction) -> None:
    tx.finish((ADD, {"mark": "x"}))


CALLS: dict[str, Callable[[Database], Any]] = {
    "session": lambda db: db.run(orm, **WHO),
    "core": lambda db: db.run_core(core, **WHO),
    "core in one message": lambda db: db.run_core(at_once, **WHO),
    "under a key": lambda db: db.run_core(core, key="k", **WHO),
}


@pytest.mark.parametrize("way", CALLS)
def test_a_wait_for_a_standby_that_is_cut_short_is_a_commit_that_is_not_durable(alone: Ledger, way: str) -> None:
    db = alone.connect()
    with once_it_waits(alone, cancel(alone)), pytest.raises(CommittedNotDurable) as caught:
        CALLS[way](db)
    assert "Do not run it again" in caught.value.hint
    assert alone.marks() == {"x": 1}
    assert [ended.outcome for ended in alone.of(TransactionEnded)] == ["committed, not durable"]


def test_neither_hook_runs_after_it(alone: Ledger) -> None:
    db, seen = alone.connect(), list[str]()
    with once_it_waits(alone, cancel(alone)), pytest.raises(CommittedNotDurable), db.core(**WHO) as tx:
        tx.after_commit(lambda: seen.append("committed"))
        tx.after_rollback(lambda: seen.append("rolled back"))
        at_once(tx)
    assert seen == []


def test_the_same_under_asyncio(alone: Ledger) -> None:
    async def main() -> None:
        async with alone.connect_async() as db:
            with once_it_waits(alone, cancel(alone)), pytest.raises(CommittedNotDurable):
                await db.run_core(acore, **WHO)

    asyncio.run(main())
    assert alone.marks() == {"x": 1}


async def acore(tx: AsyncCoreTransaction) -> None:
    await tx.execute(ADD, {"mark": "x"})


def interrupt_then_release(ledger: Ledger, number: int = signal.SIGINT) -> Callable[[int], None]:
    """Ctrl-C or another signal, and then a standby is no longer asked for."""

    def act(pid: int) -> None:
        os.kill(os.getpid(), number)
        released = threading.Timer(0.3, await_standby, (ledger.place.server, ""))
        released.start()
        released.join()

    return act


@contextmanager
def handling(number: int, handler: Callable[[int, FrameType | None], Any]) -> Iterator[None]:
    """A signal's handler, whatever the run has inherited: a shell starts its background jobs deaf to Ctrl-C."""
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize("way", CALLS)
def test_ctrl_c_during_commit_waits_for_the_answer(alone: Ledger, way: str) -> None:
    db = alone.connect()
    heard = handling(signal.SIGINT, signal.default_int_handler)
    with heard, once_it_waits(alone, interrupt_then_release(alone)), pytest.raises(InterruptedAfterCommit):
        CALLS[way](db)
    assert alone.marks() == {"x": 1}
    db.run_core(core, **WHO)


class TooLate(Exception):
    """What a task queue raises in a task that takes too long."""


@pytest.mark.parametrize("way", CALLS)
def test_what_a_signal_raises_during_commit_waits_for_the_answer_too(alone: Ledger, way: str) -> None:
    def late(number: int, frame: FrameType | None) -> None:
        raise TooLate

    db, interrupt = alone.connect(), interrupt_then_release(alone, signal.SIGUSR1)
    with handling(signal.SIGUSR1, late), once_it_waits(alone, interrupt), pytest.raises(TooLate):
        CALLS[way](db)
    assert alone.marks() == {"x": 1}
    assert [ended.outcome for ended in alone.of(TransactionEnded)] == ["committed"]


def release_later(ledger: Ledger) -> Callable[[int], None]:
    def act(pid: int) -> None:
        released = threading.Timer(0.5, await_standby, (ledger.place.server, ""))
        released.start()
        released.join()

    return act


def test_a_task_that_is_cancelled_during_commit_is_told_that_it_stands(alone: Ledger) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with alone.connect_async() as db:
            task = asyncio.ensure_future(db.run_core(acore, **WHO))

            def act(pid: int) -> None:
                loop.call_soon_threadsafe(task.cancel)
                release_later(alone)(pid)

            with once_it_waits(alone, act), pytest.raises(CancelledAfterCommit):
                await task

    asyncio.run(main())
    assert alone.marks() == {"x": 1}


def test_a_timeout_around_a_commit_that_stands_says_so(alone: Ledger) -> None:
    async def main() -> BaseException | None:
        async with alone.connect_async() as db:
            with once_it_waits(alone, release_later(alone)):
                try:
                    async with asyncio.timeout(0.25):
                        await db.run_core(acore, **WHO)
                except (TimeoutError, asyncio.CancelledError) as error:
                    return error
        return None

    error = asyncio.run(main())
    # From Python 3.12 on asyncio makes a TimeoutError of it, whose cause it then is.
    assert isinstance(error, CancelledAfterCommit) or isinstance(
        getattr(error, "__cause__", None), CancelledAfterCommit
    )
    assert alone.marks() == {"x": 1}
