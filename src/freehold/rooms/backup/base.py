"""Take a base backup: copied by pg_basebackup, checked against its manifest, then entered into the catalog."""

from __future__ import annotations

import json
import shutil
import subprocess
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

from psycopg.conninfo import make_conninfo

from freehold.errors import BackupError
from freehold.events import DrillPhase, Listener, ignore
from freehold.kernel.observe import Connection
from freehold.rooms.backup.reads import read_all, read_one
from freehold.rooms.backup.store import BaseBackup, Repository
from freehold.servers.account import Account
from freehold.servers.binaries import Binaries
from freehold.servers.owned import OwnedServer

MANIFEST = "backup_manifest"


def take_base_backup(server: OwnedServer, repository: Repository, *, listener: Listener = ignore) -> BaseBackup:
    """Copy a running server into its repository.

    Raises
    ------
    BackupError
        pg_basebackup failed, the copy does not fit its manifest, or the server has tablespaces.
    """
    repository.prepare()
    with ExitStack() as undo, server.connect(autocommit=True) as connection:
        _refuse_tablespaces(connection)
        started = _now(connection)
        label = f"{started:%Y%m%dT%H%M%S%f}"
        partial = repository.base / f"{label}.part"
        undo.callback(shutil.rmtree, partial, ignore_errors=True)
        listener(DrillPhase("base backup", "copy"))
        _copy(server, partial, label)
        listener(DrillPhase("base backup", "verify"))
        verify(partial, server.binaries, server.account)
        backup = _described(connection, server, partial, label, started)
        partial.rename(repository.data(backup))
        repository.record(backup)
        undo.pop_all()
    return backup


def verify(directory: Path, binaries: Binaries, account: Account) -> None:
    """Compare every file of a backup with its manifest, and parse the WAL in it.

    Raises
    ------
    BackupError
        A file is missing, added or changed; the detail is pg_verifybackup's word.
    """
    try:
        binaries.run(account, "pg_verifybackup", "--quiet", str(directory))
    except subprocess.CalledProcessError as error:
        raise BackupError(
            f"The backup {directory.name} does not fit its manifest",
            detail=str(error.stderr).strip(),
            hint="Take a new base backup, and look at the disk.",
        ) from error


def _refuse_tablespaces(connection: Connection) -> None:
    found = [name for (name,) in read_all(connection, "list_tablespaces")]
    if found:
        raise BackupError(
            f"The server has tablespaces outside its data directory: {', '.join(found)}",
            detail="A copy would have to be told a new place for each of them.",
            hint="Move the tables back with ALTER TABLE … SET TABLESPACE pg_default, or use pgBackRest.",
        )


def _now(connection: Connection) -> datetime:
    (now,) = read_one(connection, "read_clock")
    assert isinstance(now, datetime)
    return now


def _copy(server: OwnedServer, target: Path, label: str) -> None:
    arguments = (
        f"--pgdata={target}",
        f"--dbname={make_conninfo(server.conninfo(), password=None)}",
        f"--label={label}",
        "--format=plain",
        "--wal-method=stream",
        "--checkpoint=fast",
        "--manifest-checksums=SHA256",
        "--no-password",
    )
    try:
        server.run("pg_basebackup", *arguments)
    except subprocess.CalledProcessError as error:
        raise BackupError(
            "pg_basebackup could not copy the server",
            detail=str(error.stderr).strip(),
            hint="It needs a free WAL sender, room on the repository's disk, and wal_level replica.",
        ) from error


def _described(
    connection: Connection, server: OwnedServer, directory: Path, label: str, started: datetime
) -> BaseBackup:
    manifest: dict[str, Any] = json.loads((directory / MANIFEST).read_text())
    span = manifest["WAL-Ranges"][0]
    (segment,) = read_one(connection, "read_segment", lsn=span["Start-LSN"])
    return BaseBackup(
        label=label,
        started=started,
        finished=_now(connection),
        timeline=span["Timeline"],
        start_lsn=span["Start-LSN"],
        stop_lsn=span["End-LSN"],
        first_segment=segment,
        bytes=sum(file["Size"] for file in manifest["Files"]),
        release=server.binaries.release,
    )
