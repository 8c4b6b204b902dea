"""Reads on replicas that pause, lag and stall: a client sees what it wrote and what it saw, and nothing too stale."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from freehold import AsyncDatabase, Database
from freehold.kernel.template import read_sql
from freehold.runtime.body import Opened
from freehold.runtime.position import Position
from freehold.runtime.reading import Reading, Wish
from freehold.runtime.replica import OpenOn
from freehold.runtime.unit import Unit
from torture.ground import TENANT, Ground, ground
from torture.laggards import Laggard, in_trouble, laggards
from torture.model import insert_company, layer
from torture.readers import COUNT, Field, load
from torture.result import Result

REPLICAS = 2
GOAL = 0.05
"""Seconds that a read which falls back to the primary may take, at the 99th percentile (R4)."""
DEFECT_SIZE = 1_500
DEFECT_TRIES = 4
"""Runs in which a defect may show: whether a reader meets a replica that lags is a matter of the moment."""
RESTED = 50
"""One pair in so many is made once more by clients that rest, on a machine that is not busy throughout."""
REST = 0.1
PROMISES = ("own write not read", "went back", "staler than allowed")


class Careless(Reading):
    """A defect: the router does not look at the reader's token."""

    def open(self, open_on: OpenOn, unit: Unit, wish: Wish, avoided: Collection[str] = ()) -> Opened:
        """The read's transaction, anywhere."""
        return super().open(open_on, unit, replace(wish, after=None), avoided)


class Trusting(Reading):
    """A defect: the first sample of the primary's position counts for ever as one of this moment."""

    first: Position | None = None

    def _sample(self) -> None:
        if self.first is None:
            super()._sample()
            newest = self._frame.ledger.newest()
            self.first = newest and newest[1]
        if self.first is not None:
            self._frame.ledger.note(self.first, time.monotonic(), asked=True)


@dataclass(frozen=True)
class Yard:
    """The ground with its replicas."""

    ground: Ground
    replicas: list[Laggard]

    def options(self) -> dict[str, Any]:
        """What both ways in are connected with."""
        where = self.ground
        urls = [each.server.url(where.database, user=where.login, password=where.password) for each in self.replicas]
        return {"replicas": tuple(urls), "pool_size": COUNT}

    def attack(self, shared: Field, seed: str, kind: type[Reading] = Reading) -> Field:
        """Let the clients work on replicas in trouble."""
        db = _with(self.ground.connect(**self.options()), kind)

        async def connect_async() -> AsyncDatabase:
            return _with(await self.ground.connect_async(**self.options()), kind)

        with in_trouble(self.replicas):
            load(db, connect_async, shared, seed)
        db.dispose()
        return shared


D = TypeVar("D", Database, AsyncDatabase)


def _with(db: D, kind: type[Reading]) -> D:
    db._reading = kind(db._body, tuple(db._reading._replicas.values()))
    return db


def run(size: int, seed: int) -> Result:
    """``size`` writes, each followed by reads of what was written and of what others wrote."""
    # Without synchronous commit every replica would be a fifth of a second late.
    with ground(layer(), settings={"synchronous_commit": "on", "wal_keep_size": "512MB"}) as where:
        return attack(where, size, seed)


def attack(where: Ground, size: int, seed: int, *, defect_size: int = DEFECT_SIZE) -> Result:
    """Read, and then read with each of the three promises broken."""
    with where.admin() as connection:
        insert_company(connection, TENANT)
        for key in range(1, COUNT + 1):
            connection.execute(read_sql("torture", "insert_test"), (TENANT, key, 0))
    with laggards(where, REPLICAS, seed) as made:
        yard, began = Yard(where, made), time.monotonic()
        found = yard.attack(Field(size), f"{seed}")
        seconds = time.monotonic() - began
        rested = yard.attack(_continued(yard, max(1, size // RESTED), rest=REST), f"{seed} rested")
        caught = [
            any(broken(yard, defect_size, seed + more) for more in range(DEFECT_TRIES))
            for broken in (_careless, _forgetful, _trusting)
        ]
    return Result(
        name="replicas",
        size=size,
        seed=seed,
        violations=found.wrong.total() + rested.wrong.total(),
        seconds=seconds,
        defects_seeded=len(caught),
        defects_caught=sum(caught),
        notes=_notes(found, rested, made),
    )


def _continued(yard: Yard, size: int, **options: Any) -> Field:
    """A field that goes on from the values that are stored."""
    shared = Field(size, **options)
    with yard.ground.admin() as connection:
        for key, value in connection.execute(read_sql("torture", "read_test")).fetchall():
            shared.acknowledged[key].append((0.0, value))
    return shared


def _careless(yard: Yard, size: int, seed: int) -> bool:
    found = yard.attack(_continued(yard, size), f"{seed} careless", Careless)
    return bool(found.wrong["own write not read"])


def _forgetful(yard: Yard, size: int, seed: int) -> bool:
    found = yard.attack(_continued(yard, size, forgetful=True), f"{seed} forgetful")
    return bool(found.wrong["went back"])


def _trusting(yard: Yard, size: int, seed: int) -> bool:
    found = yard.attack(_continued(yard, size), f"{seed} trusting", Trusting)
    return bool(found.wrong["staler than allowed"])


def _notes(found: Field, rested: Field, made: list[Laggard]) -> str:
    troubles = sum((each.ways for each in made), Counter[str]())
    ways = ", ".join(f"{way} {count}" for way, count in sorted(troubles.items()))
    served = ", ".join(f"{node} {count:,}" for node, count in sorted(found.nodes.items()))
    wrong = found.wrong + rested.wrong
    broken = ", ".join(f"{name} {wrong[name]}" for name in PROMISES if wrong[name])
    return (
        f"{broken or 'every promise kept'}; reads by server: {served}; fallbacks {_times(rested.fallbacks)} (goal "
        f"p99 {GOAL * 1000:.0f} ms) and reads of the primary at once {_times(rested.direct)} of clients that rest "
        f"{REST:g} s between pairs, {_times(found.fallbacks)} and {_times(found.direct)} where none "
        f"rests; replicas: {ways}"
    )


def _times(seconds: Sequence[float]) -> str:
    ordered = sorted(seconds) or [0.0]
    half, late = (ordered[len(ordered) * part // 100] * 1000 for part in (50, 99))
    return f"p50 {half:.1f} ms, p99 {late:.1f} ms"
