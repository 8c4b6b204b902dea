"""A column that is wrong is mended in batches, from where an earlier call ended, beside those who write."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any

import psycopg
import pytest

from freehold.errors import InputError, TransactionBusy
from freehold.rooms.constraints import Rebuilt, rebuild
from freehold.testing.layers import LayerDatabase

from .layer import BALANCE, TASKS, WEIGHT

WAIT = 20.0


@pytest.fixture
def wrong(freehold_database: LayerDatabase) -> LayerDatabase:
    """Twenty projects with tasks of which every other one is counted wrongly."""
    with freehold_database.admin() as admin:
        admin.execute("INSERT INTO shop.board VALUES (1)")
        admin.execute("INSERT INTO shop.project (id, board_id) SELECT g, 1 FROM generate_series(1, 20) AS g")
        admin.execute("INSERT INTO shop.task (id, project_id) SELECT g, 1 + g % 20 FROM generate_series(1, 40) AS g")
        admin.execute("SET session_replication_role = 'replica'")
        admin.execute("UPDATE shop.project SET open_tasks = 77 WHERE id % 2 = 0")
    return freehold_database


def counted(admin: psycopg.Connection[Any]) -> list[Any]:
    return [row[0] for row in admin.execute("SELECT open_tasks FROM shop.project ORDER BY id")]


def test_batches_with_progress(wrong: LayerDatabase) -> None:
    told: list[Rebuilt] = []
    with wrong.admin() as admin:
        done = rebuild(admin, TASKS, batch=8, progress=told.append)
        assert counted(admin) == [2] * 20
        assert (done, told[-1]) == (Rebuilt(20, 10, ("20",)), done)
        assert [each.last for each in told] == [("8",), ("16",), ("20",)]
        assert rebuild(admin, TASKS) == Rebuilt(20, 0, ("20",))
        assert rebuild(admin, WEIGHT).mended == 0


def test_an_interrupted_one_goes_on(wrong: LayerDatabase) -> None:
    told: list[Rebuilt] = []

    def interrupted(so_far: Rebuilt) -> None:
        told.append(so_far)
        raise KeyboardInterrupt

    with wrong.admin() as admin:
        with pytest.raises(KeyboardInterrupt):
            rebuild(admin, TASKS, batch=8, progress=interrupted)
        assert counted(admin) == [2] * 8 + [2, 77] * 6
        assert rebuild(admin, TASKS, after=told[-1].last) == Rebuilt(12, 6, ("20",))
        assert counted(admin) == [2] * 20


def test_one_that_is_being_written_is_waited_for(wrong: LayerDatabase) -> None:
    """The others are mended meanwhile, and the writer can still take one of them."""
    weights = "SELECT weight FROM shop.project ORDER BY id"
    with wrong.admin() as admin, wrong.admin() as writer, ThreadPoolExecutor(1) as pool:
        admin.execute("SET session_replication_role = 'replica'")
        admin.execute("UPDATE shop.project SET weight = 77 WHERE id <= 6")
        admin.execute("SET session_replication_role = 'origin'")
        with writer.transaction():
            writer.execute("INSERT INTO shop.task (id, project_id) VALUES (100, 4)")
            mending = pool.submit(rebuild, admin, WEIGHT)
            with wrong.admin() as other:
                until = monotonic() + WAIT
                while other.execute(weights).fetchall()[5] != (2,):
                    assert monotonic() < until
                    assert not mending.done()
            writer.execute("INSERT INTO shop.task (id, project_id) VALUES (101, 6)")
        assert mending.result(WAIT).mended == 6
        assert [row[0] for row in admin.execute(weights)] == [2, 2, 2, 3, 2, 3] + [2] * 14


def test_a_key_of_two_columns(freehold_database: LayerDatabase) -> None:
    tenants = sorted(str(freehold_database.add_tenant()) for _ in range(2))
    with freehold_database.admin() as admin:
        admin.execute(
            "INSERT INTO shop.account (tenant_id, id) SELECT id, g FROM shop.company, generate_series(1, 3) AS g"
        )
        admin.execute("SET session_replication_role = 'replica'")
        admin.execute(
            "INSERT INTO shop.entry (tenant_id, id, account_id, amount) SELECT tenant_id, id, id, 5 FROM shop.account"
        )
        admin.execute("SET session_replication_role = 'origin'")
        assert rebuild(admin, BALANCE, batch=2) == Rebuilt(6, 6, (tenants[1], "3"))
        assert admin.execute("SELECT DISTINCT balance FROM shop.account").fetchall() == [(5,)]


def test_what_cannot_begin(freehold_database: LayerDatabase) -> None:
    with freehold_database.admin() as admin:
        with pytest.raises(InputError):
            rebuild(admin, TASKS, batch=0)
        with admin.transaction(), pytest.raises(TransactionBusy):
            rebuild(admin, TASKS)
