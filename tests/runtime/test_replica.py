"""A read-only replica verifies the same contexts."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from freehold.errors import ContextForged
from freehold.runtime import Database
from freehold.runtime.literal import sql
from freehold.servers.owned import OwnedServer
from freehold.testing.servers import wait_for_replay
from tests.rooms.tenancy.layer import A, Customer
from tests.runtime.conftest import PASSWORD, Shop


def test_a_replica_shows_a_tenant_its_rows_and_refuses_a_forgery(
    shop: Shop, server: OwnedServer, replica: OwnedServer
) -> None:
    wait_for_replay(server, replica)
    url = replica.url(shop.database.name, user=f"{shop.name}_app_a", password=PASSWORD)
    db = Database.connect(url, **shop.place)
    with db.transaction(tenant=A, actor="ana") as session:
        assert {row.tenant_id for row in session.scalars(sa.select(Customer))} == {A}
    with pytest.raises(ContextForged), db.transaction(tenant=A, actor="ana") as session:
        session.execute(sql("SELECT set_config('freehold.context', 'guessed', true)"))
        session.scalars(sa.select(Customer)).all()
    db.dispose()
