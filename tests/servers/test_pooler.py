"""PgBouncer in front of a server: it pools, pauses, follows its server, and says what is wrong with it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import psycopg
import pytest

from freehold.errors import BinariesMissing, ServerError, ServerNotStarted
from freehold.servers import OwnedServer, Pooler, pooler_for
from freehold.servers.account import server_account
from freehold.servers.address import AddressServer
from freehold.servers.pooler import auth_file, find_pgbouncer
from freehold.testing.database import Database
from freehold.testing.servers import POOL_SIZE, missing_pooler


@pytest.fixture
def own_pooler(server: OwnedServer) -> Iterator[Pooler]:
    """A pooler of the test's own, to be paused, reconfigured or killed."""
    if reason := missing_pooler():
        pytest.skip(reason)
    with pooler_for(server, pool_size=2) as started:
        yield started


def backend(connection: psycopg.Connection[object]) -> object:
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    connection.commit()
    assert isinstance(row, tuple)
    return row[0]


def test_clients_share_few_server_connections(pooler: Pooler, pooled: Database) -> None:
    clients = [pooled.connect() for _ in range(12)]
    seen = {backend(client) for client in clients for _ in range(2)}
    assert len(clients) > POOL_SIZE >= len(seen)
    assert pooled.server.version == pooler.server.version
    for client in clients:
        client.close()


def test_it_does_not_run_as_root(pooler: Pooler) -> None:
    assert pooler._process is not None
    assert os.stat(f"/proc/{pooler._process.pid}").st_uid == server_account().uid != 0
    assert (pooler.home / "userlist.txt").stat().st_mode & 0o777 == 0o600


def test_logins_are_those_of_the_server(pooler: Pooler, pooled: Database, layer_name: str) -> None:
    with pooled.server.connect(autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {layer_name}_app LOGIN PASSWORD 'one'")
    for socket in (False, True):
        conninfo = pooled.conninfo(user=f"{layer_name}_app", password="one", socket=socket)
        with psycopg.connect(conninfo) as connection:
            assert connection.execute("SELECT current_user").fetchone() == (f"{layer_name}_app",)
    # PgBouncer answers every refusal with 08P01, so the kind of it cannot be told.
    with pytest.raises(ServerError, match="SASL"):
        pooled.connect(user=f"{layer_name}_app", password="two")


def test_pause_lets_clients_wait(own_pooler: Pooler, database: Database) -> None:
    client = Database(own_pooler, database.name).connect(autocommit=True)
    client.execute("SELECT 1")
    own_pooler.pause()
    done = threading.Event()

    def ask() -> None:
        client.execute("SELECT 1")
        done.set()

    thread = threading.Thread(target=ask)
    thread.start()
    assert not done.wait(0.2)
    own_pooler.resume()
    assert done.wait(5)
    thread.join()
    client.close()


def test_reload_and_reconnect(own_pooler: Pooler, database: Database) -> None:
    client = Database(own_pooler, database.name).connect()
    first = backend(client)
    own_pooler.reload(default_pool_size=7)
    assert {row["key"]: row["value"] for row in own_pooler.show("CONFIG")}["default_pool_size"] == "7"
    assert backend(client) == first
    own_pooler.reconnect(database.name)
    assert backend(client) != first
    client.close()


def test_wrong_command_is_a_typed_error(own_pooler: Pooler) -> None:
    with pytest.raises(ServerError, match="Command PgBouncer failed"):
        own_pooler.command("PAUSES")


def test_a_killed_pooler_starts_again(own_pooler: Pooler, database: Database) -> None:
    own_pooler.kill()
    assert not own_pooler.running
    assert own_pooler.ensure_running().show("VERSION")
    with Database(own_pooler, database.name).connect() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_it_follows_a_server_that_moved(own_server: OwnedServer) -> None:
    if reason := missing_pooler():
        pytest.skip(reason)
    with pooler_for(own_server) as pooler:
        pooler.connect().close()
        own_server.kill()
        own_server.start()
        with pooler.ensure_running().connect() as connection:
            row = connection.execute("SELECT current_setting('port')::int").fetchone()
        assert row == (own_server.port,)


def test_a_reload_that_failed_is_made_up_for(own_server: OwnedServer) -> None:
    if reason := missing_pooler():
        pytest.skip(reason)
    with pooler_for(own_server) as pooler:
        own_server.kill()
        own_server.start()
        pooler.password = "not the console's"
        with pytest.raises(ServerError):
            pooler.ensure_running()
        pooler.password = own_server.password
        with pooler.ensure_running().connect() as connection:
            row = connection.execute("SELECT current_setting('port')::int").fetchone()
        assert row == (own_server.port,)


def test_any_address_can_stand_behind_it(server: OwnedServer) -> None:
    if reason := missing_pooler():
        pytest.skip(reason)
    with pooler_for(AddressServer(server.url()), mode="session") as pooler, pooler.connect() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        assert pooler.version == server.version


def test_a_bad_setting_is_told_with_the_log(server: OwnedServer) -> None:
    if reason := missing_pooler():
        pytest.skip(reason)
    with pytest.raises(ServerNotStarted, match="did not start") as raised, pooler_for(server, settings={"nonsense": 1}):
        pass
    assert "nonsense" in raised.value.detail


def test_a_missing_program_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr("freehold.servers.pooler.EXTRA_PATH", ())
    with pytest.raises(BinariesMissing, match="PgBouncer"):
        find_pgbouncer()
    assert "PgBouncer" in missing_pooler()


def test_it_is_gone_at_the_end(server: OwnedServer) -> None:
    if reason := missing_pooler():
        pytest.skip(reason)
    with pooler_for(server) as pooler:
        home = pooler.home
        client = pooler.connect()
    assert not home.exists()
    with pytest.raises(psycopg.OperationalError):
        client.execute("SELECT 1")


def test_quotes_in_a_login() -> None:
    assert auth_file({'a"b': 'c"d'}) == '"a""b" "c""d"\n'
