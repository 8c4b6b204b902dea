"""Any PostgreSQL 15 to 18 by URL, run by somebody else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from freehold.errors import InputError
from freehold.servers.binaries import Binaries, check_major
from freehold.servers.faults import connect
from freehold.servers.server import Addressable

DEFAULT_PORT = 5432


class AddressServer(Addressable):
    """A server known by its URL, ``postgresql://user:password@host:port/database?sslmode=verify-full``.

    Raises
    ------
    InputError
        The URL cannot be read.
    """

    binaries: Binaries | None = None
    data_directory: Path | None = None

    def __init__(self, url: str) -> None:
        self._parameters = _parameters(url)
        host = str(self._parameters.get("host") or "localhost")
        self.host = host
        self.port = _port(self._parameters.get("port"))
        self.socket_directory = Path(host) if host.startswith("/") else None
        self.superuser = str(self._parameters.get("user") or "")
        self.password = str(self._parameters.get("password") or "")
        self._version = 0

    @property
    def version(self) -> int:
        """Major version, asked for at the first use."""
        return self._version or self.check()

    def check(self) -> int:
        """Log in and give the major version.

        Raises
        ------
        ServerDown, LoginRefused, DatabaseMissing
            No connection, and why.
        ServerTooOld
            The version is outside 15 to 18.
        """
        with connect(self.conninfo()) as connection:
            major = connection.info.server_version // 10000
        check_major(major, f"{self.host}:{self.port}")
        self._version = major
        return major

    def conninfo(
        self, database: str | None = None, *, user: str | None = None, password: str | None = None, socket: bool = False
    ) -> str:
        """The URL's own parameters (TLS among them) with database and login replaced where named."""
        name, secret = self.login(user, password)
        changed = {"user": name or None, "password": secret or None}
        return make_conninfo(**{**self._parameters, **changed, **({"dbname": database} if database else {})})

    def connect(
        self,
        database: str | None = None,
        *,
        user: str | None = None,
        password: str | None = None,
        autocommit: bool = False,
    ) -> psycopg.Connection[Any]:
        """A connection to the URL's database, or to the one named."""
        return connect(self.conninfo(database, user=user, password=password), autocommit=autocommit)


def _parameters(url: str) -> dict[str, Any]:
    # SQLAlchemy writes the driver into the scheme; libpq does not know it.
    plain = url.replace("postgresql+psycopg://", "postgresql://", 1)
    try:
        return conninfo_to_dict(plain)
    except psycopg.ProgrammingError as error:
        raise InputError(
            "The server's address cannot be read.",
            detail=str(error),
            hint="Write postgresql://user@host:port/database.",
        ) from error


def _port(written: Any) -> int:
    if written and not str(written).isdecimal():
        raise InputError(
            f"{written!r} is not a port.", hint="Name one server, by number: postgresql://user@host:5432/database."
        )
    return int(written or DEFAULT_PORT)
