"""The injections: what each does to a COMMIT, and what its caller may then be told."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

from freehold.errors import (
    CommitInside,
    CommitRefused,
    CommittedNotDurable,
    CommitUnknown,
    DataRefused,
    QueryCancelled,
)
from freehold.runtime.asynchronous import AsyncSession
from freehold.runtime.commits import CancelledAfterCommit, InterruptedAfterCommit
from freehold.runtime.core import AsyncCoreTransaction, CoreTransaction
from freehold.runtime.literal import sql
from freehold.runtime.session import Session
from torture.field import Field, Success
from torture.ground import WHO
from torture.vault import ADD, WAYS, Attempted, Entry

DIVIDE = sql("SELECT 1 / 0")
ENDINGS = {"ROLLBACK": sql("ROLLBACK"), "COMMIT": sql("COMMIT")}
LATEST = 0.045
"""Seconds after which an interrupt comes at the latest; COMMIT takes 0.03."""


def swallowed_error(place: Field) -> None:
    """A failed statement's error is swallowed: the server would answer COMMIT with ROLLBACK."""
    mark = place.mark("refused")
    call = place.draw.choice((_orm, _core, _async_orm, _async_core))
    place.expect(mark, lambda: call(place, mark), {CommitRefused: False})


def _orm(place: Field, mark: str) -> None:
    def work(session: Session) -> None:
        session.add(Entry(mark=mark))
        session.flush()
        try:
            session.execute(DIVIDE)
        except DataRefused:
            return

    place.clients.db.run(work, **WHO)


def _core(place: Field, mark: str) -> None:
    def work(tx: CoreTransaction) -> None:
        tx.execute(ADD, {"mark": mark})
        try:
            tx.execute(DIVIDE)
        except DataRefused:
            return

    place.clients.db.run_core(work, **WHO)


def _async_orm(place: Field, mark: str) -> None:
    async def work(session: AsyncSession) -> None:
        session.add(Entry(mark=mark))
        await session.flush()
        try:
            await session.execute(DIVIDE)
        except DataRefused:
            return

    db = place.clients.async_db
    place.clients.wait(db.run(work, **WHO))


def _async_core(place: Field, mark: str) -> None:
    async def work(tx: AsyncCoreTransaction) -> None:
        await tx.execute(ADD, {"mark": mark})
        try:
            await tx.execute(DIVIDE)
        except DataRefused:
            return

    db = place.clients.async_db
    place.clients.wait(db.run_core(work, **WHO))


def ended_inside(place: Field) -> None:
    """A statement of the block ends the transaction, so that the block's own COMMIT has nothing to commit."""
    word = place.draw.choice(tuple(ENDINGS))
    mark, ending = place.mark(f"ended by {word}"), ENDINGS[word]

    def orm(session: Session) -> None:
        session.add(Entry(mark=mark))
        session.flush()
        session.execute(ending)

    def core(tx: CoreTransaction) -> None:
        tx.execute(ADD, {"mark": mark})
        tx.execute(ending)

    db = place.clients.db
    call: Callable[[], Any] = place.draw.choice((lambda: db.run(orm, **WHO), lambda: db.run_core(core, **WHO)))
    place.expect(mark, call, {CommitInside: None if word == "COMMIT" else False})


def _called(place: Field, kind: str, *, keyed: bool, ways: tuple[str, ...] = WAYS) -> Attempted:
    mark = place.mark(kind)
    return Attempted(way=place.draw.choice(ways), mark=mark, key=mark if keyed else None)


def _nothing() -> None:
    """The attack is already under way."""


def cancelled_commit(place: Field) -> None:
    """COMMIT is cancelled while it still checks a deferred constraint."""
    call = _called(place, "slow cancelled", keyed=place.draw.random() < 0.5)
    with place.ending_waits("pg_cancel_backend"):
        place.expect(call.mark, lambda: place.clients.call(call, _nothing), {QueryCancelled: False, Success: True})


def terminated_commit(place: Field) -> None:
    """The backend is terminated while COMMIT still checks a deferred constraint."""
    call = _called(place, "slow terminated", keyed=False)
    wanted: dict[type[BaseException], bool | None] = {CommitUnknown: None, Success: True}
    with place.ending_waits("pg_terminate_backend"):
        place.expect(call.mark, lambda: place.clients.call(call, _nothing), wanted)


def interrupted_commit(place: Field) -> None:
    """Ctrl-C, before, in or after COMMIT."""
    ways = tuple(way for way in WAYS if not way.startswith("async"))
    call = _called(place, "slow interrupted", keyed=place.draw.random() < 0.5, ways=ways)
    delay = place.draw.random() * LATEST
    timers: list[threading.Timer] = []

    def arm() -> None:
        timers.append(threading.Timer(delay, os.kill, (os.getpid(), signal.SIGINT)))
        timers[-1].start()

    wanted: dict[type[BaseException], bool | None] = {
        Success: True,
        InterruptedAfterCommit: True,
        KeyboardInterrupt: False,
    }
    place.expect(call.mark, lambda: place.clients.call(call, arm), wanted)
    for timer in timers:
        timer.join()


def cancelled_task(place: Field) -> None:
    """The task is cancelled, before, in or after COMMIT."""
    ways = tuple(way for way in WAYS if way.startswith("async"))
    call = _called(place, "slow task", keyed=place.draw.random() < 0.5, ways=ways)
    delay = place.draw.random() * LATEST

    async def main() -> Any:
        loop = asyncio.get_running_loop()
        task: asyncio.Task[Any] = asyncio.ensure_future(place.clients.started(call, lambda: _later(loop, delay, task)))
        try:
            return await task
        except asyncio.CancelledError as error:
            return error

    wanted: dict[type[BaseException], bool | None] = {
        Success: True,
        CancelledAfterCommit: True,
        asyncio.CancelledError: False,
    }
    assert place.clients.async_db is not None
    place.expect(call.mark, lambda: place.clients.wait(main()), wanted)


def _later(loop: asyncio.AbstractEventLoop, delay: float, task: asyncio.Task[Any]) -> None:
    loop.call_later(delay, task.cancel)


def cancelled_wait(place: Field) -> None:
    """The wait for a synchronous standby is cancelled: the server answers COMMIT with COMMIT, and a warning."""
    call = _called(place, "cancelled", keyed=place.draw.random() < 0.5)
    with place.ending_waits("pg_cancel_backend"):
        place.expect(call.mark, lambda: place.clients.call(call, _nothing), {CommittedNotDurable: True})


def replayed_wait(place: Field) -> None:
    """A keyed call whose wait was cancelled is repeated, and again nobody has received its commit."""
    call = _called(place, "replayed", keyed=True)
    with place.ending_waits("pg_cancel_backend"):
        place.expect(call.mark, lambda: place.clients.call(call, _nothing), {CommittedNotDurable: True})
        place.expect(call.mark, lambda: place.clients.call(call, _nothing), {CommitUnknown: True})


def terminated_wait(place: Field) -> None:
    """The waiting backend is terminated: it has committed, and its caller cannot know."""
    call = _called(place, "terminated", keyed=place.draw.random() < 0.2)
    with place.ending_waits("pg_terminate_backend"):
        place.expect(call.mark, lambda: place.clients.call(call, _nothing), {CommitUnknown: True})


AT_REST = (swallowed_error, ended_inside, cancelled_commit, terminated_commit, interrupted_commit, cancelled_task)
WAITING = (cancelled_wait, cancelled_wait, cancelled_wait, replayed_wait, terminated_wait)
"""Those that need a COMMIT which waits for a synchronous standby."""
