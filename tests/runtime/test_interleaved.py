"""Two tenants at the same time, on threads and on tasks, through few connections: nobody sees the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from freehold.errors import CommitInside, ContextMissing, UnsafeLogin
from freehold.runtime import AsyncDatabase, Database
from freehold.runtime.literal import sql
from tests.rooms.tenancy.layer import A, B, Customer, Order
from tests.runtime.conftest import Shop

ROUNDS = 60


def test_threads(connect: Callable[..., Database]) -> None:
    db = connect(pool_size=2, max_overflow=0)

    def once(number: int) -> bool:
        tenant = (A, B)[number % 2]
        try:
            with db.transaction(tenant=tenant, actor=str(number)) as session:
                rows = session.scalars(sa.select(Customer)).all()
                actor = session.scalar(sql("SELECT freehold.actor_v1()"))
                if number % 5 == 0:
                    raise KeyError(number)
                return len(rows) == 3 and {row.tenant_id for row in rows} == {tenant} and actor == str(number)
        except KeyError:
            return True

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(once, range(ROUNDS)))


async def _tasks(shop: Shop) -> None:
    db = await AsyncDatabase.connect(shop.url(), **shop.place, pool_size=2, max_overflow=0)

    async def once(number: int) -> None:
        tenant = (A, B)[number % 2]
        async with db.transaction(tenant=tenant, actor=str(number)) as session:
            rows = (await session.scalars(sa.select(Customer))).all()
            await asyncio.sleep(0)
            assert await session.scalar(sql("SELECT freehold.actor_v1()")) == str(number)
            assert {row.tenant_id for row in rows} == {tenant}

    await asyncio.gather(*(once(number) for number in range(ROUNDS)))
    await db.dispose()


def test_tasks(shop: Shop) -> None:
    asyncio.run(_tasks(shop))


async def _cancelled(shop: Shop) -> None:
    db = await AsyncDatabase.connect(shop.url(), **shop.place, pool_size=1, max_overflow=0)

    async def slow() -> None:
        async with db.transaction(tenant=A, actor="ana") as session:
            await session.execute(sa.delete(Order))
            await session.execute(sql("SELECT pg_sleep(30)"))

    task = asyncio.create_task(slow())
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with db.transaction(tenant=A, actor="ana") as session:
        assert len((await session.scalars(sa.select(Order))).all()) == 1
    await db.dispose()


def test_a_cancelled_task_leaves_nothing_behind(shop: Shop) -> None:
    asyncio.run(_cancelled(shop))


async def _twin(shop: Shop) -> None:
    db = await AsyncDatabase.connect(shop.url(), **shop.place)
    async with db.transaction(tenant=A, actor="ana") as session:
        assert await session.copy_in(Customer, ["email"], [("c1@example.org",), ("c2@example.org",)]) == 2
        assert await session.copy_in(Customer, ["email"], [b"c3@example.org\n"]) == 1
        raw = await session.psycopg()
        cursor = await raw.execute("SELECT count(*) FROM shop.customer")
        assert await cursor.fetchone() == (6,)
        session.add(Customer(email="c4@example.org"))
    async with db.transaction(tenant=A, actor="ana", read_only=True) as session:
        assert len((await session.scalars(sa.select(Customer))).all()) == 7
    with pytest.raises(CommitInside):
        async with db.transaction(tenant=A, actor="ana") as session:
            await session.commit()
    with pytest.raises(ContextMissing):
        async with db.transaction(actor="ana") as session:
            (await session.scalars(sa.select(Customer))).all()
    await db.dispose()


def test_the_async_twin_does_what_the_session_does(shop: Shop) -> None:
    asyncio.run(_twin(shop))


def test_the_async_twin_refuses_the_same_logins(shop: Shop) -> None:
    with pytest.raises(UnsafeLogin):
        asyncio.run(AsyncDatabase.connect(shop.database.url(), **shop.place))
