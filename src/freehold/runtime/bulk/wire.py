"""The few things that bulk work asks of a psycopg connection, with one face for both kinds."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import psycopg
import sqlalchemy as sa
from psycopg import sql
from psycopg.abc import QueryNoTemplate
from psycopg.rows import TupleRow, tuple_row
from sqlalchemy.util import await_

Item = bytes | Sequence[Sequence[Any]]
"""What COPY is fed with: a block in its format, or some rows of Python values."""


class Wire(Protocol):
    """A connection whose transaction has begun."""

    @property
    def driver(self) -> psycopg.Connection[Any] | psycopg.AsyncConnection[Any]:
        """The connection itself."""

    def run(self, query: QueryNoTemplate, values: dict[str, Any] | None = None) -> int:
        """Run a statement; gives the number of rows it touched."""

    def read(self, query: QueryNoTemplate, values: dict[str, Any] | None = None) -> tuple[list[str], list[TupleRow]]:
        """Run a statement; gives the columns' names and the rows."""

    def describe(self, query: QueryNoTemplate) -> Sequence[psycopg.Column]:
        """The columns of a statement that is run for them."""

    def send(self, statement: sql.Composed, items: Iterable[Item]) -> int:
        """Feed a COPY FROM STDIN; gives the number of rows that the server took."""

    def receive(self, statement: sql.Composed, types: Sequence[int] | None = None) -> Iterator[Any]:
        """The rows of a COPY TO STDOUT: as Python values where types are given, else one message a row."""

    def steps(self, source: AsyncIterable[Any]) -> Iterator[Any]:
        """What an asynchronous iterable gives."""


def wire_of(connection: sa.Connection) -> Wire:
    """The wire of a SQLAlchemy connection; under asyncio, inside ``run_sync`` alone."""
    driver = connection.connection.driver_connection
    if isinstance(driver, psycopg.AsyncConnection):
        return AsyncWire(driver)
    assert isinstance(driver, psycopg.Connection)
    return SyncWire(driver)


class SyncWire:
    """A blocking connection."""

    def __init__(self, driver: psycopg.Connection[Any]) -> None:
        self.driver = driver

    def run(self, query: QueryNoTemplate, values: dict[str, Any] | None = None) -> int:
        with self.driver.cursor(row_factory=tuple_row) as cursor:
            return cursor.execute(query, values).rowcount

    def read(self, query: QueryNoTemplate, values: dict[str, Any] | None = None) -> tuple[list[str], list[TupleRow]]:
        with self.driver.cursor(row_factory=tuple_row) as cursor:
            rows = cursor.execute(query, values).fetchall()
            return [column.name for column in cursor.description or ()], rows

    def describe(self, query: QueryNoTemplate) -> Sequence[psycopg.Column]:
        with self.driver.cursor(row_factory=tuple_row) as cursor:
            return cursor.execute(query).description or ()

    def send(self, statement: sql.Composed, items: Iterable[Item]) -> int:
        with self.driver.cursor(row_factory=tuple_row) as cursor:
            with cursor.copy(statement) as copy:
                for item in items:
                    if isinstance(item, bytes):
                        copy.write(item)
                    else:
                        for row in item:
                            copy.write_row(row)
            return cursor.rowcount

    def receive(self, statement: sql.Composed, types: Sequence[int] | None = None) -> Iterator[Any]:
        with self.driver.cursor(row_factory=tuple_row) as cursor, cursor.copy(statement) as copy:
            if types is None:
                yield from copy
            else:
                copy.set_types(types)
                yield from copy.rows()

    def steps(self, source: AsyncIterable[Any]) -> Iterator[Any]:
        raise TypeError("an asynchronous iterable needs an asynchronous session")


class AsyncWire:
    """A connection under asyncio, driven from SQLAlchemy's greenlet."""

    def __init__(self, driver: psycopg.AsyncConnection[Any]) -> None:
        self.driver = driver

    def run(self, query: QueryNoTemplate, values: dict[str, Any] | None = None) -> int:
        with self._cursor() as cursor:
            return await_(cursor.execute(query, values)).rowcount

    def read(self, query: QueryNoTemplate, values: dict[str, Any] | None = None) -> tuple[list[str], list[TupleRow]]:
        with self._cursor() as cursor:
            rows = await_(await_(cursor.execute(query, values)).fetchall())
            return [column.name for column in cursor.description or ()], rows

    def describe(self, query: QueryNoTemplate) -> Sequence[psycopg.Column]:
        with self._cursor() as cursor:
            return await_(cursor.execute(query)).description or ()

    def send(self, statement: sql.Composed, items: Iterable[Item]) -> int:
        with self._cursor() as cursor:
            with self._copy(cursor, statement) as copy:
                for item in items:
                    await_(copy.write(item) if isinstance(item, bytes) else _write_rows(copy, item))
            return cursor.rowcount

    def receive(self, statement: sql.Composed, types: Sequence[int] | None = None) -> Iterator[Any]:
        with self._cursor() as cursor, self._copy(cursor, statement) as copy:
            if types is not None:
                copy.set_types(types)
            while some := await_(_read_some(copy, typed=types is not None)):
                yield from some

    def steps(self, source: AsyncIterable[Any]) -> Iterator[Any]:
        iterator = aiter(source)
        while True:
            try:
                step = await_(_next(iterator))
            except StopAsyncIteration:
                return
            yield step

    @contextmanager
    def _cursor(self) -> Iterator[psycopg.AsyncCursor[TupleRow]]:
        cursor = self.driver.cursor(row_factory=tuple_row)
        try:
            yield cursor
        finally:
            await_(cursor.close())

    @contextmanager
    def _copy(self, cursor: psycopg.AsyncCursor[TupleRow], statement: sql.Composed) -> Iterator[psycopg.AsyncCopy]:
        entered = cursor.copy(statement)
        copy = await_(entered.__aenter__())
        try:
            yield copy
        except BaseException as error:
            if not await_(entered.__aexit__(type(error), error, error.__traceback__)):
                raise
        else:
            await_(entered.__aexit__(None, None, None))


AT_ONCE = 1000
"""Rows read in one step of the event loop: a switch costs more than a row."""


async def _write_rows(copy: psycopg.AsyncCopy, rows: Sequence[Sequence[Any]]) -> None:
    for row in rows:
        await copy.write_row(row)


async def _read_some(copy: psycopg.AsyncCopy, *, typed: bool) -> list[Any]:
    found: list[Any] = []
    while len(found) < AT_ONCE:
        step = await copy.read_row() if typed else bytes(await copy.read())
        if not step:
            break
        found.append(step)
    return found


async def _next(iterator: Any) -> Any:
    return await anext(iterator)
