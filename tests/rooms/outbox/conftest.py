"""The layer on a database of the test's own, messages of its application, and relays with what they told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from freehold.events import Event
from freehold.runtime.outbox import Message
from freehold.runtime.relay import Relay
from freehold.runtime.targets import Target
from freehold.runtime.workload import Retry
from freehold.testing.database import Database
from tests.rooms.outcomes.conftest import Ground

from .layer import ONE, PASSWORD, applied

SEND = "SELECT freehold.send_v1(%s, %s, to_jsonb(%s::text))"
STATES = "SELECT count(*), count(delivered_at), count(dead_at) FROM freehold.outbox"


@dataclass
class Inbox:
    """A target that keeps what it was given; ``fails`` says how often each payload is not taken."""

    fails: dict[str, int] = field(default_factory=dict)
    error: Exception = field(default_factory=lambda: ValueError("not now"))
    taken: list[Message] = field(default_factory=list)

    def __call__(self, message: Message) -> None:
        left = self.fails.get(str(message.payload), 0)
        if left:
            self.fails[str(message.payload)] = left - 1
            raise self.error
        self.taken.append(message)

    @property
    def payloads(self) -> list[Any]:
        """What was taken, in order."""
        return [message.payload for message in self.taken]


@dataclass(frozen=True)
class Post:
    """The layer's application and relays."""

    ground: Ground
    told: list[Event]

    def url(self, login: str = "jobs") -> str:
        """The database for a login of the layer."""
        return self.ground.database.url(user=f"{self.ground.layer.name}_{login}", password=PASSWORD)

    def send(self, *payloads: str, topic: str = "t", key: str | None = None, tenant: object = ONE) -> None:
        """Messages of one committed transaction."""
        with self.ground.login() as connection, self.ground.acting(connection, tenant):
            for payload in payloads:
                connection.execute(SEND, (topic, key, payload))

    def relay(self, target: Target | Mapping[str, Target], **options: Any) -> Relay:
        """A relay that tries again at once."""
        targets = target if isinstance(target, Mapping) else {"*": target}
        defaults: dict[str, Any] = {
            "listener": self.told.append,
            "draw": lambda: 0.0,
            "poll": 0.1,
            "retry": Retry(attempts=3, base=1.0),
        }
        return Relay(self.url(), targets, **{**defaults, **options})

    @contextmanager
    def running(self, *relays: Relay) -> Iterator[None]:
        """Relays at work in threads of their own."""
        stop = threading.Event()
        threads = [threading.Thread(target=relay.run, args=(stop,)) for relay in relays]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join(30)
        assert not any(thread.is_alive() for thread in threads)

    def events(self, kind: type[Event]) -> list[Any]:
        """What was told of one kind."""
        return [event for event in self.told if isinstance(event, kind)]

    @property
    def states(self) -> tuple[int, int, int]:
        """How many messages there are, how many are delivered and how many dead."""
        row: Any = self.ground.admin.execute(STATES).fetchone()
        return (row[0], row[1], row[2])


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for a condition."""
    pause = threading.Event()
    for _ in range(int(seconds / 0.01)):
        if condition():
            return
        pause.wait(0.01)
    raise TimeoutError


@pytest.fixture
def ground(database: Database, layer_name: str) -> Iterator[Ground]:
    with database.connect(autocommit=True) as admin:
        yield Ground(applied(admin, layer_name), database, admin)


@pytest.fixture
def post(ground: Ground) -> Post:
    return Post(ground, [])
