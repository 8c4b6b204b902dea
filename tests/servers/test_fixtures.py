"""The fixtures themselves: databases of one's own, replicas that stream, and connections that can be cut."""

from __future__ import annotations

import time
from collections.abc import Callable

import psycopg
import pytest

from freehold.servers import OwnedServer
from freehold.testing.database import Database, drop_leftovers
from freehold.testing.proxy import Cut, KillableProxy
from freehold.testing.servers import Servers, wait_for_replay


def test_database_is_of_the_wanted_major(database: Database, pg_major: int) -> None:
    with database.connect() as connection:
        assert connection.info.server_version // 10000 == pg_major
        assert connection.info.dbname == database.name


def test_leftover_roles_and_databases_are_dropped(server: OwnedServer, layer_name: str) -> None:
    with server.connect(autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {layer_name}_owner")
        connection.execute(f"CREATE DATABASE {layer_name}_more OWNER {layer_name}_owner")
        drop_leftovers(server, layer_name)
        left = connection.execute("SELECT count(*) FROM pg_roles WHERE starts_with(rolname, %s)", [layer_name])
        assert left.fetchone() == (0,)


def test_database_clones_a_template(database: Database, make_database: Callable[..., Database]) -> None:
    with database.connect() as connection:
        connection.execute("CREATE TABLE kept (id int PRIMARY KEY)")
    copy = make_database("copy", template=database.name)
    with copy.connect() as connection:
        assert connection.execute("SELECT to_regclass('kept') IS NOT NULL").fetchone() == (True,)


def test_replica_streams(server: OwnedServer, replica: OwnedServer, database: Database) -> None:
    with database.connect() as connection:
        connection.execute("CREATE TABLE seen (id int)")
    wait_for_replay(server, replica)
    with replica.connect() as standby:
        assert standby.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)
    with replica.connect(database.name) as standby:
        assert standby.execute("SELECT to_regclass('seen') IS NOT NULL").fetchone() == (True,)


def test_killed_shared_server_comes_back(servers: Servers, pg_major: int) -> None:
    servers.server(pg_major).kill()
    with servers.server(pg_major).connect() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def through(proxy: KillableProxy, database: Database) -> psycopg.Connection[tuple[object, ...]]:
    conninfo = psycopg.conninfo.make_conninfo(database.conninfo(), port=proxy.port)
    return psycopg.connect(conninfo)


@pytest.mark.parametrize("how", [Cut.RESET, Cut.CLOSE])
def test_cut_ends_a_connection(killable_proxy: KillableProxy, database: Database, how: Cut) -> None:
    with through(killable_proxy, database) as connection:
        connection.execute("SELECT 1")
        killable_proxy.cut(how)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
        assert connection.closed


@pytest.mark.parametrize(("reaches_server", "expected"), [(True, 1), (False, 0)])
def test_commit_can_be_lost_on_either_side(
    killable_proxy: KillableProxy, database: Database, reaches_server: bool, expected: int
) -> None:
    with database.connect() as direct:
        direct.execute("CREATE TABLE written (id int)")
    connection = through(killable_proxy, database)
    connection.execute("INSERT INTO written VALUES (1)")
    arm = killable_proxy.cut_after if reaches_server else killable_proxy.cut_before
    happened = arm(b"COMMIT")
    with pytest.raises(psycopg.OperationalError):
        connection.commit()
    assert happened.wait(5)
    with database.connect() as direct:
        assert direct.execute("SELECT count(*) FROM written").fetchone() == (expected,)


def test_silence_is_not_an_error_until_somebody_times_out(killable_proxy: KillableProxy, database: Database) -> None:
    connection = through(killable_proxy, database)
    killable_proxy.cut(Cut.SILENCE)
    connection.pgconn.send_query(b"SELECT 1")
    time.sleep(0.2)
    connection.pgconn.consume_input()
    assert connection.pgconn.is_busy()
    connection.close()


def test_refused_connection_and_its_return(killable_proxy: KillableProxy, database: Database) -> None:
    killable_proxy.refuse()
    with pytest.raises(psycopg.OperationalError):
        through(killable_proxy, database)
    killable_proxy.resume()
    through(killable_proxy, database).close()


def test_an_ended_proxy_says_so(server: OwnedServer) -> None:
    proxy = KillableProxy(server.host, server.port)
    proxy.close()
    proxy.close()
    for ask in (proxy.cut, proxy.refuse, proxy.resume):
        with pytest.raises(RuntimeError, match="has ended"):
            ask()
