"""Every failure of a server becomes one typed error, told apart by SQLSTATE."""

from __future__ import annotations

import socket
import threading

import psycopg
import pytest

from freehold import errors
from freehold.servers import AddressServer, OwnedServer, connect, translate
from freehold.servers.binaries import check_major
from freehold.servers.faults import CODES
from freehold.servers.refusal import ask_again
from freehold.testing.database import Database
from freehold.testing.proxy import KillableProxy


def raised(database: Database, statement: str) -> psycopg.Error:
    with database.connect(autocommit=True) as connection, pytest.raises(psycopg.Error) as caught:
        connection.execute(statement)
    return caught.value


@pytest.mark.parametrize("state", sorted(CODES))
def test_sqlstate_chooses_the_error(database: Database, state: str) -> None:
    error = raised(database, f"DO $$ BEGIN RAISE 'any words' USING ERRCODE = '{state}'; END $$")
    kind, hint = CODES[state]
    translated = translate(error, doing="load orders")
    assert type(translated) is kind
    assert translated.message == f"Load orders failed (SQLSTATE {state})."
    assert translated.detail == "any words"
    assert translated.hint == hint


def test_real_missing_privilege(database: Database, layer_name: str) -> None:
    role = f"{layer_name}_plain"
    with database.connect(autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'secret'")
        connection.execute("CREATE TABLE closed (id int)")
    with database.connect(user=role, password="secret") as connection, pytest.raises(psycopg.Error) as caught:
        connection.execute("SELECT * FROM closed")
    assert isinstance(translate(caught.value), errors.PrivilegeMissing)


def test_read_only_server(database: Database) -> None:
    error = raised(database, "START TRANSACTION READ ONLY; CREATE TABLE refused (id int)")
    assert isinstance(translate(error), errors.ServerFull)


def test_other_errors_keep_their_sqlstate_and_words(database: Database) -> None:
    translated = translate(raised(database, "SELECT 1 / 0"))
    assert type(translated) is errors.ServerError
    assert "22012" in translated.message
    assert translated.detail


def test_terminated_backend_is_a_lost_connection(database: Database) -> None:
    with database.connect(autocommit=True) as victim, database.connect(autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [victim.info.backend_pid])
        with pytest.raises(psycopg.OperationalError) as caught:
            victim.execute("SELECT 1")
    assert isinstance(translate(caught.value), errors.ConnectionLost)


def test_killed_server_is_a_lost_connection(own_server: OwnedServer) -> None:
    connection = own_server.connect(autocommit=True)
    own_server.kill()
    with pytest.raises(psycopg.OperationalError) as caught:
        connection.execute("SELECT 1")
    assert isinstance(translate(caught.value), errors.ConnectionLost)


def test_cut_connection_is_a_lost_connection(killable_proxy: KillableProxy, database: Database) -> None:
    connection = psycopg.connect(database.conninfo(), host=killable_proxy.host, port=killable_proxy.port)
    killable_proxy.cut()
    with pytest.raises(psycopg.OperationalError) as caught:
        connection.execute("SELECT 1")
    assert isinstance(translate(caught.value), errors.ConnectionLost)


def test_nothing_listens(killable_proxy: KillableProxy) -> None:
    killable_proxy.close()
    url = f"postgresql://me:secret@127.0.0.1:{killable_proxy.port}/any"
    with pytest.raises(errors.ServerDown) as caught:
        AddressServer(url).check()
    assert f"127.0.0.1:{killable_proxy.port}" in caught.value.message
    assert "secret" not in str(caught.value)


def test_something_else_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:

        def answer_nonsense() -> None:
            for _ in range(2):
                client, _ = other.accept()
                client.recv(8)
                client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                client.close()

        thread = threading.Thread(target=answer_nonsense, daemon=True)
        thread.start()
        with pytest.raises(errors.ServerDown):
            AddressServer(f"postgresql://me@127.0.0.1:{other.getsockname()[1]}/any").check()
        thread.join(5)


def test_unknown_role_and_database(server: OwnedServer) -> None:
    with pytest.raises(errors.LoginRefused):
        server.connect(user="nobody_of_that_name", password="x")
    with pytest.raises(errors.DatabaseMissing, match="3D000"):
        server.connect("no_such_database")


def test_a_role_without_a_connection_left(database: Database, layer_name: str) -> None:
    role = f"{layer_name}_none"
    with database.connect(autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'secret' CONNECTION LIMIT 0")
    with pytest.raises(errors.TooManyConnections, match="53300"):
        database.connect(user=role, password="secret")


def test_login_without_any_password(server: OwnedServer) -> None:
    with pytest.raises(errors.LoginRefused):
        connect(server.conninfo(user="postgres", password=""))


def test_role_that_may_not_log_in(database: Database, layer_name: str) -> None:
    role = f"{layer_name}_group"
    with database.connect(autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} NOLOGIN PASSWORD 'secret'")
    with pytest.raises(errors.LoginRefused, match="28000"):
        database.connect(user=role, password="secret")


def test_address_server_reaches_a_server_by_url(database: Database, pg_major: int) -> None:
    address = AddressServer(database.url())
    assert address.check() == address.version == pg_major
    with address.connect() as connection:
        assert connection.info.dbname == database.name
    with address.connect("postgres") as connection:
        assert connection.info.dbname == "postgres"


def test_address_takes_sqlalchemys_driver_name(database: Database, pg_major: int) -> None:
    assert AddressServer(database.url().replace("postgresql:", "postgresql+psycopg:")).version == pg_major


@pytest.mark.parametrize("url", ["nonsense", "mysql://host/db", "postgresql://host:port/db?unknown=1"])
def test_unreadable_address(url: str) -> None:
    with pytest.raises(errors.InputError):
        AddressServer(url).check()


@pytest.mark.parametrize(("major", "supported"), [(9, False), (14, False), (15, True), (18, True), (19, False)])
def test_supported_versions(major: int, supported: bool) -> None:
    if supported:
        check_major(major, "here")
        return
    with pytest.raises(errors.ServerTooOld, match=f"PostgreSQL {major} at here"):
        check_major(major, "here")


def test_server_that_has_come_back_refuses_nobody(server: OwnedServer) -> None:
    assert ask_again(server.conninfo(), 10) == ""
