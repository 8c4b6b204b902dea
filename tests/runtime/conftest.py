"""A shop's layer on a database of the test's own, and the application's way into it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from psycopg import sql

from freehold.runtime import Database, Key, KeyRing
from freehold.servers.owned import OwnedServer
from freehold.testing.database import Database as TestDatabase
from freehold.testing.database import create_database, drop_leftovers, fresh_database
from tests.rooms.tenancy.layer import COLUMNS, SECRET, TABLES, applied

PASSWORD = "of the application"
RING = KeyRing((Key("k1", SECRET),))


@dataclass(frozen=True)
class Shop:
    """The layer's name and its database."""

    name: str
    database: TestDatabase

    def url(self, login: str = "app_a") -> str:
        """The application's URL."""
        return self.database.url(user=f"{self.name}_{login}", password=PASSWORD)

    @property
    def place(self) -> dict[str, Any]:
        """What every way into the database is told of the layer."""
        tables = (TABLES["shop.product"], TABLES["shop.setting"])
        return {"layer_name": self.name, "tenant_columns": COLUMNS, "tables": tables, "keys": RING}

    def connect(self, **options: Any) -> Database:
        """The application's database."""
        return Database.connect(self.url(), **{**self.place, **options})


@dataclass
class Templates:
    """The layer applied once a server; each test gets a copy."""

    made: dict[int, tuple[OwnedServer, str]] = field(default_factory=dict)

    def name(self, server: OwnedServer) -> str:
        """The name of the layer, and of the database that holds it."""
        key = id(server)
        if key not in self.made:
            name = f"s{secrets.token_hex(3)}"
            self.made[key] = (server, name)
            _build(create_database(server, name), name)
        return self.made[key][1]

    def close(self) -> None:
        """Drop them and their roles."""
        for server, name in self.made.values():
            drop_leftovers(server, name)


def _build(database: TestDatabase, name: str) -> None:
    with database.connect(autocommit=True) as connection:
        applied(connection, name)
        for login in ("app_a", "migrator"):
            role = sql.Identifier(f"{name}_{login}")
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, sql.Literal(PASSWORD)))


@pytest.fixture(scope="session")
def templates(servers: object) -> Iterator[Templates]:
    """Layers by server; ``servers`` is asked for so that they outlive this."""
    made = Templates()
    yield made
    made.close()


@pytest.fixture
def shop(server: OwnedServer, templates: Templates, layer_name: str) -> Iterator[Shop]:
    name = templates.name(server)
    with fresh_database(server, layer_name, template=name) as database:
        yield Shop(name, database)


@pytest.fixture
def connect(shop: Shop) -> Iterator[Callable[..., Database]]:
    opened: list[Database] = []

    def make(**options: Any) -> Database:
        opened.append(shop.connect(**options))
        return opened[-1]

    yield make
    for each in opened:
        each.dispose()


@pytest.fixture
def db(connect: Callable[..., Database]) -> Database:
    """The application's database."""
    return connect()
