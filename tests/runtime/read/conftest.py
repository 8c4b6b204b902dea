"""A primary and its replica for all tests of reads, and pairs of a test's own, with a ledger on them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import psycopg
import pytest

from freehold import Database, DataLayer
from freehold.events import Event
from freehold.runtime import Key, KeyRing
from freehold.servers.binaries import Binaries
from freehold.servers.disposable import disposable, replica_of
from freehold.servers.owned import OwnedServer
from freehold.servers.ports import free_port
from freehold.testing.database import create_database
from freehold.testing.servers import SETTINGS, binaries_of, wait_for_replay
from tests.runtime.commit.layer import ONE, PASSWORD, SECRET, Entry, build

T = TypeVar("T")
NAME = "pair"
RING = KeyRing((Key("k1", SECRET),))
WHO: dict[str, Any] = {"tenant": ONE, "actor": "ana"}
LONG = 20.0
"""Seconds to wait for a replica on a busy machine."""


@dataclass
class Pair:
    """A primary with its replica, the layer on them, and every event that its applications were told."""

    primary: OwnedServer
    replica: OwnedServer
    layer: DataLayer
    told: list[Event] = field(default_factory=list)
    opened: list[Database] = field(default_factory=list)

    def url(self, server: OwnedServer, login: str = "app_a") -> str:
        """The application's URL to one of them."""
        return server.url(NAME, user=f"{NAME}_{login}", password=PASSWORD)

    @property
    def both(self) -> str:
        """A URL with both hosts, the primary first."""
        hosts = f"{self.primary.host}:{self.primary.port},{self.replica.host}:{self.replica.port}"
        return f"postgresql://{NAME}_app_a:{PASSWORD.replace(' ', '%20')}@{hosts}/{NAME}"

    def connect(self, url: str = "", **options: Any) -> Database:
        """The application's database, with the replica."""
        chosen = {"replicas": (self.url(self.replica),), "listener": self.told.append, "keys": RING, **options}
        made = self.layer.connect(url or self.url(self.primary), **chosen)
        self.opened.append(made)
        return made

    def place(self) -> dict[str, Any]:
        """The options of an asynchronous connection."""
        return {"replicas": (self.url(self.replica),), "listener": self.told.append, "keys": RING}

    def admin(self, server: OwnedServer | None = None) -> psycopg.Connection[Any]:
        """The administrator on one of them; the primary by default."""
        return (server or self.primary).connect(NAME, autocommit=True)

    def settle(self) -> None:
        """Wait until the replica has everything."""
        wait_for_replay(self.primary, self.replica)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """The replica has everything up to now, and replays no more until the block ends."""
        self.settle()
        with self.admin(self.replica) as connection:
            connection.execute("SELECT pg_wal_replay_pause()")
            state = "SELECT pg_get_wal_replay_pause_state()"
            until(lambda: connection.execute(state).fetchone() == ("paused",))
            try:
                yield
            finally:
                connection.execute("SELECT pg_wal_replay_resume()")

    def promote(self) -> None:
        """Make the replica a primary."""
        with self.admin(self.replica) as connection:
            connection.execute("SELECT pg_promote()")

    def of(self, kind: type[T]) -> list[T]:
        """The events of a kind, in order."""
        return [event for event in self.told if isinstance(event, kind)]


def until(done: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.01)


def write(db: Database, mark: str) -> str:
    """Write an entry; gives the position."""
    with db.transaction(**WHO) as session:
        session.add(Entry(mark=mark))
    return session.position


@contextmanager
def pair_on(binaries: Binaries) -> Iterator[Pair]:
    """A new pair, removed at the end."""
    # Without synchronous commit a replica hears of a commit only a fifth of a second later.
    settings = {**SETTINGS, "synchronous_commit": "on", "autovacuum": False}
    with ExitStack() as stack:
        made = disposable(binaries, settings=settings, in_memory=True, port=free_port())
        primary = stack.enter_context(made)
        with create_database(primary, NAME).connect(autocommit=True) as connection:
            layer = build(connection, NAME)
        replica = stack.enter_context(replica_of(primary, port=free_port()))
        yield Pair(primary, replica, layer)


@dataclass
class Pairs:
    """A pair for each major version."""

    stack: ExitStack = field(default_factory=ExitStack)
    made: dict[int, Pair] = field(default_factory=dict)

    def of(self, major: int) -> Pair:
        """The pair, made when it is first asked for."""
        if major not in self.made:
            self.made[major] = self.stack.enter_context(pair_on(binaries_of(major)))
        return self.made[major]


@pytest.fixture(scope="session")
def pairs(servers: object) -> Iterator[Pairs]:
    with ExitStack() as stack:
        yield Pairs(stack)


@pytest.fixture
def pair(pairs: Pairs, pg_major: int) -> Iterator[Pair]:
    """The shared pair: it stays as it is."""
    shared = pairs.of(pg_major)
    made = Pair(shared.primary, shared.replica, shared.layer)
    yield made
    for each in made.opened:
        each.dispose()


@pytest.fixture
def own_pair(binaries: Binaries) -> Iterator[Pair]:
    """A pair to be stopped and promoted."""
    with pair_on(binaries) as made:
        yield made
        for each in made.opened:
            each.dispose()


@pytest.fixture
def db(pair: Pair) -> Database:
    """The application's database, with the replica."""
    return pair.connect()
