"""Every way into the database works through PgBouncer, and none leaves anything on a server's session."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
import sqlalchemy as sa

from freehold.errors import FreeholdError
from freehold.runtime import AsyncDatabase, Database, Workload
from freehold.runtime.literal import sql
from freehold.servers import Pooler
from freehold.testing.servers import POOL_SIZE
from tests.rooms.tenancy.layer import TABLES, A, B, Customer
from tests.runtime.conftest import PASSWORD, Shop
from torture.leftovers import Leftovers, leftovers

CUSTOMER = TABLES["shop.customer"]
BRIEF = Workload("brief", isolation="repeatable read", statement_timeout=0.3)
WAYS = 8
FAILING = (2, 3, 4)
CLIENTS = 3 * POOL_SIZE


@pytest.fixture
def url(shop: Shop, pooler: Pooler) -> str:
    return pooler.url(shop.database.name, user=f"{shop.name}_app_a", password=PASSWORD)


@pytest.fixture
def db(shop: Shop, url: str) -> Iterator[Database]:
    made = Database.connect(url, **shop.place, pool_size=CLIENTS, max_overflow=0, workloads=(BRIEF,))
    yield made
    made.dispose()


@contextmanager
def watched(url: str) -> Iterator[None]:
    """The server's sessions are afterwards as they were."""
    with leftovers(url, POOL_SIZE) as sessions:
        before = sessions.read()
    yield
    with leftovers(url, POOL_SIZE) as sessions:
        assert Leftovers.compare(before, sessions.read()) == []


def by_any_way(db: Database, number: int) -> None:
    """One transaction, each number in another way, some of which fail."""
    tenant, way = (A, B)[number % 2], number // 2 % WAYS
    with db.transaction(tenant=tenant, actor=str(number), workload="brief" if way == 2 else "default") as session:
        assert {row.tenant_id for row in session.scalars(sa.select(Customer))} == {tenant}
        assert session.scalar(sql("SELECT freehold.actor_v1()")) == str(number)
        if way == 0:
            session.lock("a name of the shop")
        elif way == 1:
            session.copy_in(Customer, ["email"], [(f"{number}@example.net",)])
        elif way == 2:
            session.execute(sql("SELECT pg_sleep(30)"))
        elif way == 3:
            session.execute(sql("SELECT 1 / 0"))
        elif way == 4:
            with session.begin_nested():
                session.execute(sql("SELECT 1 / 0"))
        elif way == 5:
            session.copy_in(Customer, ["email"], [(f"{number}@example.net",)] * 2, skip_conflicts=True)
        elif way == 6:
            session.add(Customer(email=f"{number}@example.net"))


def test_threads_leave_nothing(db: Database, url: str) -> None:

    def once(number: int) -> str:
        try:
            by_any_way(db, number)
        except FreeholdError as error:
            return "" if number // 2 % WAYS in FAILING else f"{number}: {error}"
        return f"{number} did not fail" if number // 2 % WAYS in FAILING else ""

    with watched(url), ThreadPoolExecutor(CLIENTS) as threads:
        assert list(filter(None, threads.map(once, range(6 * WAYS)))) == []


def test_the_fast_path_leaves_nothing(db: Database, url: str) -> None:
    select = sa.select(CUSTOMER.c.tenant_id)
    insert = sa.insert(CUSTOMER).values(tenant_id=sa.bindparam("owner"), email=sa.bindparam("email"))

    def once(number: int) -> bool:
        tenant = (A, B)[number % 2]
        with db.core(tenant=tenant, actor=str(number)) as tx:
            found = {row.tenant_id for row in tx.execute(select)}
            if number % 3:
                tx.finish((insert, {"owner": tenant, "email": f"{number}@example.net"}))
        return found == {tenant}

    with watched(url), ThreadPoolExecutor(CLIENTS) as threads:
        assert all(threads.map(once, range(60)))


async def _tasks(shop: Shop, url: str) -> None:
    db = await AsyncDatabase.connect(url, **shop.place, pool_size=CLIENTS, max_overflow=0)

    async def once(number: int) -> None:
        tenant = (A, B)[number % 2]
        async with db.transaction(tenant=tenant, actor=str(number)) as session:
            rows = (await session.scalars(sa.select(Customer))).all()
            assert {row.tenant_id for row in rows} == {tenant}
            if number % 4 == 0:
                await session.execute(sql("SELECT pg_sleep(30)"))

    tasks = [asyncio.create_task(once(number)) for number in range(60)]
    await asyncio.sleep(0.5)
    for task in tasks[::4]:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    await db.dispose()
    assert [type(end) for end in ended if isinstance(end, BaseException)] == [asyncio.CancelledError] * 15


def test_cancelled_tasks_leave_nothing(shop: Shop, url: str) -> None:
    with watched(url):
        asyncio.run(_tasks(shop, url))


def test_what_is_left_is_seen(url: str) -> None:
    with (
        pytest.raises(AssertionError, match=r"freehold\.context"),
        watched(url),
        psycopg.connect(url, autocommit=True) as careless,
    ):
        careless.execute("SELECT set_config('freehold.context', 'kept', false)")
