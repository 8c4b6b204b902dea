"""How the one body of the runtime waits: blocking a thread, or through SQLAlchemy's greenlets under asyncio."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from psycopg.abc import PQGen
from sqlalchemy.util.concurrency import await_only

from freehold.runtime.driver import Link

T = TypeVar("T")


class Waits(Protocol):
    """What the runtime waits for."""

    def drive(self, link: Link, generator: PQGen[T]) -> T:
        """Run a generator of the connection to its end; an interrupt cancels the statement."""

    def patiently(self, link: Link, generator: PQGen[T]) -> T:
        """The same for one that commits: an interrupt waits for the answer."""

    def pause(self, seconds: float) -> None:
        """Let time pass."""

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call what the user gave, which under asyncio may be a coroutine function."""

    def close(self, link: Link) -> None:
        """Close a connection that cannot be used again."""


class Blocking:
    """Blocks the thread."""

    def drive(self, link: Link, generator: PQGen[T]) -> T:
        """See :class:`Waits`."""
        return link.wait(generator)  # type: ignore[attr-defined, no-any-return]

    def patiently(self, link: Link, generator: PQGen[T]) -> T:
        """See :class:`Waits`."""
        return link.patiently(generator)  # type: ignore[attr-defined, no-any-return]

    def pause(self, seconds: float) -> None:
        """See :class:`Waits`."""
        time.sleep(seconds)

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """See :class:`Waits`."""
        return function(*arguments)

    def close(self, link: Link) -> None:
        """See :class:`Waits`."""
        link.close()  # type: ignore[attr-defined]


class Greenlet:
    """Hands the event loop what it waits for; runs inside ``greenlet_spawn``."""

    def drive(self, link: Link, generator: PQGen[T]) -> T:
        """See :class:`Waits`."""
        return _await(link.wait(generator))  # type: ignore[attr-defined]

    def patiently(self, link: Link, generator: PQGen[T]) -> T:
        """See :class:`Waits`."""
        return _await(link.patiently(generator))  # type: ignore[attr-defined]

    def pause(self, seconds: float) -> None:
        """See :class:`Waits`."""
        _await(asyncio.sleep(seconds))

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """See :class:`Waits`."""
        result = function(*arguments)
        return _await(result) if inspect.isawaitable(result) else result

    def close(self, link: Link) -> None:
        """See :class:`Waits`."""
        _await(link.close())  # type: ignore[attr-defined]


def _await(awaitable: Awaitable[T]) -> T:
    return await_only(awaitable)


BLOCKING = Blocking()
GREENLET = Greenlet()
