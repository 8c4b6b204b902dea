"""A fresh database for one test, and the removal of all that the test left in its cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from freehold.servers.server import Server

CREATE = sql.SQL("CREATE DATABASE {name} TEMPLATE {template} STRATEGY {strategy}")
DROP = sql.SQL("DROP DATABASE IF EXISTS {name} WITH (FORCE)")
DROP_ROLE = sql.SQL("DROP ROLE {name}")
ROLES = sql.SQL("SELECT rolname FROM pg_catalog.pg_roles WHERE starts_with(rolname, {prefix}) ORDER BY rolname")
DATABASES = sql.SQL("SELECT datname FROM pg_catalog.pg_database WHERE starts_with(datname, {prefix}) ORDER BY datname")


@dataclass(frozen=True, slots=True)
class Database:
    """One database of a server; logins default to the superuser."""

    server: Server
    name: str

    def url(self, *, user: str | None = None, password: str | None = None) -> str:
        """A ``postgresql://`` URL."""
        return self.server.url(self.name, user=user, password=password)

    def conninfo(self, *, user: str | None = None, password: str | None = None, socket: bool = False) -> str:
        """libpq's key-value string."""
        return self.server.conninfo(self.name, user=user, password=password, socket=socket)

    def connect(
        self, *, user: str | None = None, password: str | None = None, autocommit: bool = False
    ) -> psycopg.Connection[Any]:
        """A connection."""
        return self.server.connect(self.name, user=user, password=password, autocommit=autocommit)


@contextmanager
def fresh_database(server: Server, name: str, *, template: str = "template1") -> Iterator[Database]:
    """Create a database from a template, and drop it at the end with whoever is still connected."""
    create_database(server, name, template=template)
    try:
        yield Database(server, name)
    finally:
        drop_database(server, name)


def create_database(server: Server, name: str, *, template: str = "template1") -> Database:
    """Clone a template. A small one is faster through WAL, a big one by copying its files."""
    strategy = sql.SQL("WAL_LOG" if template.startswith("template") else "FILE_COPY")
    command = CREATE.format(name=sql.Identifier(name), template=sql.Identifier(template), strategy=strategy)
    with server.connect(autocommit=True) as connection:
        connection.execute(command)
    return Database(server, name)


def drop_database(server: Server, name: str) -> None:
    """Drop a database if it is there, whoever is connected."""
    with server.connect(autocommit=True) as connection:
        connection.execute(DROP.format(name=sql.Identifier(name)))


def drop_leftovers(server: Server, prefix: str) -> None:
    """Drop the databases and roles whose names start with the prefix; dropping a database leaves its roles."""
    with server.connect(autocommit=True) as connection:
        for (name,) in connection.execute(DATABASES.format(prefix=sql.Literal(prefix))).fetchall():
            connection.execute(DROP.format(name=sql.Identifier(name)))
        for (name,) in connection.execute(ROLES.format(prefix=sql.Literal(prefix))).fetchall():
            connection.execute(DROP_ROLE.format(name=sql.Identifier(name)))
