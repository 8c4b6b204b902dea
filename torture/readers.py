"""Clients that write and then read, on whatever server the router chooses, and judge what they are shown."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from freehold import AsyncDatabase, Database
from freehold.runtime.nodes import PRIMARY
from freehold.runtime.reading import Mode
from torture.ground import WHO
from torture.model import TEST

COUNT = 8
"""Half of them threads, half of them tasks."""
BOUNDS = (None, 0.1, 0.1, 0.5)
"""How stale a read may be, in seconds."""
DIRECT = 0.1
"""Of the reads, how many go to the primary at once, to compare with."""
LINGERS, LINGERING = 0.05, 12
"""How often a client follows another one's value, and for how many reads."""

_KEY = sa.bindparam("key", type_=sa.BigInteger)
_VALUE = sa.bindparam("value", type_=sa.Integer)
UPDATE = sa.update(TEST).where(TEST.c.id == _KEY).values(value=_VALUE)
READ = sa.select(TEST.c.value).where(TEST.c.id == _KEY)


@dataclass(frozen=True, slots=True)
class Write:
    """Store the next value under the client's own key."""

    key: int
    value: int


@dataclass(frozen=True, slots=True)
class Read:
    """Read somebody's value."""

    key: int
    after: str
    max_staleness: float | None
    mode: Mode = "session"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it; seconds by the client's clock."""

    value: int
    position: str
    node: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Rest:
    """Do nothing for some seconds."""

    seconds: float


Asked = Write | Read | Rest
Talk = Generator[Asked, Answer, None]
IDLE = Answer(0, "", "", 0.0)


@dataclass
class Field:
    """What all clients share."""

    size: int
    forgetful: bool = False
    """A defect: a read gives no position, so that the next one may go back in time."""
    rest: float = 0.0
    """Seconds for which a client rests after a pair; without them the machine is as busy as it can be."""
    begun: int = 0
    acknowledged: dict[int, list[tuple[float, int]]] = field(default_factory=lambda: defaultdict(list))
    wrong: Counter[str] = field(default_factory=Counter)
    nodes: Counter[str] = field(default_factory=Counter)
    fallbacks: list[float] = field(default_factory=list)
    direct: list[float] = field(default_factory=list)
    """Seconds of reads that went to the primary after they had looked elsewhere, and at once."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self) -> bool:
        """Whether one more pair is to be made."""
        with self.lock:
            self.begun += 1
            return self.begun <= self.size

    def due(self, key: int, before: float) -> int:
        """The newest value that was acknowledged at this time."""
        for at, value in reversed(self.acknowledged[key]):
            if at <= before:
                return value
        return 0

    def note(self, asked: Read, answer: Answer) -> None:
        """Where a read was served, and how long the primary's took."""
        with self.lock:
            if asked.mode == "snapshot":
                self.direct.append(answer.seconds)
                return
            self.nodes[answer.node] += 1
            if answer.node == PRIMARY:
                self.fallbacks.append(answer.seconds)


def client(number: int, shared: Field, draw: random.Random) -> Talk:
    """One client: a write and some reads, again and again; a value never goes back."""
    own, seen, position = number + 1, Counter[int](), ""
    value = shared.due(own, time.monotonic())
    while shared.next():
        value += 1
        answer = yield Write(own, value)
        shared.acknowledged[own].append((time.monotonic(), value))
        position, seen[own] = answer.position, value
        for key in [own, *_others(draw)]:
            bound, began = draw.choice(BOUNDS), time.monotonic()
            fresh = shared.due(key, began - bound) if bound is not None else 0
            # A token would hide what the bound alone has to do.
            after = "" if bound is not None and key != own else position
            asked = Read(key, after, bound, "snapshot" if draw.random() < DIRECT else "session")
            answer = yield asked
            _judge(shared, answer.value, own=key == own, seen=seen[key] if after else 0, fresh=fresh)
            shared.note(asked, answer)
            if after and not shared.forgetful:
                seen[key], position = max(seen[key], answer.value), answer.position
            elif after:
                seen[key] = max(seen[key], answer.value)
        if shared.rest:
            yield Rest(shared.rest)


def _others(draw: random.Random) -> list[int]:
    """Keys to read: few as a rule, and now and then one of them for a while."""
    if draw.random() < LINGERS:
        return [draw.randint(1, COUNT)] * LINGERING
    return [draw.randint(1, COUNT) for _ in range(draw.randint(0, 1))]


def _judge(shared: Field, value: int, *, own: bool, seen: int, fresh: int) -> None:
    wrong = [
        name
        for name, low in (("own write not read" if own else "went back", seen), ("staler than allowed", fresh))
        if value < low
    ]
    with shared.lock:
        shared.wrong.update(wrong)


def work(db: Database, talk: Talk, *, orm: bool) -> None:
    """A client in a thread."""
    answer = None
    while (asked := _next(talk, answer)) is not None:
        began = time.monotonic()
        if isinstance(asked, Rest):
            time.sleep(asked.seconds)
            answer = IDLE
        elif isinstance(asked, Write):
            with db.core(**WHO) as tx:
                tx.finish((UPDATE, {"key": asked.key, "value": asked.value}))
            answer = Answer(asked.value, tx.position, tx.unit.node, 0.0)
        else:
            chosen: Any = db.read if orm else db.read_core
            with chosen(after=asked.after, max_staleness=asked.max_staleness, mode=asked.mode, **WHO) as reader:
                value = reader.execute(READ, {"key": asked.key}).scalar_one()
            answer = Answer(value, reader.position, reader.unit.node, time.monotonic() - began)


async def work_async(db: AsyncDatabase, talk: Talk, *, orm: bool) -> None:
    """A client in a task."""
    answer = None
    while (asked := _next(talk, answer)) is not None:
        began = time.monotonic()
        if isinstance(asked, Rest):
            await asyncio.sleep(asked.seconds)
            answer = IDLE
        elif isinstance(asked, Write):
            async with db.core(**WHO) as tx:
                await tx.finish((UPDATE, {"key": asked.key, "value": asked.value}))
            answer = Answer(asked.value, tx.position, tx.unit.node, 0.0)
        else:
            chosen: Any = db.read if orm else db.read_core
            async with chosen(after=asked.after, max_staleness=asked.max_staleness, mode=asked.mode, **WHO) as reader:
                value = (await reader.execute(READ, {"key": asked.key})).scalar_one()
            node = getattr(reader, "sync_session", reader).unit.node
            answer = Answer(value, reader.position, node, time.monotonic() - began)


def _next(talk: Talk, answer: Answer | None) -> Asked | None:
    try:
        return next(talk) if answer is None else talk.send(answer)
    except StopIteration:
        return None


def load(db: Database, connect_async: Any, shared: Field, seed: str) -> None:
    """Let all clients work until the pairs are made."""
    talks = [client(number, shared, random.Random(f"{seed} {number}")) for number in range(COUNT)]
    threads, tasks = talks[::2], talks[1::2]
    with ThreadPoolExecutor(len(threads) + 1) as pool:
        loop = pool.submit(asyncio.run, _tasks(connect_async, tasks))
        futures = [pool.submit(work, db, talk, orm=number % 2 == 1) for number, talk in enumerate(threads)]
        for future in [*futures, loop]:
            future.result()


async def _tasks(connect_async: Any, talks: list[Talk]) -> None:
    db = await connect_async()
    try:
        await asyncio.gather(*(work_async(db, talk, orm=number % 2 == 1) for number, talk in enumerate(talks)))
    finally:
        await db.dispose()
