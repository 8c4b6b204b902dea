"""What a user's tests are given: their layer applied, a database a test, tenants, and a proof that can fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from freehold import DataLayer
from freehold.kernel.prove import Verdict
from freehold.testing.layers import LayerDatabase
from tests.runtime.commit.layer import Entry, layer

pytest_plugins = ["pytester"]


@pytest.fixture(scope="session")
def freehold_layer() -> DataLayer:
    return layer("tested")


def entries(made: LayerDatabase, tenant: Any) -> list[str]:
    with made.connect().transaction(tenant=tenant, actor="ana") as session:
        return list(session.scalars(sa.select(Entry.mark)))


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_a_database_of_its_own(
    freehold_database: LayerDatabase, tenant: Any, other_tenant: Any, turn: int
) -> None:
    with freehold_database.connect().transaction(tenant=tenant, actor="ana") as session:
        session.add(Entry(mark=f"turn {turn}"))
    assert entries(freehold_database, tenant) == [f"turn {turn}"]
    assert entries(freehold_database, other_tenant) == []


def test_every_promise_holds(prove: Callable[..., list[Verdict]]) -> None:
    assert {verdict.room for verdict in prove()} >= {"tenancy", "roles", "outcomes"}
    assert {verdict.room for verdict in prove("roles")} == {"roles"}


def test_what_a_test_breaks_is_told(freehold_database: LayerDatabase, prove: Callable[..., list[Verdict]]) -> None:
    with freehold_database.admin() as connection:
        connection.execute("ALTER TABLE ledger.entry DISABLE ROW LEVEL SECURITY")
    with pytest.raises(AssertionError, match=r"broken: tenancy: .*ledger\.entry"):
        prove("tenancy")


def test_asyncio(freehold_database: LayerDatabase, tenant: Any) -> None:
    async def main() -> int | None:
        db = await freehold_database.connect_async()
        async with db.transaction(tenant=tenant, actor="ana") as session:
            session.add(Entry(mark="one"))
            found = await session.scalar(sa.select(sa.func.count()).select_from(Entry))
        await db.dispose()
        return found

    assert asyncio.run(main()) == 1


def test_a_tenant_is_as_the_test_wants_it(freehold_database: LayerDatabase) -> None:
    assert freehold_database.add_tenant(id=UUID(int=7)) == UUID(int=7)


def test_logins_are_the_layers(freehold_database: LayerDatabase) -> None:
    engine = sa.create_engine(freehold_database.url("ro").replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT current_user")) == "tested_ro"
    engine.dispose()


def test_a_layer_is_to_be_given(pytester: pytest.Pytester) -> None:
    pytester.makeconftest('pytest_plugins = ["freehold.testing.plugin"]')
    pytester.makepyfile("def test_it(freehold_layer): pass")
    found = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    assert "Override the fixture freehold_layer" in found.stdout.str()
    assert found.ret
