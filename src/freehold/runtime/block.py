"""A transaction as the block of a with statement, for threads and for asyncio."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Generic, TypeVar

from sqlalchemy.util.concurrency import greenlet_spawn

from freehold.runtime.body import Opened, finish, typed

H = TypeVar("H")


class Block(Generic[H]):
    """Commits at the end of the block, and rolls back when an exception leaves it.

    Parameters
    ----------
    begin
        Opens the transaction, at the beginning of the block.
    """

    __slots__ = ("_begin", "_opened")

    def __init__(self, begin: Callable[[], Opened]) -> None:
        self._begin = begin

    def __enter__(self) -> H:
        self._opened = self._begin()
        handle: H = self._opened.handle
        return handle

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        opened = self._opened
        try:
            if error is None:
                finish(opened, None)
            elif (found := typed(error, opened.unit)) is not error:
                raise found
        finally:
            opened.abandon()


class AsyncBlock(Generic[H]):
    """The same under asyncio."""

    __slots__ = ("_begin", "_opened")

    def __init__(self, begin: Callable[[], Opened]) -> None:
        self._begin = begin

    async def __aenter__(self) -> H:
        self._opened = await greenlet_spawn(self._begin)
        handle: H = self._opened.handle
        return handle

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        opened = self._opened
        try:
            if error is None:
                await greenlet_spawn(finish, opened, None)
            elif (found := typed(error, opened.unit)) is not error:
                raise found
        finally:
            await greenlet_spawn(opened.abandon)
