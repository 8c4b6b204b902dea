"""A lost connection is a typed error, and the next transaction has a new connection and a context of its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from freehold.errors import ConnectionLost
from freehold.runtime import Database
from freehold.runtime.literal import sql
from tests.rooms.tenancy.layer import A, Order
from tests.runtime.conftest import Shop


def test_a_terminated_backend(shop: Shop, connect: Callable[..., Database]) -> None:
    db = connect(pool_size=1, max_overflow=0)
    with pytest.raises(ConnectionLost), db.transaction(tenant=A, actor="ana") as session:
        session.execute(sa.delete(Order))
        with shop.database.connect(autocommit=True) as admin:
            pid = session.scalar(sql("SELECT pg_backend_pid()"))
            admin.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
        session.scalars(sa.select(Order)).all()
    with db.transaction(tenant=A, actor="ana") as session:
        assert len(session.scalars(sa.select(Order)).all()) == 1


def test_a_backend_terminated_before_the_commit(shop: Shop, connect: Callable[..., Database]) -> None:
    db = connect(pool_size=1, max_overflow=0)
    with pytest.raises(ConnectionLost), db.transaction(tenant=A, actor="ana") as session:
        session.execute(sa.delete(Order))
        pid = session.scalar(sql("SELECT pg_backend_pid()"))
        with shop.database.connect(autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
    with db.transaction(tenant=A, actor="ana") as session:
        assert len(session.scalars(sa.select(Order)).all()) == 1
