"""How bulk work behaves: bounded memory, cancellation, asyncio, and what a history sees of it."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator, Iterator
from typing import Any

import polars as pl
import psycopg
import pytest
import sqlalchemy as sa

from freehold.errors import InputError
from freehold.runtime import AsyncDatabase, Database, Session
from freehold.runtime.bulk import Changed
from tests.rooms.tenancy.layer import A, Customer
from tests.runtime.bulk_ground import KINDS, make_kinds
from tests.runtime.conftest import Shop


def count(session: Session) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(Customer)) or 0


@pytest.fixture
def kinds(shop: Shop, db: Database) -> Database:
    make_kinds(shop, guarded=True)
    return db


class Row(list[Any]):
    """A row that can be seen to be gone."""


def watched(made: Iterator[Any], alive: set[int], most: list[int]) -> Iterator[Any]:
    """Hand each thing on, and note how many are still held when the next one is asked for."""
    for number, each in enumerate(made):
        alive.add(number)
        weakref.finalize(each, alive.discard, number)
        yield each
        del each
        most.append(len(alive))


def test_no_more_of_the_input_is_held_than_is_under_way(kinds: Database) -> None:
    """200,000 rows of Python values, then 50 frames: whoever collected them first would hold them all."""
    rows, frames = list[int](), list[int]()
    with kinds.transaction(tenant=A, actor="ana", workload="bulk") as session:
        made = (Row((number, "a line")) for number in range(200_000))
        assert session.copy_in(KINDS, ["id", "name"], watched(made, set(), rows)) == 200_000
        parts = (pl.DataFrame({"id": [200_000 + number], "name": ["a line"]}) for number in range(50))
        assert session.copy_in(KINDS, rows=watched(parts, set(), frames)) == 50
    assert (len(rows), len(frames)) == (200_000, 50)
    assert max(rows) < 3000
    assert max(frames) <= 3


@pytest.mark.parametrize("form", ["rows", "csv", "text", "arrow"])
def test_results_are_given_while_the_server_still_sends(db: Database, form: Any) -> None:
    """A result that nobody could hold, and whose end nobody would live to see."""
    with db.transaction(tenant=A, actor="ana", workload="bulk") as session, session.begin_nested() as part:
        source: Any = session.copy_out(sa.select(sa.func.generate_series(1, 10**12)), form=form)
        assert next(source)
        assert next(source)
        source.close()
        part.rollback()


def test_rows_that_end_in_an_error_leave_nothing(db: Database) -> None:
    class Stopped(Exception):
        """The input ends here."""

    def broken() -> Iterator[tuple[str]]:
        for number in range(5000):
            yield (f"c{number}@example.org",)
        raise Stopped

    def frames() -> Iterator[pl.DataFrame]:
        yield pl.DataFrame({"email": [f"c{n}@example.org" for n in range(5000)]})
        raise Stopped

    with pytest.raises(Stopped), db.transaction(tenant=A, actor="ana") as session:
        session.copy_in(Customer, ["email"], broken())
    with pytest.raises(Stopped), db.transaction(tenant=A, actor="ana") as session:
        session.copy_in(Customer, rows=frames())
    with db.transaction(tenant=A, actor="ana") as session:
        assert count(session) == 3
        with session.begin_nested() as part:
            with pytest.raises(Stopped):
                session.copy_in(Customer, ["email"], broken())
            part.rollback()
        assert session.copy_in(Customer, ["email"], [("after@example.org",)]) == 1
        assert count(session) == 4


def test_a_load_that_the_server_cancels_leaves_nothing(db: Database, shop: Shop) -> None:
    def rows(pid: int) -> Iterator[tuple[str]]:
        for number in range(200_000):
            if number == 150_000:
                with shop.database.connect(autocommit=True) as other:
                    other.execute("SELECT pg_cancel_backend(%s)", (pid,))
            yield (f"c{number}@example.org",)

    with pytest.raises(Exception) as caught, db.transaction(tenant=A, actor="ana") as session:
        session.copy_in(Customer, ["email"], rows(session.psycopg().info.backend_pid))
    cause: BaseException = caught.value
    while not isinstance(cause, psycopg.Error) and cause.__cause__ is not None:
        cause = cause.__cause__
    assert isinstance(cause, psycopg.errors.QueryCanceled)
    with db.transaction(tenant=A, actor="ana") as session:
        assert count(session) == 3


def test_rows_of_another_width_are_refused(db: Database) -> None:
    for rows in ([("a", "b")], [("a",), ()]):
        with pytest.raises(InputError), db.transaction(tenant=A, actor="ana") as session:
            session.copy_in(Customer, ["email"], rows)
    with db.transaction(tenant=A, actor="ana") as session:
        for columns in (None, ["nowhere"], ["email", "email"]):
            with pytest.raises(InputError):
                session.copy_in(Customer, columns, [("a",)])
        assert count(session) == 3


def test_mappings_bring_their_names(db: Database) -> None:
    rows: list[dict[str, Any]] = [{"email": "m1@example.org", "id": 201}, {"id": 202, "email": "m2@example.org"}]
    with db.transaction(tenant=A, actor="ana") as session:
        assert session.copy_in(Customer, rows=rows) == 2
        assert session.scalar(sa.select(Customer.email).where(Customer.id == 202)) == "m2@example.org"


async def _arriving() -> AsyncIterator[tuple[str]]:
    for number in range(2500):
        if number % 1000 == 0:
            await asyncio.sleep(0)
        yield (f"c{number}@example.org",)


async def _frames() -> AsyncIterator[pl.DataFrame]:
    for number in range(2):
        await asyncio.sleep(0)
        yield pl.DataFrame({"email": [f"f{number}-{n}@example.org" for n in range(10)]})


async def _all_of_it(shop: Shop) -> None:
    db = await AsyncDatabase.connect(shop.url(), **shop.place)
    async with db.transaction(tenant=A, actor="ana") as session:
        assert await session.copy_in(Customer, ["email"], _arriving()) == 2500
        assert await session.copy_in(Customer, rows=_frames()) == 20
        assert await session.copy_in(Customer, rows=pl.DataFrame({"email": ["arrow@example.org"]})) == 1
        some = [{"id": 9900, "email": "u@example.org"}]
        assert await session.upsert(Customer, some, key=["id"]) == Changed(1, inserted=1)
        assert await session.merge_rows(Customer, some, on=["id"], matched="delete") == Changed(1, deleted=1)
        query = sa.select(Customer.email).order_by(Customer.id)
        emails = [email async for (email,) in session.copy_out(query)]
        assert len(emails) == 2524
        batches = [batch async for batch in session.copy_out(query, form="arrow")]
        assert batches[0].column(0).to_pylist() == emails
        blocks = [block async for block in session.copy_out(query, form="csv")]
        assert b"".join(blocks).decode().splitlines() == emails
        with pytest.raises(InputError):
            await session.copy_in(Customer, rows=pl.DataFrame({"email": [1]}))
    await db.dispose()


def test_the_same_under_asyncio(shop: Shop) -> None:
    asyncio.run(_all_of_it(shop))


async def _cancelled(shop: Shop) -> int:
    db = await AsyncDatabase.connect(shop.url(), **shop.place)
    under_way = asyncio.Event()

    async def endless() -> AsyncIterator[tuple[str]]:
        for number in range(10_000_000):
            if number == 3000:
                under_way.set()
            if number % 500 == 0:
                await asyncio.sleep(0.001)
            yield (f"c{number}@example.org",)

    async def load() -> None:
        async with db.transaction(tenant=A, actor="ana") as session:
            await session.copy_in(Customer, ["email"], endless())

    task = asyncio.create_task(load())
    await under_way.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with db.transaction(tenant=A, actor="ana") as session:
        left = await session.scalar(sa.select(sa.func.count()).select_from(Customer))
    await db.dispose()
    return left or 0


def test_a_task_that_is_cancelled_leaves_nothing(shop: Shop) -> None:
    assert asyncio.run(_cancelled(shop)) == 3
