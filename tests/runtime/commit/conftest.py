"""A ledger on a database of the test's own, ways into it for threads and for asyncio, and what they were told."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import psycopg
import pytest

from freehold import AsyncDatabase, Database, DataLayer
from freehold.events import Event
from freehold.runtime import Key, KeyRing
from freehold.servers.owned import OwnedServer
from freehold.testing.database import Database as Place
from freehold.testing.database import create_database, drop_leftovers, fresh_database
from freehold.testing.proxy import KillableProxy

from .layer import ONE, PASSWORD, SECRET, build, layer

T = TypeVar("T")
RING = KeyRing((Key("k1", SECRET),))
WHO: dict[str, Any] = {"tenant": ONE, "actor": "ana"}


@dataclass
class Ledger:
    """The layer, its database and every event that its applications were told."""

    layer: DataLayer
    place: Place
    told: list[Event] = field(default_factory=list)
    opened: list[Database] = field(default_factory=list)

    @property
    def user(self) -> str:
        """The application's login."""
        return f"{self.layer.name}_app_a"

    def url(self, proxy: KillableProxy | None = None) -> str:
        """The application's URL, by way of a proxy where one is given."""
        url = self.place.url(user=self.user, password=PASSWORD)
        if proxy is None:
            return url
        return url.replace(f":{self.place.server.port}/", f":{proxy.port}/") + "?sslmode=disable"

    def connect(self, proxy: KillableProxy | None = None, **options: Any) -> Database:
        """The application's database."""
        made = self.layer.connect(self.url(proxy), keys=RING, listener=self.told.append, **options)
        self.opened.append(made)
        return made

    @asynccontextmanager
    async def connect_async(self, proxy: KillableProxy | None = None, **options: Any) -> AsyncIterator[AsyncDatabase]:
        """The same for asyncio."""
        made = await self.layer.connect_async(self.url(proxy), keys=RING, listener=self.told.append, **options)
        try:
            yield made
        finally:
            await made.dispose()

    def run_async(self, work: Callable[[AsyncDatabase], Awaitable[T]], **options: Any) -> T:
        """Run a coroutine function with a database in a loop of its own."""

        async def main() -> T:
            async with self.connect_async(**options) as db:
                return await work(db)

        return asyncio.run(main())

    def admin(self) -> psycopg.Connection[Any]:
        """The administrator, whom row security does not hold."""
        return self.place.connect(autocommit=True)

    def marks(self) -> Counter[str]:
        """How often each mark is in the ledger."""
        with self.admin() as connection:
            return Counter(str(mark) for (mark,) in connection.execute("SELECT mark FROM ledger.entry").fetchall())

    def of(self, kind: type[T]) -> list[T]:
        """The events of a kind, in order."""
        return [event for event in self.told if isinstance(event, kind)]


@dataclass
class Templates:
    """The layer applied once a server; each test gets a copy."""

    made: dict[int, tuple[OwnedServer, str]] = field(default_factory=dict)

    def name(self, server: OwnedServer) -> str:
        """The name of the layer, and of the database that holds it."""
        if id(server) not in self.made:
            name = f"c{secrets.token_hex(3)}"
            self.made[id(server)] = (server, name)
            with create_database(server, name).connect(autocommit=True) as connection:
                build(connection, name)
        return self.made[id(server)][1]


@pytest.fixture(scope="session")
def ledgers(servers: object) -> Iterator[Templates]:
    """Layers by server; ``servers`` is asked for so that they outlive this."""
    made = Templates()
    yield made
    for server, name in made.made.values():
        drop_leftovers(server, name)


@pytest.fixture
def ledger(server: OwnedServer, ledgers: Templates, layer_name: str) -> Iterator[Ledger]:
    name = ledgers.name(server)
    with fresh_database(server, layer_name, template=name) as database:
        made = Ledger(layer(name), database)
        yield made
        for each in made.opened:
            each.dispose()


@pytest.fixture
def own_ledger(own_server: OwnedServer) -> Iterator[Ledger]:
    """A ledger on a server of the test's own."""
    place = create_database(own_server, "ledger")
    with place.connect(autocommit=True) as connection:
        made = Ledger(build(connection, "ledger"), place)
    yield made
    for each in made.opened:
        each.dispose()


@pytest.fixture
def db(ledger: Ledger) -> Database:
    """The application's database."""
    return ledger.connect()
