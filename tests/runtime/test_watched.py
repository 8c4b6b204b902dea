"""An application's database notices a dead server, and explains a deadlock, in every way into it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from freehold.advisories import NEEDS, advisories_for, version_of
from freehold.errors import CommitUnknown, Deadlock, PeerDead, VersionRefused
from freehold.events import DeadlockMet, Event, PeerLost, VersionAdvisory
from freehold.runtime import AsyncDatabase, Database, Workload
from freehold.testing.proxy import Cut, KillableProxy
from tests.rooms.tenancy.layer import A, Customer
from tests.runtime.conftest import Shop

LIMIT = 1.5
SLOW = sa.select(sa.func.pg_sleep(0))


@pytest.fixture
def told() -> list[Event]:
    return []


@pytest.fixture
def proxied(shop: Shop, killable_proxy: KillableProxy) -> str:
    server = shop.database.server
    return shop.url().replace(f"@{server.host}:{server.port}", f"@{killable_proxy.host}:{killable_proxy.port}")


@pytest.mark.parametrize("core", [False, True])
def test_a_lost_answer(shop: Shop, proxied: str, killable_proxy: KillableProxy, told: list[Event], core: bool) -> None:
    db = Database.connect(proxied, **shop.place, listener=told.append)
    begin = db.core if core else db.transaction
    with pytest.raises(PeerDead), begin(tenant=A, actor="ana") as work:
        work.execute(SLOW)
        killable_proxy.cut(Cut.SILENCE)
        began = time.monotonic()
        work.execute(SLOW)
    assert time.monotonic() - began <= LIMIT
    db.dispose()
    until = time.monotonic() + 5
    while PeerLost not in {type(event) for event in told}:
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_lost_commit(shop: Shop, proxied: str, killable_proxy: KillableProxy) -> None:
    db = Database.connect(proxied, **shop.place)
    with pytest.raises(CommitUnknown), db.transaction(tenant=A, actor="ana") as session:
        session.add(Customer(email="new"))
        session.flush()
        killable_proxy.cut(Cut.SILENCE)
        began = time.monotonic()
    assert time.monotonic() - began <= LIMIT
    db.dispose()


def test_under_asyncio(shop: Shop, proxied: str, killable_proxy: KillableProxy) -> None:
    async def run() -> float:
        db = await AsyncDatabase.connect(proxied, **shop.place)
        with pytest.raises(PeerDead):
            async with db.transaction(tenant=A, actor="ana") as session:
                await session.execute(SLOW)
                killable_proxy.cut(Cut.SILENCE)
                began = time.monotonic()
                await session.execute(SLOW)
        await db.dispose()
        return time.monotonic() - began

    assert asyncio.run(run()) <= LIMIT


def test_a_deadlock_is_explained(connect: Callable[..., Database], told: list[Event]) -> None:
    db = connect(listener=told.append)
    gate = threading.Barrier(2)
    met: list[Deadlock] = []
    with db.transaction(tenant=A, actor="ana") as session:
        one, two = session.scalars(sa.select(Customer.id).order_by(Customer.id).limit(2)).all()

    def lock(first: Any, second: Any) -> None:
        try:
            with db.transaction(tenant=A, actor="ana") as session:
                session.execute(sa.select(Customer.id).where(Customer.id == first).with_for_update())
                gate.wait(10)
                session.execute(sa.select(Customer.id).where(Customer.id == second).with_for_update())
        except Deadlock as error:
            met.append(error)

    threads = [threading.Thread(target=lock, args=order) for order in ((one, two), (two, one))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    (error,) = met
    assert "primary key: shop.customer" in error.hint
    (event,) = [each for each in told if isinstance(each, DeadlockMet)]
    assert event.tables == event.other_tables == ("shop.customer",)
    assert event.other_statement


def test_versions_are_told_and_a_hole_is_refused_where_versions_are_declared(shop: Shop, told: list[Event]) -> None:
    ledger = Workload("ledger", isolation="serializable")
    Database.connect(shop.url(), **shop.place, workloads=(ledger,), listener=told.append).dispose()
    known = {each.identifier for each in told if isinstance(each, VersionAdvisory)}
    with shop.database.connect() as admin:
        version = version_of(admin.info.server_version)
    holes = {each.identifier for each in advisories_for({"server": version}) if each.promise in NEEDS["serializable"]}
    assert holes <= known
    accepted = dict.fromkeys(holes, "a test")
    Database.connect(shop.url(), **shop.place, workloads=(ledger,), accepted=accepted).dispose()
    if holes:
        with pytest.raises(VersionRefused):
            Database.connect(shop.url(), **shop.place, workloads=(ledger,), accepted={})
