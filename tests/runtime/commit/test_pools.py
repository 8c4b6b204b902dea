"""A pool that runs dry says who holds its connections, and one kind of work does not take another's."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from threading import Barrier
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from freehold import AsyncDatabase, CoreTransaction
from freehold.errors import ConfigError, PoolExhausted
from freehold.events import PoolWaited
from freehold.runtime import pools
from freehold.runtime.pools import Pool
from freehold.runtime.workload import Workload

from .conftest import RING, WHO, Ledger
from .layer import TWO, Entry

COUNT = sa.select(sa.func.count()).select_from(Entry)
WAIT = 10.0
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


def test_the_last_connection_goes_to_one_of_two_at_once(ledger: Ledger) -> None:
    db, gate = ledger.connect(pool_size=2, max_overflow=0, pool_timeout=0.1), Barrier(2)

    def hold(turn: int) -> bool:
        gate.wait(WAIT)
        try:
            lease = db._body.primary.lend()
        except PoolExhausted:
            lease = None
        gate.wait(WAIT)
        if lease is not None:
            lease.give_back()
        return lease is not None

    taken = db._body.primary.lend()
    with ThreadPoolExecutor(2) as two:
        for turn in range(20):
            assert sorted(two.map(hold, (turn, turn))) == [False, True]
    taken.give_back()
    pool: Any = db.engine.pool
    assert (pool.checkedin(), pool.checkedout()) == (2, 0)


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


def _kill_all(ledger: Ledger) -> None:
    with ledger.admin() as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid()"
        )


@pytest.mark.parametrize("path", ["transaction", "core"])
def test_connecting_is_no_waiting(ledger: Ledger, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    made = pools.Holders.tell_wait

    def late(holders: pools.Holders, record: Any, began: float) -> None:
        # As if a minute had passed since the connection was made.
        monkeypatch.setattr(pools, "time", SimpleNamespace(time=lambda: time.time() + 60, monotonic=time.monotonic))
        made(holders, record, began)
        monkeypatch.setattr(pools, "time", time)

    db = ledger.connect(pool_size=1, max_overflow=0)
    _kill_all(ledger)
    ledger.told.clear()
    monkeypatch.setattr(pools.Holders, "tell_wait", late)
    monkeypatch.setattr(pools, "NOTICED", 30)
    for expected in (0, 1, 2):
        with getattr(db, path)(**WHO) as tx:
            tx.execute(COUNT)
        assert len(ledger.of(PoolWaited)) == expected


def test_the_waiting_before_a_connecting_is_told() -> None:
    told: list[Any] = []
    began = 1_700_000_000.0
    pools.Holders("main", told.append).tell_wait(SimpleNamespace(starttime=began + 5), began)
    assert told == [PoolWaited("main", 5.0)]


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("path", ["transaction", "core"])
@pytest.mark.parametrize("fault", [ValueError, KeyboardInterrupt])
def test_a_listener_takes_no_place_of_the_pool(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, path: str, fault: type[BaseException]
) -> None:
    def listener(event: object) -> None:
        if isinstance(event, PoolWaited):
            raise fault

    db = ledger.layer.connect(ledger.url(), keys=RING, listener=listener, **SMALL)
    ledger.opened.append(db)
    monkeypatch.setattr(pools, "NOTICED", -1)
    for _ in range(3):
        with (
            nullcontext() if fault is ValueError else pytest.raises(fault),
            getattr(db, path)(**WHO) as tx,
        ):
            tx.execute(COUNT)
    monkeypatch.undo()
    with db.core(**WHO) as tx:
        assert tx.execute(COUNT).scalar_one() == 0


def test_nor_under_asyncio(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    def tell(holders: pools.Holders, record: object, began: float) -> None:
        raise asyncio.CancelledError

    async def main(db: AsyncDatabase) -> None:
        for path in ("transaction", "core"):
            with monkeypatch.context() as patched:
                patched.setattr(pools.Holders, "tell_wait", tell)
                for _ in range(3):
                    with pytest.raises(asyncio.CancelledError):
                        async with getattr(db, path)(**WHO) as tx:
                            await tx.execute(COUNT)
            async with db.core(**WHO) as after:
                assert (await after.execute(COUNT)).scalar_one() == 0

    ledger.run_async(main, **SMALL)


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
