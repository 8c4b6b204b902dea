"""Restores to each kind of target, and that a copy never touches the live server's archive."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import NamedTuple

import pytest
from psycopg import sql

from freehold.errors import BackupError
from freehold.kernel.observe import Connection
from freehold.rooms.backup import (
    Backup,
    BaseBackup,
    Repository,
    Target,
    archive_now,
    repository_of,
    restored,
    take_base_backup,
)
from freehold.rooms.backup.restore import Restored
from freehold.servers import Binaries, OwnedServer

from .ground import archived_server


class Stage(NamedTuple):
    """A server with an archive, and a base backup of it with an empty table ``number``."""

    server: OwnedServer
    repository: Repository
    backup: BaseBackup


@pytest.fixture(scope="module")
def stages() -> Iterator[Callable[[Binaries], Stage]]:
    """One server per major version for the whole file: what a test changes, it puts back."""
    made: dict[int, Stage] = {}
    with ExitStack() as stack:

        def get(binaries: Binaries) -> Stage:
            if binaries.version not in made:
                made[binaries.version] = make_stage(stack.enter_context(archived_server(binaries)))
            return made[binaries.version]

        yield get


@pytest.fixture
def stage(stages: Callable[[Binaries], Stage], binaries: Binaries) -> Stage:
    found = stages(binaries)
    with found.server.connect(autocommit=True) as connection:
        connection.execute("TRUNCATE number")
    return found


def make_stage(server: OwnedServer) -> Stage:
    repository = repository_of(Backup(), server.data_directory, server.account)
    with server.connect(autocommit=True) as connection:
        connection.execute("CREATE TABLE number (value integer)")
    return Stage(server, repository, take_base_backup(server, repository))


def put(connection: Connection, value: int) -> str:
    """Store a value and give the position after its commit."""
    connection.execute("INSERT INTO number VALUES (%s)", (value,))
    row = connection.execute("SELECT pg_current_wal_insert_lsn()::text").fetchone()
    assert row is not None
    return str(row[0])


def values(copy: Restored) -> list[int]:
    with copy.server.connect() as connection:
        return [row[0] for row in connection.execute("SELECT value FROM number ORDER BY value")]


def test_each_kind_of_target_is_reached_exactly(stage: Stage) -> None:
    with stage.server.connect(autocommit=True) as connection:
        put(connection, 1)
        row = connection.execute("SELECT clock_timestamp()").fetchone()
        assert row is not None
        position = put(connection, 2)
        put(connection, 3)
        connection.execute("SELECT pg_create_restore_point('before four')")
        put(connection, 4)
        archive_now(connection, stage.repository)
    for target, expected in (
        (Target(time=row[0]), [1]),
        (Target(lsn=position), [1, 2]),
        (Target(name="before four"), [1, 2, 3]),
        (Target(), [1, 2, 3, 4]),
    ):
        with restored(stage.server, stage.repository, stage.backup, target) as copy:
            assert values(copy) == expected, target
            assert copy.rto_seconds == sum(copy.seconds.values()) > 0


def test_a_copy_is_writable_and_leaves_the_archive_alone(stage: Stage) -> None:
    with stage.server.connect(autocommit=True) as connection:
        put(connection, 1)
        archive_now(connection, stage.repository)
    before = sorted(path.name for path in stage.repository.wal.iterdir())
    with restored(stage.server, stage.repository, stage.backup, Target()) as copy:
        with copy.server.connect(autocommit=True) as connection:
            put(connection, 2)
            connection.execute("SELECT pg_switch_wal()")
            shown = connection.execute(
                "SELECT current_setting('archive_mode'), (SELECT archived_count FROM pg_stat_archiver)"
            ).fetchone()
        assert shown == ("off", 0)
        home = copy.server.data_directory
    assert sorted(path.name for path in stage.repository.wal.iterdir()) == before
    assert not home.exists()
    with stage.server.connect() as connection:
        assert connection.execute("SELECT count(*) FROM number").fetchone() == (1,)


def test_what_alter_system_set_does_not_win_in_the_copy(stage: Stage) -> None:
    with stage.server.connect(autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET archive_mode = 'always'")
        connection.execute("ALTER SYSTEM SET work_mem = '7MB'")
    backup = take_base_backup(stage.server, stage.repository)
    with stage.server.connect(autocommit=True) as connection:
        connection.execute("ALTER SYSTEM RESET ALL")
        archive_now(connection, stage.repository)
    with restored(stage.server, stage.repository, backup, Target()) as copy, copy.server.connect() as connection:
        shown = connection.execute("SELECT current_setting('archive_mode'), current_setting('work_mem')").fetchone()
    assert shown == ("off", "7MB")


def test_a_target_that_the_archive_does_not_hold_is_an_error(stage: Stage) -> None:
    with stage.server.connect(autocommit=True) as connection:
        put(connection, 1)
        archive_now(connection, stage.repository)
        row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    for target in (Target(time=row[0]), Target(name="never made"), Target(lsn="F/0")):
        with (
            pytest.raises(BackupError, match="Recovery ended before it reached its target") as caught,
            restored(stage.server, stage.repository, stage.backup, target),
        ):
            pytest.fail("the target was not reached, yet the copy was given")
        assert caught.value.detail


def test_two_targets_at_once_are_refused() -> None:
    with pytest.raises(BackupError, match="one target"):
        Target(lsn="0/1", name="point").settings()


def test_a_server_with_tablespaces_is_refused(stage: Stage) -> None:
    place = stage.server.data_directory.with_name("elsewhere")
    stage.server.account.make_private(place)
    with stage.server.connect(autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE TABLESPACE far LOCATION {}").format(sql.Literal(str(place))))
    with pytest.raises(BackupError, match="tablespaces outside its data directory: far"):
        take_base_backup(stage.server, stage.repository)
    with stage.server.connect(autocommit=True) as connection:
        connection.execute("DROP TABLESPACE far")


def test_a_backup_that_cannot_be_taken_is_not_in_the_catalog(stage: Stage) -> None:
    known = stage.repository.backups()
    stage.server.settings["max_wal_senders"] = 0
    stage.server.restart()
    with pytest.raises(BackupError, match="pg_basebackup could not copy the server"):
        take_base_backup(stage.server, stage.repository)
    del stage.server.settings["max_wal_senders"]
    stage.server.restart()
    assert stage.repository.backups() == known
