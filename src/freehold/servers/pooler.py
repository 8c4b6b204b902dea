"""A disposable PgBouncer in front of a server, for drills and tests that must go the way of production."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, Self

import psycopg
from psycopg import sql

from freehold.errors import BinariesMissing, FreeholdError, ServerNotStarted
from freehold.servers.abandoned import mark, remove_tree, sweep
from freehold.servers.account import Account, open_own, server_account
from freehold.servers.address import AddressServer
from freehold.servers.binaries import Binaries
from freehold.servers.faults import translated
from freehold.servers.owned import OwnedServer
from freehold.servers.places import temporary_directory
from freehold.servers.ports import free_port, port_is_free
from freehold.servers.server import Addressable
from freehold.servers.settings import Settings, Value

PoolMode = Literal["transaction", "session", "statement"]
PROGRAM = "pgbouncer"
ADMIN = "pgbouncer"
"""The database that is PgBouncer's own console."""
# Debian installs it outside an ordinary user's PATH.
EXTRA_PATH = (Path("/usr/sbin"), Path("/usr/local/sbin"))
# Logins that the auth file does not name are checked against the server's own verifiers, read as its superuser.
AUTH_QUERY = "SELECT usename, passwd FROM pg_catalog.pg_shadow WHERE usename = $1"
OWN: Settings = {
    "listen_addr": "127.0.0.1",
    "auth_type": "scram-sha-256",
    "auth_query": AUTH_QUERY,
    "max_client_conn": 1000,
    "server_login_retry": 1,
    "log_connections": 0,
    "log_disconnections": 0,
    "log_stats": 0,
}
START_TIMEOUT = 15.0
STOP_TIMEOUT = 2.0
PORT_TRIES = 3
LOG_LINES = 20


def find_pgbouncer() -> Path:
    """PgBouncer's program, from PATH or where Debian puts it.

    Raises
    ------
    BinariesMissing
        It is not installed.
    """
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *map(str, EXTRA_PATH)])
    found = shutil.which(PROGRAM, path=path)
    if found is None:
        raise BinariesMissing("PgBouncer is not installed.", hint="apt-get install pgbouncer")
    return Path(found)


