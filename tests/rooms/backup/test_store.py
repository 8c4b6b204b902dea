"""The repository's catalog, what it chooses, and what it lets expire."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from freehold.errors import BackupError, DeclarationError
from freehold.rooms.backup import Backup, BaseBackup, Repository
from freehold.servers.account import server_account

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = 86400


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "shop.backup", server_account()).prepare()


def backup(days_ago: int, segment: int) -> BaseBackup:
    finished = NOON - timedelta(days=days_ago)
    return BaseBackup(
        label=f"{finished:%Y%m%dT%H%M%S%f}",
        started=finished - timedelta(seconds=5),
        finished=finished,
        timeline=1,
        start_lsn="0/2000028",
        stop_lsn="0/2000100",
        first_segment=f"00000001{0:08X}{segment:08X}",
        bytes=1000,
        release="18.6",
    )


def store(repository: Repository, *backups: BaseBackup) -> None:
    for each in backups:
        repository.data(each).mkdir()
        repository.record(each)


def archive(repository: Repository, *names: str) -> None:
    for name in names:
        (repository.wal / name).touch()


def test_the_catalog_gives_back_what_was_recorded(repository: Repository) -> None:
    old, new = backup(2, 4), backup(1, 8)
    store(repository, new, old)
    assert repository.backups() == (old, new)
    assert repository.newest() == new
    assert repository.newest(before=new.finished) == new
    assert repository.newest(before=new.started) == old


def test_a_backup_without_an_entry_is_no_backup(repository: Repository) -> None:
    repository.data(backup(1, 4)).mkdir()
    with pytest.raises(BackupError, match="holds no base backup"):
        repository.newest()


def test_a_moment_before_the_first_backup_cannot_be_restored(repository: Repository) -> None:
    store(repository, backup(1, 4))
    with pytest.raises(BackupError, match="older than 2026-02-01"):
        repository.newest(before=datetime(2026, 2, 1, tzinfo=UTC))


def test_expiry_keeps_what_reaches_every_moment_of_the_period(repository: Repository) -> None:
    ancient, edge, recent = backup(30, 1), backup(8, 16), backup(1, 32)
    store(repository, ancient, edge, recent)
    before, needed, later = (f"00000001{0:08X}{number:08X}" for number in (15, 16, 40))
    archive(repository, before, needed, later, "00000002.history")
    removed = repository.expire(7 * DAY, NOON)
    assert removed == (ancient.label, before)
    assert repository.backups() == (edge, recent)
    assert not repository.data(ancient).exists()
    assert repository.segments() == (needed, later)
    assert (repository.wal / "00000002.history").exists()


def test_expiry_removes_nothing_where_no_backup_is_older_than_the_period(repository: Repository) -> None:
    first = backup(1, 4)
    store(repository, first)
    archive(repository, f"00000001{0:08X}{4:08X}", f"00000002{0:08X}{5:08X}")
    assert repository.expire(7 * DAY, NOON) == ()
    assert repository.expire(0, NOON) == ()
    assert repository.backups() == (first,)


def test_wal_of_a_later_timeline_is_kept_by_its_position(repository: Repository) -> None:
    store(repository, replace(backup(1, 16), timeline=2, first_segment=f"00000002{0:08X}{16:08X}"))
    archive(repository, f"00000001{0:08X}{15:08X}", f"00000001{0:08X}{16:08X}", f"00000002{0:08X}{16:08X}")
    assert repository.expire(0, NOON) == (f"00000001{0:08X}{15:08X}",)


def test_without_a_backup_no_wal_is_removed(repository: Repository) -> None:
    archive(repository, f"00000001{0:08X}{15:08X}")
    assert repository.expire(0, NOON) == ()


def test_where_the_repository_lies() -> None:
    data = Path("/srv/shop/data")
    assert Backup().directory(data) == Path("/srv/shop/data.backup")
    assert Backup(repository="vault").directory(data) == Path("/srv/shop/vault")
    assert Backup(repository="/mnt/vault").directory(data) == Path("/mnt/vault")


@pytest.mark.parametrize("wrong", [{"keep": "a week"}, {"rpo": "soon"}, {"rpo": "1 second"}])
def test_a_declaration_that_cannot_be_kept_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(DeclarationError):
        Backup(**wrong)
