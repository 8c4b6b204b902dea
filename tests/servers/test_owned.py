"""Servers that Freehold runs: start, stop, kill, ports, logins, and a word on why one did not start."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from freehold.errors import LoginRefused, ServerDown, ServerNotStarted
from freehold.events import Event, ServerStarted, ServerStopped
from freehold.servers import Binaries, EmbeddedServer, OwnedServer, connect, disposable
from freehold.servers.account import server_account
from freehold.servers.places import temporary_directory
from freehold.servers.ports import free_port, port_is_free
from freehold.servers.settings import Settings


@pytest.fixture
def home() -> Iterator[Path]:
    """A directory that the servers' account can enter."""
    made = temporary_directory(server_account(), "test")
    yield made
    subprocess.run(["rm", "-rf", str(made)], check=True)


@pytest.fixture
def first_start(home: Path, binaries: Binaries) -> Iterator[EmbeddedServer]:
    """A server made from nothing."""
    server = EmbeddedServer(home / "project" / "data", binaries)
    yield server.start()
    server.stop(mode="immediate")


def test_first_start_makes_a_safe_cluster(first_start: EmbeddedServer) -> None:
    with first_start.connect() as connection:
        shown = {
            name: connection.execute("SELECT current_setting(%s)", [name]).fetchone()
            for name in ("data_checksums", "server_encoding", "password_encryption", "wal_level", "listen_addresses")
        }
        methods = connection.execute("SELECT DISTINCT auth_method FROM pg_hba_file_rules").fetchall()
        order = connection.execute("SELECT 'B' < 'a'").fetchone()
    assert [value[0] for value in shown.values() if value] == ["on", "UTF8", "scram-sha-256", "replica", "127.0.0.1"]
    assert methods == [("scram-sha-256",)]
    assert order == (True,)
    assert first_start.password_path.stat().st_mode & 0o777 == 0o600
    assert first_start.data_directory.stat().st_mode & 0o777 == 0o700


def test_second_start_adopts_the_running_server(first_start: EmbeddedServer) -> None:
    again = EmbeddedServer(first_start.data_directory, first_start.binaries)
    assert again.running
    assert again.ensure_running().url() == first_start.url()
    with again.connect() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_port_is_kept_over_a_restart(first_start: EmbeddedServer) -> None:
    url = first_start.url()
    first_start.stop()
    assert not first_start.running
    assert EmbeddedServer(first_start.data_directory, first_start.binaries).start().url() == url


def test_a_taken_port_gives_way_to_a_free_one(first_start: EmbeddedServer) -> None:
    first_start.stop()
    with socket.create_server(("127.0.0.1", first_start.port)) as other:
        again = EmbeddedServer(first_start.data_directory, first_start.binaries).start()
        assert again.port != other.getsockname()[1]
        again.stop()


def test_data_of_another_major_is_refused(first_start: EmbeddedServer) -> None:
    first_start.stop()
    (first_start.data_directory / "PG_VERSION").write_text("14\n")
    with pytest.raises(ServerNotStarted, match="made by PostgreSQL 14"):
        first_start.start()


def test_long_path_moves_the_socket(home: Path, binaries: Binaries) -> None:
    server = EmbeddedServer(home / ("long" * 20) / "data", binaries)
    with server:
        assert server.socket_directory is not None
        assert len(str(server.socket_directory)) < 90
        with connect(server.conninfo(socket=True)) as connection:
            assert connection.execute("SELECT inet_server_addr() IS NULL").fetchone() == (True,)


def test_scram_login_on_tcp_and_socket(own_server: OwnedServer) -> None:
    for by_socket in (False, True):
        with connect(own_server.conninfo(socket=by_socket)) as connection:
            assert connection.pgconn.used_password
            assert connection.execute("SELECT inet_server_addr() IS NULL").fetchone() == (by_socket,)


@pytest.mark.parametrize("by_socket", [False, True])
def test_wrong_password_is_refused(server: OwnedServer, by_socket: bool) -> None:
    with pytest.raises(LoginRefused, match="28P01") as caught:
        connect(server.conninfo(user="postgres", password="wrong", socket=by_socket))
    assert "wrong" not in caught.value.message


