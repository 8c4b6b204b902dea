"""A caller in a thread of its own whose reply to COMMIT is lost, and whose address then leads nowhere."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from freehold.errors import FreeholdError
from freehold.events import CommitAmbiguous, Event, OutcomeResolved
from freehold.runtime.body import Body
from freehold.testing.proxy import KillableProxy
from torture.ground import Ground
from torture.vault import WAYS, Attempted, Clients

MOMENTS = ("cut_before", "cut_with", "cut_after", "cut_after")
PATIENCE = 60.0
"""Seconds for which most callers ask on while their server fails over."""
HASTY = 0.05
"""Seconds after which the others give up, with a token."""


@dataclass
class Caller:
    """One keyed call.

    Parameters
    ----------
    kept
        Whether what it commits is to reach the standby.
    cut
        Set once the reply is lost.
    """

    call: Attempted
    clients: Clients
    proxy: KillableProxy
    moment: str
    kept: bool
    cut: threading.Event = field(default_factory=threading.Event)
    error: FreeholdError | None = None

    def start(self) -> threading.Thread:
        """Call, in a thread."""
        self.clients.hear = self._hear
        thread = threading.Thread(target=self._run)
        thread.start()
        return thread

    def _run(self) -> None:
        try:
            self.clients.call(self.call, self._arm)
        except FreeholdError as error:
            self.error = error

    def _arm(self) -> None:
        self.proxy.refuse()
        getattr(self.proxy, self.moment)(b"")

    def _hear(self, event: Event) -> None:
        if isinstance(event, CommitAmbiguous):
            self.cut.set()

    @property
    def verdict(self) -> str:
        """What it was told of its lost COMMIT."""
        told = [event.verdict for event in self.clients.told if isinstance(event, OutcomeResolved)]
        if told:
            return told[-1]
        return self.error.code if self.error is not None else "no verdict"


@contextmanager
def called(
    where: Ground, mark: str, draw: random.Random, *, kept: bool, change: Callable[[Body], None] | None
) -> Iterator[Caller]:
    """A caller with an application and a proxy of its own, connected already."""
    resolving = HASTY if draw.random() < 0.2 else PATIENCE
    workload = draw.choice(("default", "once"))
    call = Attempted(way=draw.choice(WAYS), mark=mark, key=f"key {mark}", workload=workload)
    with KillableProxy(where.server.host, where.server.port) as proxy:
        url = where.url.replace(f":{where.server.port}/", f":{proxy.port}/") + "?sslmode=disable"
        with Clients(where, url, change, resolving) as clients:
            clients.open(call.way)
            yield Caller(call, clients, proxy, draw.choice(MOMENTS), kept)
