"""One session of a schedule: it holds a transaction open through our API and does what it is handed, one by one."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Protocol

import sqlalchemy as sa

from freehold import AsyncDatabase, Database
from torture.ground import WHO, Failures
from torture.schedules import Ending, Rows

Order = tuple[sa.Executable | Ending, "Future[Rows | None]"]
"""What to do, and where to say what came of it: rows, or None for what gives none."""


class GivenUp(Exception):  # how a block is left that is to be rolled back
    """The schedule rolls this transaction back."""


class Session(Protocol):
    """A session that carries out orders."""

    def order(self, action: sa.Executable | Ending) -> Future[Rows | None]:
        """Hand it the next thing to do."""


def rows_of(result: sa.Result[Any]) -> Rows | None:
    """The rows of a result that has some."""
    if isinstance(result, sa.CursorResult) and not result.returns_rows:
        return None
    return tuple((key, value) for key, value in map(tuple, result))


class ThreadSession:
    """A session of a ``Database``, in a thread of its own."""

    def __init__(self, db: Database, workload: str) -> None:
        self._db, self._workload = db, workload
        self._orders: queue.SimpleQueue[Order] = queue.SimpleQueue()
        threading.Thread(target=self._serve, daemon=True).start()

    def order(self, action: sa.Executable | Ending) -> Future[Rows | None]:
        """See :class:`Session`."""
        future: Future[Rows | None] = Future()
        self._orders.put((action, future))
        return future

    def _serve(self) -> None:
        action, future = self._orders.get()
        try:
            with self._db.transaction(workload=self._workload, **WHO) as session:
                while not isinstance(action, Ending):
                    future.set_result(rows_of(session.execute(action)))
                    action, future = self._orders.get()
                if action is Ending.ROLLBACK:
                    raise GivenUp
        except (*Failures, GivenUp) as error:
            _tell(future, error)
        else:
            future.set_result(None)


class TaskSession:
    """A session of an ``AsyncDatabase``, in a task of the loop that the database belongs to."""

    def __init__(self, db: AsyncDatabase, workload: str, loop: asyncio.AbstractEventLoop) -> None:
        self._db, self._workload, self._loop = db, workload, loop
        self._orders: asyncio.Queue[Order] = asyncio.Queue()
        self._task = asyncio.run_coroutine_threadsafe(self._serve(), loop)

    def order(self, action: sa.Executable | Ending) -> Future[Rows | None]:
        """See :class:`Session`."""
        future: Future[Rows | None] = Future()
        self._loop.call_soon_threadsafe(self._orders.put_nowait, (action, future))
        return future

    async def _serve(self) -> None:
        action, future = await self._orders.get()
        try:
            async with self._db.transaction(workload=self._workload, **WHO) as session:
                while not isinstance(action, Ending):
                    future.set_result(rows_of(await session.execute(action)))
                    action, future = await self._orders.get()
                if action is Ending.ROLLBACK:
                    raise GivenUp
        except (*Failures, GivenUp) as error:
            _tell(future, error)
        else:
            future.set_result(None)


def _tell(future: Future[Rows | None], error: Exception) -> None:
    if isinstance(error, GivenUp):
        future.set_result(None)
    else:
        future.set_exception(error)


Opener = Callable[[str], Session]
"""Opens a session of a workload."""
