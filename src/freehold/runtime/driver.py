"""psycopg's connections and cursors over a link: blocking, and under asyncio."""

from __future__ import annotations

import asyncio
from inspect import GEN_SUSPENDED, getgeneratorstate
from time import monotonic
from typing import Any, NoReturn, TypeVar

import psycopg
from psycopg import waiting
from psycopg.abc import Params, PQGen, Query

from freehold.errors import CommittedNotDurable, CommitUnknown, FreeholdError
from freehold.runtime.commits import raise_interrupt, refuse_ending, unknown_commit
from freehold.runtime.link import IDLE, Closing, Link
from freehold.runtime.refusal import LiteralCursor

T = TypeVar("T")
OWN = (psycopg.Error, FreeholdError)
"""What the server, libpq and the runtime say; anything else that leaves a wait is an interrupt."""
INTERVAL = 0.1
"""Seconds between looks at Ctrl-C while waiting for the server."""


class Cursor(LiteralCursor, psycopg.Cursor[Any]):
    """A cursor whose statement may begin its transaction."""

    def _execute_gen(
        self, query: Query, params: Params | None = None, *, prepare: bool | None = None, binary: bool | None = None
    ) -> PQGen[None]:
        return _execute_gen(self, super()._execute_gen, query, params, prepare, binary)


class AsyncCursor(LiteralCursor, psycopg.AsyncCursor[Any]):
    """The same under asyncio."""

    def _execute_gen(
        self, query: Query, params: Params | None = None, *, prepare: bool | None = None, binary: bool | None = None
    ) -> PQGen[None]:
        return _execute_gen(self, super()._execute_gen, query, params, prepare, binary)


class NamedCursor(LiteralCursor, psycopg.ServerCursor[Any]):
    """A cursor that the server keeps."""


class AsyncNamedCursor(LiteralCursor, psycopg.AsyncServerCursor[Any]):
    """The same under asyncio."""


def _execute_gen(
    cursor: Any, usual: Any, query: Query, params: Params | None, prepare: bool | None, binary: bool | None
) -> PQGen[None]:
    link: Link = cursor._conn
    if isinstance(query, str):
        if link.held:
            refuse_ending(query)
        link.log.append(query)
    if link.opening is not None and link._pipeline is None and link.pgconn.transaction_status == IDLE:
        yield from link.execute_first(cursor, query, params, binary)
    else:
        link.closing.round_trips += 1
        yield from usual(query, params, prepare=prepare, binary=binary)


class Connection(Link, psycopg.Connection[Any]):
    """A blocking connection."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.cursor_factory = Cursor
        self.server_cursor_factory = NamedCursor

    def wait(self, gen: PQGen[T], *arguments: Any, **options: Any) -> T:
        """Drive a generator to its end; see psycopg."""
        self._refuse_second()
        self.busy_since = began = monotonic()
        try:
            return super().wait(gen, *arguments, **options)
        finally:
            self.busy_since = None
            self.waited = monotonic() - began

    def rollback(self) -> None:
        """Roll back, where there is anything to roll back: a pool asks for it each time."""
        if self.pgconn.transaction_status != IDLE:
            super().rollback()
        elif not self.held:
            self.opening = None

    def commit(self) -> None:
        """Commit, and wait for the answer whatever interrupts."""
        with self.lock:
            self.patiently(self._commit_gen())

    def patiently(self, generator: PQGen[T]) -> T:
        """Drive a generator that commits to its end: an interrupt waits until the answer is there.

        Raises
        ------
        InterruptedAfterCommit
            An interrupt came; the commit stands.
        CommitUnknown
            A second interrupt came before the answer.
        KeyboardInterrupt, SystemExit
            An interrupt came, and nothing is stored.
        """
        self._refuse_second()
        closing = self.closing
        self.busy_since = began = monotonic()
        try:
            return waiting.wait(generator, self.pgconn.socket, INTERVAL)
        except OWN:
            raise
        except BaseException as interrupt:  # noqa: BLE001  # Ctrl-C, or whatever else a signal's handler raises
            self._wait_out(generator, closing, interrupt)
        finally:
            self.busy_since = None
            self.waited = monotonic() - began

    def _wait_out(self, generator: PQGen[T], closing: Closing, interrupt: BaseException) -> NoReturn:
        """Wait for the answer in spite of an interrupt, though not of a second one, and raise it then."""
        closing.interrupted = interrupt
        # A signal's handler may also raise inside the generator, which ends it.
        if getgeneratorstate(generator) == GEN_SUSPENDED:
            try:
                waiting.wait(generator, self.pgconn.socket, INTERVAL)
            except (CommitUnknown, CommittedNotDurable):
                raise
            except OWN as error:
                raise interrupt from error
            except BaseException as again:  # noqa: BLE001
                closing.interrupted = interrupt = again
            else:
                raise_interrupt(interrupt, confirmed=closing.confirmed)
        self.close()
        if closing.asked and not closing.confirmed:
            closing.told = unknown_commit()
            raise closing.told from interrupt
        raise_interrupt(interrupt, confirmed=closing.confirmed)


class AsyncConnection(Link, psycopg.AsyncConnection[Any]):
    """A connection under asyncio."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.cursor_factory = AsyncCursor
        self.server_cursor_factory = AsyncNamedCursor

    async def wait(self, gen: PQGen[T], *arguments: Any, **options: Any) -> T:
        """Drive a generator to its end; see psycopg."""
        self._refuse_second()
        self.busy_since = began = monotonic()
        try:
            return await super().wait(gen, *arguments, **options)
        finally:
            self.busy_since = None
            self.waited = monotonic() - began

    async def commit(self) -> None:
        """Commit, and wait for the answer whatever cancels."""
        async with self.lock:
            await self.patiently(self._commit_gen())

    async def patiently(self, generator: PQGen[T]) -> T:
        """Drive a generator that commits to its end: a cancellation waits until the answer is there.

        Raises
        ------
        CancelledAfterCommit
            The task was cancelled; the commit stands.
        asyncio.CancelledError
            The task was cancelled, and nothing is stored.
        """
        self._refuse_second()
        closing = self.closing
        self.busy_since = began = monotonic()
        try:
            answer = await self._wait_through(generator, closing)
        except (CommitUnknown, CommittedNotDurable):
            raise
        except Exception as error:
            if closing.interrupted is not None:
                raise closing.interrupted from error
            raise
        finally:
            self.busy_since = None
            self.waited = monotonic() - began
        if closing.interrupted is not None:
            raise_interrupt(closing.interrupted, confirmed=closing.confirmed)
        return answer

    async def _wait_through(self, generator: PQGen[T], closing: Closing) -> T:
        task = self._waiting_for(generator)
        while True:
            try:
                return await asyncio.shield(task)
            except asyncio.CancelledError as error:
                closing.interrupted = error
                if task.cancelled():
                    # The loop is being shut down, and cancels every task; the answer is still waited for.
                    task = self._waiting_for(generator)

    def _waiting_for(self, generator: PQGen[T]) -> asyncio.Future[T]:
        return asyncio.ensure_future(waiting.wait_async(generator, self.pgconn.socket, INTERVAL))