def test_stopped_server_is_down(own_server: OwnedServer) -> None:
    own_server.stop()
    with pytest.raises(ServerDown):
        own_server.connect()


def test_kill_then_start_recovers_what_was_committed(binaries: Binaries) -> None:
    with disposable(binaries, durable=True) as server:
        with server.connect() as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS id")
        server.kill()
        assert not server.running
        server.start()
        with server.connect() as connection:
            assert connection.execute("SELECT id FROM kept").fetchone() == (1,)


def test_bad_setting_is_told_with_the_log(own_server: OwnedServer) -> None:
    own_server.stop()
    own_server.settings["shared_buffers"] = "1 parsec"
    with pytest.raises(ServerNotStarted) as caught:
        own_server.start()
    assert "shared_buffers" in caught.value.detail
    assert str(own_server.log_path) in caught.value.hint
    assert caught.value.code == "server.not-started"


def test_taken_port_is_told(binaries: Binaries) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ServerNotStarted) as caught, disposable(binaries, port=port):
            pass
    assert f"Something else listens on port {port}" in caught.value.hint
    assert str(port) in caught.value.detail


def test_directory_without_data_is_told(home: Path, binaries: Binaries) -> None:
    with pytest.raises(ServerNotStarted, match="not a data directory"):
        OwnedServer(home / "nothing", binaries).start()


def test_settings_reach_the_server(binaries: Binaries) -> None:
    settings: Settings = {"application_name": r"it's a back\slash", "work_mem": "7MB", "jit": False}
    with disposable(binaries, settings=settings) as server, server.connect() as connection:
        row = connection.execute(
            "SELECT reset_val, current_setting('work_mem'), current_setting('jit')"
            " FROM pg_settings WHERE name = 'application_name'"
        ).fetchone()
    assert row == (r"it's a back\slash", "7MB", "off")


def test_reload_applies_a_setting_without_a_restart(own_server: OwnedServer) -> None:
    own_server.settings["work_mem"] = "9MB"
    own_server.reload()
    with own_server.connect(autocommit=True) as connection:
        connection.execute("SELECT pg_reload_conf(), pg_sleep(0.2)")
    with own_server.connect() as connection:
        assert connection.execute("SELECT current_setting('work_mem')").fetchone() == ("9MB",)


def test_restart_keeps_the_port(own_server: OwnedServer) -> None:
    port = own_server.port
    assert own_server.restart().port == port


def test_start_and_stop_are_events(binaries: Binaries) -> None:
    seen: list[Event] = []
    with disposable(binaries) as server:
        server.listener = seen.append
        server.restart()
    assert [type(event) for event in seen] == [ServerStopped, ServerStarted, ServerStopped]


def test_disposable_leaves_nothing(binaries: Binaries) -> None:
    with disposable(binaries) as server:
        directory, port = server.data_directory, server.port
        assert not port_is_free(port)
    assert port_is_free(port)
    assert not directory.parent.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs servers as another account")
def test_root_runs_the_server_as_an_unprivileged_account(own_server: OwnedServer) -> None:
    found = own_server.postmaster()
    assert found is not None
    status = Path(f"/proc/{found.pid}/status").read_text().splitlines()
    user = next(line for line in status if line.startswith("Uid:")).split()[1:]
    groups = next(line for line in status if line.startswith("Groups:")).split()[1:]
    assert set(user) == {str(own_server.account.uid)} != {"0"}
    assert "0" not in groups


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs servers as another account")
def test_root_follows_no_link_of_the_account(own_server: OwnedServer, home: Path) -> None:
    own_server.stop()
    victim = home / "victim"
    victim.write_text("untouched")
    conf = own_server.data_directory / "freehold.conf"
    conf.unlink()
    conf.symlink_to(victim)
    with pytest.raises(OSError) as caught:
        own_server.start()
    assert caught.value.errno == errno.ELOOP
    assert victim.read_text() == "untouched"


def test_free_port_can_be_bound() -> None:
    port = free_port()
    assert port_is_free(port)
    with socket.create_server(("127.0.0.1", port)):
        assert not port_is_free(port)
