"""What a user's tests are given: their layer applied, a database a test, tenants, and a proof that can fail."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import CIDR, JSONB

from freehold import DataLayer, Roles, Tenancy
from freehold.kernel.prove import Verdict
from freehold.servers.owned import OwnedServer
from freehold.testing.layers import LayerDatabase, LayerTemplates
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


class Kind(enum.Enum):
    SMALL = "small"
    BIG = "big"


DATA = sa.MetaData(schema="odd")
SHOP = sa.Table(
    "shop",
    DATA,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("code", sa.String(6), nullable=False, unique=True),
    sa.Column("kind", sa.Enum(Kind, name="kind", schema="odd"), nullable=False),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Column("since", sa.DateTime(timezone=True), nullable=False),
    sa.Column("settings", JSONB, nullable=False),
    sa.Column("note", sa.Text),
    sa.Column("made_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)


def test_a_tenants_row_is_made_up(server: OwnedServer, freehold_templates: LayerTemplates, layer_name: str) -> None:
    odd = DataLayer(DATA, Tenancy(SHOP), Roles(), name="odd")
    with freehold_templates.copy(server, odd, layer_name) as made:
        first, second = made.add_tenant(), made.add_tenant(code="mine", kind=Kind.BIG)
        with made.admin() as connection:
            rows = connection.execute("SELECT id, kind::text FROM odd.shop ORDER BY code = 'mine'").fetchall()
        assert rows == [(first, "SMALL"), (second, "BIG")]


def test_what_cannot_be_made_up_is_named(
    server: OwnedServer, freehold_templates: LayerTemplates, layer_name: str
) -> None:
    data = sa.MetaData(schema="odder")
    shop = sa.Table("shop", data, sa.Column("id", sa.Uuid, primary_key=True), sa.Column("net", CIDR, nullable=False))
    with freehold_templates.copy(server, DataLayer(data, Tenancy(shop), Roles(), name="odder"), layer_name) as made:
        with pytest.raises(ValueError, match=r"add_tenant\(net=\.\.\.\)"):
            made.add_tenant()
        assert made.add_tenant(net="10.0.0.0/8")


def test_a_layer_without_tenants_says_so(
    server: OwnedServer, freehold_templates: LayerTemplates, layer_name: str
) -> None:
    data = sa.MetaData(schema="alone")
    sa.Table("book", data, sa.Column("id", sa.Uuid, primary_key=True))
    alone = DataLayer(data, Tenancy(None, exempt={"*": "one company's own books"}), Roles(), name="alone")
    with freehold_templates.copy(server, alone, layer_name) as made:
        with pytest.raises(ValueError, match="no tenants"):
            made.add_tenant()
        made.prove()
