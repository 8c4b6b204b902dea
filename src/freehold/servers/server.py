"""The small type that all servers share: an address, and how to log in."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import psycopg
from psycopg.conninfo import make_conninfo

from freehold.servers.binaries import Binaries
from freehold.servers.faults import connect

SUPERUSER = "postgres"


class Server(Protocol):
    """A PostgreSQL server, wherever it runs.

    ``binaries`` and ``data_directory`` are None for a server that Freehold does not run.
    """

    @property
    def host(self) -> str:
        """Host name or address for TCP."""

    @property
    def port(self) -> int:
        """TCP port, which also names the socket's file."""

    @property
    def version(self) -> int:
        """Major version, 15 to 18."""

    @property
    def socket_directory(self) -> Path | None:
        """Directory of the Unix socket."""

    @property
    def data_directory(self) -> Path | None:
        """Where the data lies."""

    @property
    def binaries(self) -> Binaries | None:
        """The programs that run it."""

    def url(self, database: str = "postgres", *, user: str | None = None, password: str | None = None) -> str:
        """A ``postgresql://`` URL; the superuser's where no user is named."""

    def conninfo(
        self, database: str = "postgres", *, user: str | None = None, password: str | None = None, socket: bool = False
    ) -> str:
        """The same as libpq's key-value string; over the Unix socket on request."""

    def connect(
        self,
        database: str = "postgres",
        *,
        user: str | None = None,
        password: str | None = None,
        autocommit: bool = False,
    ) -> psycopg.Connection[Any]:
        """A connection; its failures are Freehold's typed errors."""


class Addressable:
    """What is the same for every server once host, port and the superuser's login are known."""

    host: str
    port: int
    socket_directory: Path | None
    superuser: str
    password: str

    def login(self, user: str | None, password: str | None) -> tuple[str, str]:
        """User and password, filled from the superuser's login where no user is named."""
        if user is None:
            return self.superuser, self.password if password is None else password
        return user, password or ""

    def url(self, database: str = "postgres", *, user: str | None = None, password: str | None = None) -> str:
        """See ``Server.url``."""
        name, secret = self.login(user, password)
        login = quote(name, safe="") + (f":{quote(secret, safe='')}" if secret else "")
        return f"postgresql://{login}@{self.host}:{self.port}/{quote(database, safe='')}"

    def conninfo(
        self, database: str = "postgres", *, user: str | None = None, password: str | None = None, socket: bool = False
    ) -> str:
        """See ``Server.conninfo``."""
        name, secret = self.login(user, password)
        host = str(self.socket_directory) if socket and self.socket_directory else self.host
        return make_conninfo(host=host, port=self.port, dbname=database, user=name, password=secret or None)

    def connect(
        self,
        database: str = "postgres",
        *,
        user: str | None = None,
        password: str | None = None,
        autocommit: bool = False,
    ) -> psycopg.Connection[Any]:
        """See ``Server.connect``."""
        return connect(self.conninfo(database, user=user, password=password), autocommit=autocommit)
