"""The archive command as PostgreSQL runs it, and waiting for what it archives."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from freehold.errors import BackupError
from freehold.rooms.backup import Backup, Repository, archive_now, archive_settings, repository_of
from freehold.rooms.backup.archive import restore_command
from freehold.servers import Binaries, OwnedServer
from freehold.servers.account import server_account

from .ground import archived_server

SEGMENT = "000000010000000000000007"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory whose path needs quoting in a shell and in PostgreSQL."""
    directory = tmp_path / "100% of it's data" / "d"
    directory.mkdir(parents=True)
    return directory


def shell(command: str, source: Path, name: str = SEGMENT) -> int:
    """Run a command as the server would: %p and %f replaced, %% one percent sign, in its data directory."""
    replaced = command.replace("%%", "\0").replace("%p", source.name).replace("%f", name).replace("\0", "%")
    return subprocess.run(["sh", "-c", replaced], cwd=source.parent, check=False).returncode


def settings(data: Path) -> tuple[str, Repository]:
    found = archive_settings(Backup(rpo="1 minute"), data)
    assert (found["archive_mode"], found["archive_timeout"]) == (True, "30s")
    return str(found["archive_command"]), repository_of(Backup(), data)


def test_a_segment_is_archived_once_and_never_overwritten(data: Path) -> None:
    command, repository = settings(data)
    source = data / "segment"
    source.write_bytes(b"first")
    assert shell(command, source) == 0
    assert shell(command, source) == 0  # offered twice after a crash
    source.write_bytes(b"other")
    assert shell(command, source) != 0
    assert (repository.wal / SEGMENT).read_bytes() == b"first"
    assert repository.segments() == (SEGMENT,)


def test_a_copy_that_fails_leaves_no_segment(data: Path) -> None:
    command, repository = settings(data)
    assert shell(command, data / "missing") != 0
    assert repository.segments() == ()


def test_a_half_written_copy_is_replaced(data: Path) -> None:
    command, repository = settings(data)
    (repository.wal / f"{SEGMENT}.part").write_bytes(b"fi")
    source = data / "segment"
    source.write_bytes(b"first")
    assert shell(command, source) == 0
    assert (repository.wal / SEGMENT).read_bytes() == b"first"


def test_a_segment_is_fetched_and_a_missing_one_is_told(data: Path) -> None:
    _, repository = settings(data)
    (repository.wal / SEGMENT).write_bytes(b"first")
    target = data / "fetched"
    assert shell(restore_command(repository), target) == 0
    assert target.read_bytes() == b"first"
    assert shell(restore_command(repository), target, "000000010000000000000008") != 0


def test_waiting_is_for_the_segment_that_was_closed(binaries: Binaries) -> None:
    with archived_server(binaries) as server, server.connect(autocommit=True) as connection:
        repository = repository_of(Backup(), server.data_directory, server.account)
        first, seconds = archive_now(connection, repository)
        second, _ = archive_now(connection, repository)
        assert first < second
        assert {first, second} <= set(repository.segments())
        assert seconds < 30
        _break(server)
        with pytest.raises(BackupError, match="did not reach the archive") as caught:
            archive_now(connection, repository, timeout=3)
        assert "failures" in caught.value.detail


def _break(server: OwnedServer) -> None:
    server.settings["archive_command"] = "false"
    server.reload()


def test_the_repository_is_the_servers_own(data: Path) -> None:
    _, repository = settings(data)
    account = server_account()
    for directory in (repository.directory, repository.base, repository.wal):
        found = directory.stat()
        assert (found.st_uid, found.st_mode & 0o777) == (account.uid, 0o700)
