"""A connection that drops in the middle of a transaction: told, rolled back unless it was committed, and replaced."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from psycopg.sql import SQL, Identifier

from freehold import Database
from freehold.errors import CommitUnknown, ConnectionLost, ServerDown
from freehold.runtime.literal import sql
from freehold.testing.proxy import Cut, KillableProxy
from tests.bad_input.ground import ONE, Ground

INSERT = SQL("INSERT INTO {}.customer (tenant_id, name) VALUES ({}, 'Grace')")
NAMED = "SELECT count(*) FROM {layer}.customer WHERE name = 'Grace'"


@pytest.fixture
def insert(ground: Ground) -> sa.TextClause:
    made = sql(INSERT.format(Identifier(ground.name), ONE))
    assert isinstance(made, sa.TextClause)
    return made


@pytest.fixture
def db(ground: Ground, killable_proxy: KillableProxy, connect: Callable[..., Database]) -> Database:
    """The application's way in, through the proxy, on one connection."""
    return connect(through(ground, killable_proxy), pool_size=1, max_overflow=0)


def through(ground: Ground, proxy: KillableProxy) -> str:
    """The application's URL by way of the proxy."""
    return ground.url.replace(f":{ground.database.server.port}/", f":{proxy.port}/")


def works(db: Database, insert: sa.TextClause) -> None:
    """The next transaction has a new connection, and a context that fits it."""
    with db.transaction(tenant=ONE, actor="ada") as session:
        session.execute(insert)
        session.execute(sql("SELECT freehold.tenant_v1()"))


@pytest.mark.parametrize("how", [Cut.RESET, Cut.CLOSE])
def test_before_the_commit(
    ground: Ground, db: Database, killable_proxy: KillableProxy, insert: sa.TextClause, how: Cut
) -> None:
    with pytest.raises(ConnectionLost) as caught, db.transaction(tenant=ONE, actor="ada") as session:
        session.execute(insert)
        killable_proxy.cut(how)
        session.execute(insert)
    assert "rolled back" in caught.value.hint
    assert ground.ask(NAMED) == [(0,)]
    works(db, insert)
    assert ground.ask(NAMED) == [(1,)]


@pytest.mark.parametrize("arrived", [False, True])
def test_at_the_commit(
    ground: Ground, db: Database, killable_proxy: KillableProxy, insert: sa.TextClause, arrived: bool
) -> None:
    """Whether the server got the COMMIT or not, the application learns that nobody knows, and no more."""
    arm = killable_proxy.cut_after if arrived else killable_proxy.cut_before
    with pytest.raises(CommitUnknown), db.transaction(tenant=ONE, actor="ada") as session:
        session.execute(insert)
        arm(b"COMMIT")
    assert ground.ask(NAMED) == [(int(arrived),)]
    works(db, insert)


def test_in_the_middle_of_a_copy(
    ground: Ground, db: Database, killable_proxy: KillableProxy, insert: sa.TextClause
) -> None:
    table = ground.layer().metadata.tables[f"{ground.name}.customer"]

    def rows() -> Iterator[tuple[Any, ...]]:
        for number in range(20_000):
            if number == 10_000:
                killable_proxy.cut()
            yield (uuid.UUID(ONE), "Grace")

    with pytest.raises(ConnectionLost), db.transaction(tenant=ONE, actor="ada") as session:
        session.copy_in(table, ["tenant_id", "name"], rows())
    assert ground.ask(NAMED) == [(0,)]
    works(db, insert)


def test_under_asyncio(ground: Ground, killable_proxy: KillableProxy, insert: sa.TextClause) -> None:
    async def work() -> None:
        db = await ground.layer().connect_async(through(ground, killable_proxy), keys=ground.keys, pool_size=1)
        with pytest.raises(ConnectionLost):
            async with db.transaction(tenant=ONE, actor="ada") as session:
                await session.execute(insert)
                killable_proxy.cut()
                await session.execute(insert)
        async with db.transaction(tenant=ONE, actor="ada") as session:
            await session.execute(insert)
        await db.dispose()

    asyncio.run(work())
    assert ground.ask(NAMED) == [(1,)]


def test_nothing_to_connect_to_any_more(
    ground: Ground, db: Database, killable_proxy: KillableProxy, insert: sa.TextClause
) -> None:
    killable_proxy.refuse()
    killable_proxy.cut()
    with pytest.raises(ServerDown), db.transaction(tenant=ONE, actor="ada") as session:
        session.execute(insert)
    killable_proxy.resume()
    works(db, insert)
    assert ground.ask(NAMED) == [(1,)]
