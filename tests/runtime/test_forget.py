"""After a fault no older connection is used again, and none is left open outside of its pool."""

from __future__ import annotations

from collections.abc import Callable

from freehold.runtime import Database, sql
from tests.rooms.tenancy.layer import A
from tests.runtime.conftest import Shop

PID = sql("SELECT pg_backend_pid()")


def test_connections_in_use_come_back_to_the_same_pool(shop: Shop, connect: Callable[..., Database]) -> None:
    db = connect(pool_size=1, max_overflow=0)
    pids = set()
    for _ in range(3):
        with db.transaction(tenant=A, actor="ana") as session:
            pids.add(session.scalar(PID))
            db._body.primary.forget()
    assert len(pids) == 3
    with shop.database.connect(autocommit=True) as connection:
        open_now = "SELECT count(*) FROM pg_stat_activity WHERE usename = %s"
        assert connection.execute(open_now, (f"{shop.name}_app_a",)).fetchone() == (1,)
