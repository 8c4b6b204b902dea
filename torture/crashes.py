"""Load that never stops while its server is killed again and again, as when the machine loses power."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from freehold.errors import CommitUnknown, ConnectionLost, ServerDown
from freehold.servers import OwnedServer
from torture.ground import Failures

PATIENCE = 120.0
"""Seconds within which a round's transactions must be acknowledged."""
BREATH = 0.05
"""Seconds that a client waits after it was told that there is no server."""


@dataclass
class Tally:
    """What the clients were told."""

    acknowledged: int = 0
    unknown: int = 0
    refused: int = 0
    unexpected: Counter[str] = field(default_factory=Counter)
    crashes: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def work(self, work: Callable[[], None]) -> None:
        """Work until the storm is over, and note what each transaction ended with."""
        while not self.over.is_set():
            try:
                work()
            except CommitUnknown:
                self._note(unknown=1)
            except (ServerDown, ConnectionLost):
                self._note(refused=1)
                time.sleep(BREATH)
            except (*Failures, AssertionError) as error:
                with self.lock:
                    self.unexpected[f"{type(error).__name__}: {str(error).splitlines()[0]}"] += 1
                time.sleep(BREATH)
            else:
                self._note(acknowledged=1)

    def _note(self, **counts: int) -> None:
        with self.lock:
            for name, count in counts.items():
                setattr(self, name, getattr(self, name) + count)

    def wait(self, acknowledged: int) -> None:
        """Wait until so many are acknowledged."""
        deadline = time.monotonic() + PATIENCE
        while self.acknowledged < acknowledged:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.acknowledged} of {acknowledged} transactions; {dict(self.unexpected)}")
            time.sleep(0.005)


def storm(
    server: OwnedServer,
    workers: Sequence[Callable[[], None]],
    *,
    crashes: int,
    each: int,
    draw: random.Random,
    after_crash: Callable[[], None],
) -> Tally:
    """Kill the server after every ``each`` acknowledged transactions, and look at its data when it is back."""
    tally = Tally()
    threads = [threading.Thread(target=tally.work, args=(work,), daemon=True) for work in workers]
    for thread in threads:
        thread.start()
    try:
        for _ in range(crashes):
            tally.wait(tally.acknowledged + each)
            time.sleep(draw.random() * BREATH)
            server.kill()
            tally.crashes += 1
            server.start()
            after_crash()
        tally.wait(tally.acknowledged + each)
    finally:
        tally.over.set()
        for thread in threads:
            thread.join()
    return tally
