"""How the one body of the runtime waits: blocking a thread, or through SQLAlchemy's greenlets under asyncio."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from psycopg.abc import PQGen
from sqlalchemy.util.concurrency import await_only

T = TypeVar("T")


class Waits(Protocol):
    """What the runtime waits for; a link is a :class:`freehold.runtime.link.Link` of the right kind."""

    def drive(self, link: Any, generator: PQGen[T]) -> T:
        """Run a generator of the connection to its end; an interrupt cancels the statement."""

    def patiently(self, link: Any, generator: PQGen[T]) -> T:
        """The same for one that commits: an interrupt waits for the answer."""

    def pause(self, seconds: float) -> None:
        """Let time pass."""

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call what the user gave, which under asyncio may be a coroutine function."""


class Blocking:
    """Blocks the thread."""

    def drive(self, link: Any, generator: PQGen[T]) -> T:
        """See :class:`Waits`."""
        answer: T = link.wait(generator)
        return answer

    def patiently(self, link: Any, generator: PQGen[T]) -> T:
        """See :class:`Waits`."""
        answer: T = link.patiently(generator)
        return answer

    def pause(self, seconds: float) -> None:
        """See :class:`Waits`."""
        time.sleep(seconds)

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """See :class:`Waits`."""
        return function(*arguments)


class Greenlet:
    """Hands the event loop what it waits for; runs inside ``greenlet_spawn``."""

    def drive(self, link: Any, generator: PQGen[T]) -> T:
        """See :class:`Waits`."""
        answer: T = _await(link.wait(generator))
        return answer

    def patiently(self, link: Any, generator: PQGen[T]) -> T:
        """See :class:`Waits`."""
        answer: T = _await(link.patiently(generator))
        return answer

    def pause(self, seconds: float) -> None:
        """See :class:`Waits`."""
        _await(asyncio.sleep(seconds))

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """See :class:`Waits`."""
        result = function(*arguments)
        return _await(result) if inspect.isawaitable(result) else result


def _await(awaitable: Awaitable[T]) -> T:
    answer: T = await_only(awaitable)
    return answer


BLOCKING = Blocking()
GREENLET = Greenlet()
