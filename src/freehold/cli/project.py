"""What every command works on: the layer, the server and an administrator's connection, each made when first needed."""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg

from freehold.config import FILE, Config
from freehold.errors import ConfigError, FreeholdError, ServerDown
from freehold.kernel.compile import Declared
from freehold.layer import DataLayer
from freehold.operations import default_cache
from freehold.servers import AddressServer, EmbeddedServer, Server

Connection = psycopg.Connection[Any]


class Project:
    """A configuration, and what it names."""

    def __init__(self, config: Config) -> None:
        self.config = config

    @cached_property
    def layer(self) -> DataLayer:
        """The data layer.

        Raises
        ------
        ConfigError
            No layer is named, or what is named is none.
        """
        if not self.config.layer:
            raise ConfigError(
                "No data layer is named",
                hint=f"Write layer = \"module:attribute\" into {FILE}, give --layer, or begin with 'freehold init'.",
            )
        found = self.named(self.config.layer, "layer")
        if not isinstance(found, DataLayer):
            raise ConfigError(
                f"{self.config.layer} is not a data layer",
                hint="Name a module and its DataLayer object, as in shop.layer:layer.",
            )
        return found

    def named(self, name: str, usual: str) -> Any:
        """What ``module:attribute`` names; None where the module has no such attribute."""
        module, _, attribute = name.partition(":")
        return getattr(_import(module, self.config.home), attribute or usual, None)

    @property
    def declared(self) -> Declared:
        """All that the layer declares."""
        return self.layer.declared

    @property
    def cache(self) -> Path:
        """Where built declared states are kept."""
        return self.config.cache or default_cache()

    @cached_property
    def server(self) -> Server:
        """The server at the URL, else the one that runs on the data directory.

        Raises
        ------
        ConfigError
            There is neither.
        ServerDown
            The data directory's server does not run.
        """
        return AddressServer(self.config.url) if self.config.url else self._own_server()

    @property
    def database(self) -> str | None:
        """The database; None for the one that the URL names."""
        return None if self.config.url else self.config.database or self.layer.name

    @property
    def address(self) -> str:
        """The database's URL with the login of `connect`."""
        return self.config.url or self.server.url(str(self.database))

    def connect(self) -> Connection:
        """A connection as an administrator, in autocommit mode."""
        server = self.server
        if isinstance(server, AddressServer):
            return server.connect(autocommit=True)
        return server.connect(str(self.database), autocommit=True)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection as an administrator, closed at the end."""
        with self.connect() as connection:
            yield connection

    def login_url(self, user: str, password: str) -> str:
        """The database's URL for another login."""
        with self.connection() as connection:
            name = connection.info.dbname
        return self.server.url(name, user=user, password=password)

    def _own_server(self) -> EmbeddedServer:
        server = EmbeddedServer(self.config.data_directory)
        if server.running:
            return server
        if (server.data_directory / "PG_VERSION").exists():
            raise ServerDown(f"The server in {server.data_directory} does not run", hint="Start it: freehold up")
        raise ConfigError(
            "No database is named",
            hint="Give --url or FREEHOLD_URL, or start a server for this project: freehold up",
        )


def _import(module: str, home: Path) -> Any:
    if str(home) not in sys.path:
        sys.path.insert(0, str(home))
    try:
        return importlib.import_module(module)
    except FreeholdError:
        raise
    except (Exception, SystemExit) as error:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "importlib" not in frame.filename]
        raise ConfigError(
            f"The module {module} cannot be imported",
            detail=_where(frames, error),
            hint=f"Modules are looked for in {home} and among the installed packages.",
        ) from error


def _where(frames: list[traceback.FrameSummary], error: BaseException) -> str:
    words = f"{type(error).__name__}: {error}"
    # The first frame is this file.
    return f"{words} ({frames[-1].filename}, line {frames[-1].lineno})" if len(frames) > 1 else words
