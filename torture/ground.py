"""A server of the harness's own, a layer applied to it, and the application's ways in: direct and through a pooler."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
import sqlalchemy as sa

from freehold import AsyncDatabase, Database, DataLayer
from freehold.errors import FreeholdError
from freehold.operations import apply_layer
from freehold.rooms.roles.credentials import set_password
from freehold.runtime import Key, KeyRing
from freehold.runtime.retry import server_error
from freehold.servers import Binaries, OwnedServer, disposable, find_embedded
from freehold.servers.ports import free_port
from freehold.servers.settings import Settings

TENANT = 1
WHO: dict[str, Any] = {"tenant": TENANT, "actor": "torture"}
"""What every transaction here says of itself."""
Failures = (sa.exc.SQLAlchemyError, FreeholdError, psycopg.Error)
"""What a transaction may end with; anything else is a defect of the harness."""
QUIET: Settings = {"log_min_messages": "fatal", "max_connections": 100}


def state_of(error: BaseException) -> str:
    """The SQLSTATE behind whatever was raised, or ""."""
    said = server_error(error)
    return (said.sqlstate or "") if said else ""


@dataclass
class Ground:
    """Where a harness runs."""

    server: OwnedServer
    layer: DataLayer
    keys: KeyRing = field(default_factory=lambda: KeyRing((Key("torture", secrets.token_bytes(32)),)))
    password: str = field(default_factory=secrets.token_urlsafe)

    @property
    def database(self) -> str:
        """The database is called as its layer is."""
        return self.layer.name

    @property
    def login(self) -> str:
        """The application's login."""
        return f"{self.layer.name}_app_a"

    @property
    def url(self) -> str:
        """The application's URL, to the server itself."""
        return self.server.url(self.database, user=self.login, password=self.password)

    def connect(self, url: str = "", **options: Any) -> Database:
        """The application's database."""
        return self.layer.connect(url or self.url, keys=self.keys, **options)

    async def connect_async(self, url: str = "", **options: Any) -> AsyncDatabase:
        """The same for asyncio."""
        return await self.layer.connect_async(url or self.url, keys=self.keys, **options)

    def admin(self) -> psycopg.Connection[Any]:
        """The administrator's connection, which row security does not hold."""
        return self.server.connect(self.database, autocommit=True)

    def build(self) -> Ground:
        """Make the database, apply the layer, and let the application in."""
        with self.server.connect(autocommit=True) as connection:
            connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(self.database)))
        with self.admin() as connection:
            apply_layer(connection, self.layer.declared)
            set_password(connection, self.login, self.password)
            key = self.keys.signing
            connection.execute("SELECT freehold.add_context_key_v1(%s, %s)", (key.key_id, key.secret))
        return self


@contextmanager
def ground(
    layer: DataLayer, *, binaries: Binaries | None = None, settings: Settings | None = None, durable: bool = False
) -> Iterator[Ground]:
    """A ground on a new server, removed at the end.

    Parameters
    ----------
    durable
        With fsync, full-page writes and synchronous commit, as a server that matters.
    """
    chosen = {**QUIET, **(settings or {})}
    found = binaries or find_embedded()
    # The port stays when the server is killed and started again, as an application's address does.
    with disposable(found, settings=chosen, durable=durable, in_memory=not durable, port=free_port()) as server:
        yield Ground(server, layer).build()