class Pooler(Addressable):
    """A PgBouncer with one server behind it; every database and every login of the server can be reached through it.

    Parameters
    ----------
    server
        What it stands in front of; its superuser's login reads the verifiers of the others.
    home
        An existing private directory of the account, for configuration, log and socket.
    mode
        When a server connection goes back to the pool: after each transaction, session or statement.
    pool_size
        Server connections for each pair of user and database.
    settings
        Further settings of ``pgbouncer.ini``.
    """

    host = "127.0.0.1"
    binaries: Binaries | None = None
    data_directory: Path | None = None

    def __init__(
        self,
        server: OwnedServer | AddressServer,
        home: Path,
        *,
        mode: PoolMode = "transaction",
        pool_size: int = 20,
        settings: Settings | None = None,
        program: Path | None = None,
        account: Account | None = None,
    ) -> None:
        self.server = server
        self.home = home
        self.socket_directory: Path | None = home
        self.superuser = server.superuser
        self.password = server.password
        self.port = 0
        self.settings: dict[str, Value] = {"pool_mode": mode, "default_pool_size": pool_size, **(settings or {})}
        self.program = program or find_pgbouncer()
        self.account = account or server_account()
        self._process: subprocess.Popen[bytes] | None = None
        self._reached = ("", 0)

    @property
    def version(self) -> int:
        """Major version of the PostgreSQL behind it."""
        return self.server.version

    @property
    def running(self) -> bool:
        """Whether its process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def log_path(self) -> Path:
        """Its log, appended to at each start."""
        return self.home / "pgbouncer.log"

    def start(self) -> Self:
        """Start it and wait until its console answers.

        Raises
        ------
        ServerNotStarted
            With the last lines of its log.
        """
        for attempt in range(PORT_TRIES):
            self.port = free_port()
            reached = self._write()
            self._process = self._run()
            if self._wait():
                self._reached = reached
                return self
            taken = not port_is_free(self.port)
            self.kill()
            if not taken or attempt == PORT_TRIES - 1:
                break
        raise ServerNotStarted(
            f"PgBouncer did not start in front of {self.server.host}:{self.server.port}.",
            detail=self.log_tail(),
            hint=f"Its configuration is {self._ini}; start it by hand with: {self.program} {self._ini}",
        )

    def ensure_running(self) -> Self:
        """Start it unless it runs, and lead it to the server where that has moved to another port."""
        if not self.running:
            return self.start()
        if self._reached != (self.server.host, self.server.port):
            self.reload()
        return self

    def reload(self, **settings: Value) -> None:
        """Write the configuration, with changed settings, and have PgBouncer read it; pools stay."""
        self.settings.update(settings)
        reached = self._write()
        self.command("RELOAD")
        self._reached = reached

    def pause(self, database: str | None = None) -> None:
        """Wait until no transaction is open on the server, and hold new ones back; clients wait and see no error."""
        self.command("PAUSE", database)

    def resume(self, database: str | None = None) -> None:
        """Let the clients go on that wait for a pause to end."""
        self.command("RESUME", database)

    def reconnect(self, database: str | None = None) -> None:
        """Replace each server connection when its transaction ends."""
        self.command("RECONNECT", database)

    @translated("command PgBouncer")
    def command(self, word: str, database: str | None = None) -> None:
        """Run a command of the console, such as PAUSE, for one database or for all."""
        parts = [sql.SQL(word), *([sql.Identifier(database)] if database else [])]
        with self._console() as console:
            console.execute(sql.SQL(" ").join(parts))

    @translated("ask PgBouncer")
    def show(self, what: str) -> list[dict[str, Any]]:
        """The rows of a SHOW command of the console, such as POOLS, SERVERS or VERSION."""
        with self._console() as console:
            cursor = console.execute(sql.SQL("SHOW {}").format(sql.SQL(what)))
            names = [column.name for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor]

    def stop(self) -> None:
        """End it and every connection through it; nothing happens when it does not run."""
        if self._process is not None and self.running:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                # From 1.23 on SIGTERM waits for the clients to leave.
                self._process.kill()
        self._reap()

    def kill(self) -> None:
        """SIGKILL, as when its machine is lost."""
        if self._process is not None and self.running:
            self._process.kill()
        self._reap()

    def log_tail(self, lines: int = LOG_LINES) -> str:
        """The last lines of its log."""
        text = self.log_path.read_text(errors="replace") if self.log_path.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    @property
    def _ini(self) -> Path:
        return self.home / "pgbouncer.ini"

    def _reap(self) -> None:
        if self._process is not None:
            self._process.wait()
            self._process = None

    def _console(self) -> psycopg.Connection[Any]:
        # The console knows no transactions.
        return self.connect(ADMIN, autocommit=True)

    def _write(self) -> tuple[str, int]:
        """Write the configuration; gives the server's address that stands in it."""
        reached = (self.server.host, self.server.port)
        logins = self.home / "userlist.txt"
        own: Settings = {"listen_port": self.port, "unix_socket_dir": str(self.home), "auth_file": str(logins)}
        settings = {**OWN, **own, "admin_users": self.superuser, **self.settings}
        self.account.write_secret(logins, auth_file({self.superuser: self.password}))
        self.account.write_secret(self._ini, ini(self.server, settings))
        return reached

    def _run(self) -> subprocess.Popen[bytes]:
        with open_own(self.log_path, os.O_APPEND) as log:
            return subprocess.Popen(
                [str(self.program), str(self._ini)],
                env=self.account.environment(),
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **self.account.process_options(),
            )

    def _wait(self) -> bool:
        deadline = time.monotonic() + START_TIMEOUT
        while self.running and time.monotonic() < deadline:
            # Its own socket: somebody else may listen on the port.
            if (self.home / f".s.PGSQL.{self.port}").exists() and self._answers():
                return True
            time.sleep(0.01)
        return False

    def _answers(self) -> bool:
        try:
            self.show("VERSION")
        except FreeholdError:
            return False
        return True


def ini(server: OwnedServer | AddressServer, settings: Mapping[str, Value]) -> str:
    """The text of ``pgbouncer.ini``: all databases of one server."""
    target = {"host": server.host, "port": str(server.port), "auth_user": server.superuser}
    reached = " ".join(f"{name}={_quoted(value)}" for name, value in target.items())
    lines = [f"{name} = {int(value) if isinstance(value, bool) else value}" for name, value in settings.items()]
    return "\n".join(["[databases]", f"* = {reached}", "", "[pgbouncer]", *lines, ""])


def auth_file(logins: Mapping[str, str]) -> str:
    """The text of ``userlist.txt``: passwords in clear, since PgBouncer logs in to the server with them."""
    names = {name: (name.replace('"', '""'), secret.replace('"', '""')) for name, secret in logins.items()}
    return "".join(f'"{name}" "{secret}"\n' for name, secret in names.values())


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


@contextmanager
def pooler_for(
    server: OwnedServer | AddressServer,
    *,
    mode: PoolMode = "transaction",
    pool_size: int = 20,
    settings: Settings | None = None,
    program: Path | None = None,
) -> Iterator[Pooler]:
    """A PgBouncer in a temporary directory, in front of a running server; see :class:`Pooler`.

    Raises
    ------
    BinariesMissing
        PgBouncer is not installed.
    ServerNotStarted
        It is, and does not start.
    """
    account = server_account()
    place = temporary_directory(account, "pgbouncer")
    mark(place, account)
    sweep(account, {place.parent})
    try:
        home = account.make_private(place / "data")
        pooler = Pooler(
            server, home, mode=mode, pool_size=pool_size, settings=settings, program=program, account=account
        )
        try:
            yield pooler.start()
        finally:
            pooler.stop()
    finally:
        remove_tree(place)
