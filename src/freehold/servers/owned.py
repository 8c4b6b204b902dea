"""A server that Freehold runs on a data directory: start, stop, kill, and say why it did not start."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from freehold.errors import ServerError, ServerNotStarted
from freehold.events import Listener, ServerStarted, ServerStopped, ignore
from freehold.servers.account import Account, account_for, open_own
from freehold.servers.binaries import Binaries
from freehold.servers.places import socket_directory
from freehold.servers.ports import free_port, port_is_free
from freehold.servers.postmaster import Postmaster, clear_stale_file, find_postmaster, processes_in, wait_until_gone
from freehold.servers.server import SUPERUSER, Addressable
from freehold.servers.settings import OWN, Settings, Value, write_settings

LOG_LINES = 20
LOG_LIMIT = 16 * 1024 * 1024
PORT_TRIES = 3


class OwnedServer(Addressable):
    """PostgreSQL on an existing data directory, such as a restored backup.

    Beside the data directory ``d`` lie ``d.log``, ``d.password`` (mode 0600) and ``d.run`` with the Unix socket. A
    server that already runs on the directory is adopted, and outlives the Python process.

    Parameters
    ----------
    settings
        Server settings, over Freehold's own; recovery settings too. They take effect at the next start.
    port
        TCP port on 127.0.0.1; a free one where None.
    password
        The superuser's; read from ``d.password`` where None.
    start_timeout
        Seconds to wait until connections are accepted; a long recovery needs more.
    """

    host = "127.0.0.1"
    superuser = SUPERUSER

    def __init__(
        self,
        data_directory: Path,
        binaries: Binaries,
        *,
        settings: Settings | None = None,
        port: int | None = None,
        password: str | None = None,
        start_timeout: float = 60.0,
        account: Account | None = None,
        listener: Listener = ignore,
    ) -> None:
        self.data_directory = data_directory.absolute()
        self.binaries = binaries
        self.account = account or account_for(self.data_directory)
        self.settings: dict[str, Value] = dict(settings or {})
        self.start_timeout = start_timeout
        self.listener = listener
        self.socket_directory: Path | None = None
        self.port = port or 0
        self.password = self._stored_password() if password is None else password
        self._wanted_port = port
        self._adopt(self.postmaster())

    @property
    def version(self) -> int:
        """Major version."""
        return self.binaries.version

    @property
    def log_path(self) -> Path:
        """The server's log, appended to at each start."""
        return self._beside(".log")

    @property
    def password_path(self) -> Path:
        """The file with the superuser's password, mode 0600."""
        return self._beside(".password")

    def postmaster(self) -> Postmaster | None:
        """The live main process, or None."""
        return find_postmaster(self.data_directory)

    @property
    def running(self) -> bool:
        """Whether the server's main process lives."""
        return self.postmaster() is not None

    def ensure_running(self) -> Self:
        """Start the server unless it runs."""
        return self if self.running else self.start()

    def start(self) -> Self:
        """Start the server and wait until it accepts connections.

        Raises
        ------
        ServerNotStarted
            With the last lines of its log.
        """
        self._prepare()
        for attempt in range(PORT_TRIES):
            self.port = self._wanted_port or self._choose_port()
            self._write_settings()
            logged = self._log_size()
            if self._run_pg_ctl():
                break
            taken = self._wanted_port is None and not port_is_free(self.port)
            if not taken or attempt == PORT_TRIES - 1:
                raise self._not_started(logged)
        self._adopt(self.postmaster())
        self.listener(ServerStarted(self.binaries.release, self.port, str(self.data_directory)))
        return self

    def stop(self, *, mode: str = "fast", timeout: float = 60.0) -> None:
        """Shut down and wait; nothing happens when it does not run. ``mode``: smart, fast or immediate."""
        if not self.running:
            return
        arguments = ("stop", "-D", str(self.data_directory), "-m", mode, "-w", "-s", "-t", str(int(timeout)))
        try:
            self.binaries.run(self.account, "pg_ctl", *arguments)
        except subprocess.CalledProcessError as error:
            raise ServerError(
                f"The server in {self.data_directory} did not stop within {timeout:g} s.",
                detail=self.log_tail(),
                hint="End the long transactions, or stop it with mode immediate.",
            ) from error
        self._forget_socket()
        self.listener(ServerStopped(str(self.data_directory)))

    def restart(self) -> Self:
        """Stop and start, on the same port."""
        self._wanted_port = self._wanted_port or self.port
        self.stop()
        return self.start()

    def kill(self) -> None:
        """SIGKILL to the main process and all its children at once, as when the machine loses power."""
        pids = processes_in(self.data_directory)
        for pid in pids:
            _send_kill(pid)
        for pid in pids:
            wait_until_gone(pid)
        if pids:
            self._forget_socket()
            self.listener(ServerStopped(str(self.data_directory)))

    def reload(self) -> None:
        """Write the settings and have the server read them again, without a restart."""
        self._write_settings()
        found = self.postmaster()
        if found is not None:
            os.kill(found.pid, signal.SIGHUP)

    def log_tail(self, lines: int = LOG_LINES, *, since: int = 0) -> str:
        """The last lines of the log, or of what was logged after byte ``since``."""
        try:
            with self.log_path.open("rb") as file:
                file.seek(max(since, self._log_size() - 64 * 1024))
                text = file.read().decode(errors="replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    def remove(self) -> None:
        """Stop the server at once and delete its data and what lies beside it."""
        self.stop(mode="immediate")
        for directory in (self.data_directory, self._beside(".run")):
            shutil.rmtree(directory, ignore_errors=True)
        for file in (self.log_path, self.password_path):
            file.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self.ensure_running()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def run(self, program: str, *arguments: str, secrets: Mapping[str, str] | None = None) -> str:
        """Run one of the server's programs as its account; the superuser's password goes by the environment."""
        return self.binaries.run(
            self.account, program, *arguments, secrets={"PGPASSWORD": self.password, **(secrets or {})}
        )

    def _beside(self, suffix: str) -> Path:
        return self.data_directory.with_name(self.data_directory.name + suffix)

    def _stored_password(self) -> str:
        path = self.password_path
        return path.read_text().strip() if path.exists() else ""

    def _adopt(self, found: Postmaster | None) -> None:
        if found is not None:
            self.port = found.port
            self.socket_directory = found.socket_directory

    def _forget_socket(self) -> None:
        """Remove the socket's directory where it is a temporary one; the next start makes another."""
        if self.socket_directory not in (None, self._beside(".run")):
            shutil.rmtree(str(self.socket_directory), ignore_errors=True)

    def _prepare(self) -> None:
        if not (self.data_directory / "PG_VERSION").exists():
            raise ServerNotStarted(
                f"{self.data_directory} is not a data directory.", hint="Give the directory that holds PG_VERSION."
            )
        if not self.account.may_enter(self.data_directory):
            raise ServerNotStarted(
                f"The account {self.account.name} cannot enter {self.data_directory}.",
                detail="PostgreSQL refuses to run as root, and Freehold opens no directory that it did not make.",
                hint="Put the data below a directory that this account may enter, such as /var/lib/freehold.",
            )
        clear_stale_file(self.data_directory)
        self.socket_directory = socket_directory(self.data_directory, self.account)

    def _choose_port(self) -> int:
        return free_port()

    def _write_settings(self) -> None:
        own = {**OWN, "port": self.port, "unix_socket_directories": str(self.socket_directory)}
        write_settings(self.data_directory, {**own, **self.settings}, self.account)

    def _log_size(self) -> int:
        return self.log_path.stat().st_size if self.log_path.exists() else 0

    def _run_pg_ctl(self) -> bool:
        """Start through pg_ctl, which detaches the server from this process and waits until it is ready."""
        if self._log_size() > LOG_LIMIT:
            self.log_path.replace(self._beside(".log.1"))
        seconds = str(max(1, int(self.start_timeout)))
        command = [self.binaries.program("pg_ctl"), "start", "-D", str(self.data_directory), "-w", "-s", "-t", seconds]
        with open_own(self.log_path, os.O_APPEND) as log:
            done = subprocess.run(
                command,
                env={**self.account.environment(), **self.binaries.environment},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=False,
                **self.account.process_options(),
            )
        return done.returncode == 0

    def _not_started(self, logged: int) -> ServerNotStarted:
        taken = "" if port_is_free(self.port) else f"Something else listens on port {self.port}: choose another. "
        return ServerNotStarted(
            f"PostgreSQL {self.binaries.release} did not start on {self.data_directory}.",
            detail=self.log_tail(since=logged),
            hint=f"{taken}The whole log is {self.log_path}.",
        )


def _send_kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
