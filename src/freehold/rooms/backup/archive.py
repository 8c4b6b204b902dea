"""The WAL archive: the settings that feed it, and the proof by act that it takes what it is given."""

from __future__ import annotations

import shlex
import time
from pathlib import Path

from freehold.errors import BackupError
from freehold.kernel.observe import Connection
from freehold.rooms.backup.declare import Backup
from freehold.rooms.backup.reads import read_one
from freehold.rooms.backup.store import Repository
from freehold.servers.account import Account, server_account
from freehold.servers.settings import Settings

ARCHIVE_SECONDS = 60.0
"""How long an archived segment is waited for."""

# A segment that is there already must be the same: after a crash PostgreSQL may offer one twice. The file and then the
# directory are synced before PostgreSQL hears that it may recycle its own copy.
ARCHIVE = (
    "if test -f {target}; then cmp -s %p {target}; "
    "else cp %p {target}.part && sync {target}.part && mv {target}.part {target} && sync {directory}; fi"
)
RESTORE = "test -f {target} && cp {target} %p"


def repository_of(declaration: Backup, data_directory: Path, account: Account | None = None) -> Repository:
    """The repository of the server on a data directory."""
    return Repository(declaration.directory(data_directory), account or server_account())


def archive_settings(declaration: Backup, data_directory: Path, account: Account | None = None) -> Settings:
    """Make the repository's directories and give the settings that the server must be started with."""
    repository = repository_of(declaration, data_directory, account).prepare()
    return {
        "archive_mode": True,
        "archive_command": _filled(ARCHIVE, repository.wal),
        "archive_timeout": f"{declaration.rpo_seconds // 2}s",
    }


def restore_command(repository: Repository) -> str:
    """The command by which a restored server fetches WAL."""
    return _filled(RESTORE, repository.wal)


def _filled(template: str, directory: Path) -> str:
    """PostgreSQL replaces %p and %f in the command, so that a percent sign of the path is doubled."""
    quoted = shlex.quote(str(directory)).replace("%", "%%")
    return template.format(target=f"{quoted}/%f", directory=quoted)


def archive_now(
    connection: Connection, repository: Repository, *, timeout: float = ARCHIVE_SECONDS
) -> tuple[str, float]:
    """Close the current WAL segment and wait until the archive holds it.

    The connection is in autocommit mode: within a transaction, its own commit would fall into the next segment.

    Returns
    -------
    tuple
        The segment's name, and the seconds it took.

    Raises
    ------
    BackupError
        It did not arrive; the detail is what the server says of its archiver.
    """
    started = time.monotonic()
    (segment,) = read_one(connection, "switch_wal")
    while not (repository.wal / segment).exists():
        if time.monotonic() - started > timeout or read_one(connection, "read_archive_mode") == ("off",):
            raise _not_archived(connection, repository, segment)
        time.sleep(0.02)
    return segment, time.monotonic() - started


def _not_archived(connection: Connection, repository: Repository, segment: str) -> BackupError:
    mode, failed, last_failed, last_archived = read_one(connection, "read_archiver")
    return BackupError(
        f"WAL segment {segment} did not reach the archive {repository.wal}",
        detail=f"archive_mode is {mode}, {failed} failures, the last of {last_failed}; last archived: {last_archived}.",
        hint="Start the server with archive_settings(), and look for the archive command in its log.",
    )
