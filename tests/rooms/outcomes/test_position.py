"""The server's position, told to every login on a primary, on its standby, and on both sides of a promotion."""

from __future__ import annotations

import time
from typing import Any

import pytest

from freehold.servers.disposable import replica_of
from freehold.servers.owned import OwnedServer
from freehold.testing.database import fresh_database
from freehold.testing.servers import wait_for_replay

from .conftest import Ground
from .layer import PASSWORD, Connection, applied

POSITION = "SELECT system_identifier, timeline, lsn::text, in_recovery, streaming FROM freehold.position_v1()"


def position(connection: Connection) -> Any:
    return connection.execute(POSITION).fetchone()


@pytest.mark.parametrize("purpose", ["app_a", "ro", "monitor", "jobs"])
def test_every_login_learns_it(ground: Ground, purpose: str) -> None:
    with ground.login(purpose) as connection:
        system, timeline, _, in_recovery, streaming = position(connection)
    assert (timeline, in_recovery, streaming) == (1, False, False)
    assert ground.admin.execute("SELECT system_identifier FROM pg_control_system()").fetchone() == (system,)


def test_a_commit_is_behind_the_position_read_after_it(ground: Ground) -> None:
    with ground.login() as connection:
        before = position(connection)[2]
        ground.admin.execute("CREATE TABLE public.t AS SELECT 1")
        after = position(connection)[2]
    compared = ground.admin.execute("SELECT %s::pg_lsn < %s::pg_lsn", (before, after)).fetchone()
    assert compared == (True,)


def test_a_standby_and_its_promotion(own_server: OwnedServer, layer_name: str) -> None:
    with fresh_database(own_server, "shop") as database, database.connect(autocommit=True) as admin:
        applied(admin, layer_name)
        with replica_of(own_server) as standby:
            wait_for_replay(own_server, standby)
            user = f"{layer_name}_app_a"
            with (
                database.connect(user=user, password=PASSWORD, autocommit=True) as primary,
                standby.connect("shop", user=user, password=PASSWORD, autocommit=True) as reader,
            ):
                there, here = position(primary), position(reader)
                assert here[0] == there[0]
                assert here[1:] == (1, here[2], True, True)
                with standby.connect("shop", autocommit=True) as promoter:
                    promoter.execute("SELECT pg_promote()")
                assert position(primary)[1] == 1
                _wait_for(reader)
                promoted = position(reader)
                assert promoted[0] == there[0]
                assert promoted[1:] == (2, promoted[2], False, False)


def _wait_for(connection: Connection) -> None:
    deadline = time.monotonic() + 30
    while position(connection)[3]:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_login_that_was_not_given_it_learns_nothing(ground: Ground) -> None:
    may = "SELECT has_function_privilege(%s, 'freehold.position_v1()', 'EXECUTE')"
    assert ground.admin.execute(may, (f"{ground.layer.name}_migrator",)).fetchone() == (False,)
