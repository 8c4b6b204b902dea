"""Who runs the servers, where their files go, and that no foreign directory is opened for them."""

from __future__ import annotations

import os
import pwd
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from freehold.errors import ServerNotStarted
from freehold.servers import Binaries, EmbeddedServer, OwnedServer
from freehold.servers.account import Account, account_for, make_open, server_account
from freehold.servers.places import ROOT_STATE, reachable, socket_directory

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs servers as another account")


@pytest.fixture
def private() -> Iterator[Path]:
    """A directory that only the caller may enter."""
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


def modes(directory: Path) -> list[int]:
    return [path.stat().st_mode for path in (directory, *directory.parents)]


def test_account_is_never_root() -> None:
    assert server_account().uid != 0


@root_only
def test_account_has_its_own_groups_and_home() -> None:
    account = server_account()
    assert account.switched
    assert 0 not in account.groups
    assert account.environment()["HOME"] == account.home


def test_libpq_settings_of_the_caller_do_not_reach_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "elsewhere.example")
    assert "PGHOST" not in server_account().environment()


@root_only
def test_private_directory_cannot_be_entered(private: Path) -> None:
    account = server_account()
    assert not account.may_enter(private)
    private.chmod(0o755)
    assert account.may_enter(private)


def test_group_bits_decide_for_a_member(private: Path) -> None:
    private.chmod(0o710)
    stranger = Account("stranger", uid=2**31, gid=2**31, groups=(), home="/", switched=True)
    assert not stranger.may_enter(private)
    assert replace(stranger, groups=(private.stat().st_gid,)).may_enter(private)


@root_only
def test_data_out_of_reach_moves_and_opens_nothing(private: Path, binaries: Binaries) -> None:
    before = modes(private)
    server = EmbeddedServer(private / "data", binaries)
    assert server.data_directory.parent == ROOT_STATE
    assert server.data_directory == EmbeddedServer(private / "data", binaries).data_directory
    try:
        server.start()
        with server.connect() as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert modes(private) == before
        assert list(private.iterdir()) == []
    finally:
        server.remove()
    assert not server.data_directory.exists()


@root_only
def test_existing_data_runs_as_its_owner(private: Path) -> None:
    private.chmod(0o755)
    data = private / "data"
    data.mkdir()
    assert account_for(data) == server_account()
    os.chown(data, pwd.getpwnam("nobody").pw_uid, -1)
    assert account_for(data).name == "nobody"


def test_data_within_reach_stays(private: Path) -> None:
    private.chmod(0o755)
    assert reachable(private / "data", server_account()) == private / "data"


@root_only
def test_existing_data_out_of_reach_is_refused(own_server: OwnedServer, private: Path) -> None:
    own_server.stop()
    moved = private / "data"
    subprocess.run(["cp", "-a", str(own_server.data_directory), str(moved)], check=True)
    before = modes(moved)
    with pytest.raises(ServerNotStarted, match="cannot enter"):
        OwnedServer(moved, own_server.binaries).start()
    assert modes(moved) == before


def test_made_directories_are_open_whatever_the_umask(private: Path) -> None:
    old = os.umask(0o077)
    try:
        make_open(private / "a" / "b")
    finally:
        os.umask(old)
    assert [path.stat().st_mode & 0o777 for path in (private / "a", private / "a" / "b")] == [0o755, 0o755]


def test_socket_path_fits_the_kernel(private: Path) -> None:
    account = server_account()
    short = socket_directory(private / "data", account)
    assert short == private / "data.run"
    long = socket_directory(private / ("x" * 90) / "data", account)
    assert len(os.fsencode(long / ".s.PGSQL.65535.lock")) <= 107
    long.rmdir()
