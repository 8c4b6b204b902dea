"""Restore a backup to a chosen moment on a disposable server, and wait until it has really got there."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import psycopg

from freehold.errors import BackupError, ServerError
from freehold.events import DrillPhase, Listener, ignore
from freehold.rooms.backup.archive import restore_command
from freehold.rooms.backup.base import verify
from freehold.rooms.backup.reads import read_all, read_one
from freehold.rooms.backup.store import BaseBackup, Repository
from freehold.servers.owned import OwnedServer
from freehold.servers.places import temporary_directory
from freehold.servers.settings import Settings

RESTORE_SECONDS = 3600.0
"""How long replay may take."""

ISOLATED: Settings = {
    # A copy that archived would write into the live server's archive; one that subscribed would take its rows.
    "archive_mode": False,
    "max_logical_replication_workers": 0,
    "primary_conninfo": "",
    "synchronous_standby_names": "",
    "hot_standby": True,
}


@dataclass(frozen=True, slots=True)
class Target:
    """Where recovery ends: just after this time, position or named point; empty means the end of the archive."""

    time: datetime | None = None
    lsn: str = ""
    name: str = ""

    def settings(self) -> Settings:
        """The server's recovery settings."""
        given = {
            "recovery_target_time": self.time.isoformat(sep=" ") if self.time else "",
            "recovery_target_lsn": self.lsn,
            "recovery_target_name": self.name,
        }
        chosen = {name: value for name, value in given.items() if value}
        if len(chosen) > 1:
            raise BackupError(
                f"A restore ends at one target, not at {' and '.join(chosen)}", hint="Give a time, an LSN or a name."
            )
        return {**chosen, "recovery_target_inclusive": True, "recovery_target_action": "promote"}


@dataclass(frozen=True, slots=True)
class Restored:
    """A restored server that accepts writes, and the seconds that each phase took."""

    server: OwnedServer
    backup: BaseBackup
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def rto_seconds(self) -> float:
        """From the order to restore until the first write is accepted."""
        return sum(self.seconds.values())


@contextmanager
def restored(
    live: OwnedServer,
    repository: Repository,
    backup: BaseBackup,
    target: Target,
    *,
    timeout: float = RESTORE_SECONDS,
    listener: Listener = ignore,
) -> Iterator[Restored]:
    """A disposable server with the live one's state at the target, removed at the end.

    It archives nothing and syncs like a real one, so that its times are those of a real restore.

    Raises
    ------
    BackupError
        A file of the backup is damaged, or recovery ended before the target.
    """
    home = temporary_directory(live.account, "restore")
    result = Restored(_server(live, repository, target, home, timeout), backup)
    try:
        _recover(result, repository, timeout, listener)
        yield result
    finally:
        result.server.stop(mode="immediate")
        subprocess.run(["rm", "-rf", "--", str(home)], check=True)  # noqa: S607


def _server(live: OwnedServer, repository: Repository, target: Target, home: Path, timeout: float) -> OwnedServer:
    settings = {
        **live.settings,
        **_needed(live),
        **ISOLATED,
        "restore_command": restore_command(repository),
        **target.settings(),
    }
    return OwnedServer(
        home / "data",
        live.binaries,
        settings=settings,
        password=live.password,
        start_timeout=timeout,
        account=live.account,
    )


def _needed(live: OwnedServer) -> Settings:
    """Settings that a server in recovery must have at least as high as the one whose WAL it replays."""
    with live.connect() as connection:
        return dict(read_all(connection, "list_recovery_limits"))


def _recover(result: Restored, repository: Repository, timeout: float, listener: Listener) -> None:
    data = result.server.data_directory
    with _phase(result, "copy", listener):
        # cp keeps owners and shares blocks where the file system can.
        subprocess.run(["cp", "-a", "--reflink=auto", str(repository.data(result.backup)), str(data)], check=True)  # noqa: S607
    with _phase(result, "verify", listener):
        verify(data, result.server.binaries, result.server.account)
    _isolate(result.server)
    with _phase(result, "start", listener):
        _start(result.server)
    with _phase(result, "replay", listener):
        _await_promotion(result.server, timeout)


@contextmanager
def _phase(result: Restored, name: str, listener: Listener) -> Iterator[None]:
    listener(DrillPhase("restore", name))
    started = time.monotonic()
    yield
    result.seconds[name] = time.monotonic() - started


def _isolate(server: OwnedServer) -> None:
    """What ALTER SYSTEM set on the live server must not win over the copy's settings."""
    signal = server.data_directory / "recovery.signal"
    signal.touch(mode=0o600)
    server.account.own(signal)
    auto = server.data_directory / "postgresql.auto.conf"
    lines = auto.read_text().splitlines() if auto.exists() else []
    kept = [line for line in lines if line.partition("=")[0].strip() not in server.settings]
    auto.write_text("\n".join([*kept, ""]))


def _start(server: OwnedServer) -> None:
    try:
        server.start()
    except ServerError as error:
        raise _not_reached(server) from error


def _await_promotion(server: OwnedServer, timeout: float) -> None:
    """pg_ctl returns when the copy is consistent, which is long before it has reached its target."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if not server.running:
            raise _not_reached(server)
        try:
            with server.connect(autocommit=True) as connection:
                if read_one(connection, "read_recovery") == (False,):
                    return
        except (ServerError, psycopg.OperationalError):
            # It shut down between the two looks: the next turn tells.
            pass
        time.sleep(0.02)
    raise _not_reached(server)


def _not_reached(server: OwnedServer) -> BackupError:
    return BackupError(
        "Recovery ended before it reached its target",
        detail=server.log_tail(8),
        hint="WAL is missing between the backup and the target, or the target lies after the last archived commit.",
    )
