"""A pool that runs dry says who holds its connections, and one kind of work does not take another's."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from freehold import AsyncDatabase, CoreTransaction
from freehold.errors import ConfigError, PoolExhausted
from freehold.events import PoolWaited
from freehold.runtime.pools import Pool
from freehold.runtime.workload import Workload

from .conftest import WHO, Ledger
from .layer import TWO, Entry

COUNT = sa.select(sa.func.count()).select_from(Entry)
SMALL: dict[str, Any] = {"pool_size": 1, "max_overflow": 0, "pool_timeout": 0.1}
REPORTS: dict[str, Any] = {
    "workloads": (Workload("report", pool="reports"),),
    "pools": (Pool("reports", size=1, overflow=0, wait=0.1),),
}


def counted(tx: CoreTransaction) -> int:
    return int(tx.execute(COUNT).scalar_one())


@pytest.mark.parametrize("path", ["transaction", "core"])
def test_an_exhausted_pool_names_its_holders(ledger: Ledger, path: str) -> None:
    db = ledger.connect(**SMALL)
    with db.transaction(**WHO) as session:
        session.execute(COUNT)
        with (
            pytest.raises(PoolExhausted, match="pool main") as caught,
            getattr(db, path)(tenant=TWO, actor="ben") as tx,
        ):
            tx.execute(COUNT)
    assert "ana (workload default) for 0." in caught.value.detail
    assert str(WHO["tenant"]) not in str(caught.value)
    with db.core(**WHO) as again:
        assert again.execute(COUNT).scalar_one() == 0


def test_who_waits_for_a_connection_is_told_of(ledger: Ledger) -> None:
    db = ledger.connect(pool_size=1, max_overflow=0)
    ledger.told.clear()
    with db.core(**WHO) as tx:
        tx.execute(COUNT)
    with ThreadPoolExecutor(1) as other:
        with db.transaction(**WHO) as session:
            session.execute(COUNT)
            waiting = other.submit(lambda: db.run_core(counted, **WHO))
            time.sleep(0.05)
        assert waiting.result() == 0
    waited = ledger.of(PoolWaited)
    assert {event.pool for event in waited} == {"main"}
    assert max(event.seconds for event in waited) > 0.04


def test_a_workload_has_its_own_pool(ledger: Ledger) -> None:
    db = ledger.connect(**SMALL, **REPORTS)
    with db.transaction(**WHO) as one, db.transaction(workload="report", **WHO) as two:
        one.execute(COUNT)
        two.execute(COUNT)
        with pytest.raises(PoolExhausted, match="pool reports") as caught, db.core(workload="report", **WHO) as three:
            three.execute(COUNT)
    assert "workload report" in caught.value.detail


def test_under_asyncio(ledger: Ledger) -> None:
    async def main(db: AsyncDatabase) -> None:
        async with db.transaction(**WHO) as session:
            await session.execute(COUNT)
            with pytest.raises(PoolExhausted, match="pool main") as caught:
                async with db.core(tenant=TWO, actor="ben") as tx:
                    await tx.execute(COUNT)
            assert "ana (workload default)" in caught.value.detail
            async with db.core(workload="report", **WHO) as other:
                await other.execute(COUNT)
        await asyncio.gather(*(count(db) for _ in range(1)))

    async def count(db: AsyncDatabase) -> None:
        async with db.core(**WHO) as tx:
            await tx.execute(COUNT)

    ledger.run_async(main, **SMALL, **REPORTS)


def test_an_unknown_pool_is_named(ledger: Ledger) -> None:
    db = ledger.connect(workloads=(Workload("report", pool="nowhere"),))
    with pytest.raises(ConfigError, match="nowhere"), db.transaction(workload="report", **WHO) as session:
        session.execute(COUNT)


def test_connections_come_back_after_failures(ledger: Ledger) -> None:
    db = ledger.connect(**SMALL)
    for path in ("transaction", "core"):
        for _ in range(3):
            with pytest.raises(KeyError), getattr(db, path)(**WHO) as tx:
                tx.execute(COUNT)
                raise KeyError("of the application")
    with db.core(**WHO) as tx:
        assert tx.execute(COUNT).scalar_one() == 0
