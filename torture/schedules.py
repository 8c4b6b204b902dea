"""The fourteen schedules of Hermitage, and what each step gives at PostgreSQL's three levels.

Kleppmann, "Hermitage: Testing the I in ACID" (2014), the cases of its PostgreSQL part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import sqlalchemy as sa

from freehold.runtime.workload import Isolation
from torture.ground import TENANT
from torture.model import TEST

Level = Isolation
RC: Level = "read committed"
RR: Level = "repeatable read"
SER: Level = "serializable"
LEVELS = (RC, RR, SER)
Rows = tuple[tuple[int, int], ...]


class Ending(Enum):
    """How a session ends its transaction."""

    COMMIT = "commit"
    ROLLBACK = "rollback"


class Told(Enum):
    """What a session is told where it is not told rows."""

    DONE = "done"
    BLOCKED = "blocked"
    REFUSED = "40001"
    GONE = "the session ended before"


DONE, BLOCKED, REFUSED, GONE = Told
Expected = Rows | Told
Action = sa.Executable | Ending | None
"""A statement, an ending, or None to wait for what the session was blocked on."""


@dataclass(frozen=True)
class Step:
    """One session does one thing; what it is told depends on the level."""

    session: str
    action: Action
    told: Expected | Mapping[Level, Expected]

    def expected(self, level: Level) -> Expected:
        """What it is told at this level."""
        return self.told[level] if isinstance(self.told, Mapping) else self.told


@dataclass(frozen=True)
class Case:
    """One anomaly's schedule, and the rows that it leaves at each level."""

    name: str
    steps: tuple[Step, ...]
    left: Mapping[Level, Rows]


START: Rows = ((1, 10), (2, 20))
_SHOWN = sa.select(TEST.c.id, TEST.c.value).order_by(TEST.c.id)
ALL = _SHOWN


def row(key: int) -> sa.Executable:
    """Read one row."""
    return _SHOWN.where(TEST.c.id == key)


def valued(value: int) -> sa.Executable:
    """Read the rows of a value."""
    return _SHOWN.where(TEST.c.value == value)


def divisible(by: int) -> sa.Executable:
    """Read the rows whose value is divisible."""
    return _SHOWN.where(TEST.c.value % by == 0)


def put(key: int, value: int) -> sa.Executable:
    """Set one row's value."""
    return sa.update(TEST).where(TEST.c.id == key).values(value=value)


def change(old: int, new: int) -> sa.Executable:
    """Set the value of the rows that have another."""
    return sa.update(TEST).where(TEST.c.value == old).values(value=new)


def add(amount: int, key: int | None = None) -> sa.Executable:
    """Add to one row's value, or to all."""
    changed = sa.update(TEST).values(value=TEST.c.value + amount)
    return changed if key is None else changed.where(TEST.c.id == key)


def new(key: int, value: int) -> sa.Executable:
    """Insert a row."""
    return sa.insert(TEST).values(tenant_id=TENANT, id=key, value=value)


def remove(value: int) -> sa.Executable:
    """Delete the rows of a value."""
    return sa.delete(TEST).where(TEST.c.value == value)


COMMIT, ROLLBACK = Ending
SNAPSHOT_REFUSES: Mapping[Level, Expected] = {RC: DONE, RR: REFUSED, SER: REFUSED}
ONLY_SERIALIZABLE_REFUSES: Mapping[Level, Expected] = {RC: DONE, RR: DONE, SER: REFUSED}
ALIVE_AT_RC: Mapping[Level, Expected] = {RC: DONE, RR: GONE, SER: GONE}


def by_level(committed: Expected, snapshot: Expected) -> Mapping[Level, Expected]:
    """What read committed shows, and what both levels with one snapshot a transaction show."""
    return {RC: committed, RR: snapshot, SER: snapshot}


def left(committed: Rows, repeatable: Rows, serializable: Rows | None = None) -> Mapping[Level, Rows]:
    """What is left at each level."""
    return {RC: committed, RR: repeatable, SER: repeatable if serializable is None else serializable}


def one(key: int, value: int) -> Rows:
    """A single row."""
    return ((key, value),)


def two(first: int, second: int) -> Rows:
    """The two rows there were, with these values."""
    return ((1, first), (2, second))


CASES = (
    Case(
        "G0 write cycle",
        (
            Step("T1", put(1, 11), DONE),
            Step("T2", put(1, 12), BLOCKED),
            Step("T1", put(2, 21), DONE),
            Step("T1", COMMIT, DONE),
            Step("T2", None, SNAPSHOT_REFUSES),
            Step("T2", put(2, 22), ALIVE_AT_RC),
            Step("T2", COMMIT, ALIVE_AT_RC),
        ),
        left(two(12, 22), two(11, 21)),
    ),
    Case(
        "G1a aborted read",
        (
            Step("T1", put(1, 101), DONE),
            Step("T2", ALL, START),
            Step("T1", ROLLBACK, DONE),
            Step("T2", ALL, START),
            Step("T2", COMMIT, DONE),
        ),
        left(START, START),
    ),
    Case(
        "G1b intermediate read",
        (
            Step("T1", put(1, 101), DONE),
            Step("T2", ALL, START),
            Step("T1", put(1, 11), DONE),
            Step("T1", COMMIT, DONE),
            Step("T2", ALL, by_level(two(11, 20), START)),
            Step("T2", COMMIT, DONE),
        ),
        left(two(11, 20), two(11, 20)),
    ),
    Case(
        "G1c circular information flow",
        (
            Step("T1", put(1, 11), DONE),
            Step("T2", put(2, 22), DONE),
            Step("T1", row(2), one(2, 20)),
            Step("T2", row(1), one(1, 10)),
            Step("T1", COMMIT, DONE),
            Step("T2", COMMIT, ONLY_SERIALIZABLE_REFUSES),
        ),
        left(two(11, 22), two(11, 22), two(11, 20)),
    ),
    Case(
        "OTV observed transaction vanishes",
        (
            Step("T1", put(1, 11), DONE),
            Step("T1", put(2, 19), DONE),
            Step("T2", put(1, 12), BLOCKED),
            Step("T1", COMMIT, DONE),
            Step("T2", None, SNAPSHOT_REFUSES),
            Step("T3", row(1), one(1, 11)),
            Step("T2", put(2, 18), ALIVE_AT_RC),
            Step("T3", row(2), one(2, 19)),
            Step("T2", COMMIT, ALIVE_AT_RC),
            Step("T3", row(2), by_level(one(2, 18), one(2, 19))),
            Step("T3", row(1), by_level(one(1, 12), one(1, 11))),
            Step("T3", COMMIT, DONE),
        ),
        left(two(12, 18), two(11, 19)),
    ),
    Case(
        "PMP predicate-many-preceders, read",
        (
            Step("T1", valued(30), ()),
            Step("T2", new(3, 30), DONE),
            Step("T2", COMMIT, DONE),
            Step("T1", divisible(3), by_level(one(3, 30), ())),
            Step("T1", COMMIT, DONE),
        ),
        left((*START, (3, 30)), (*START, (3, 30))),
    ),
    Case(
        "PMP predicate-many-preceders, write",
        (
            Step("T1", add(10), DONE),
            Step("T2", remove(20), BLOCKED),
            Step("T1", COMMIT, DONE),
            Step("T2", None, SNAPSHOT_REFUSES),
            Step("T2", valued(20), by_level(one(1, 20), GONE)),
            Step("T2", COMMIT, ALIVE_AT_RC),
        ),
        left(two(20, 30), two(20, 30)),
    ),
    Case(
        "P4 lost update",
        (
            Step("T1", row(1), one(1, 10)),
            Step("T2", row(1), one(1, 10)),
            Step("T1", put(1, 11), DONE),
            Step("T2", put(1, 12), BLOCKED),
            Step("T1", COMMIT, DONE),
            Step("T2", None, SNAPSHOT_REFUSES),
            Step("T2", COMMIT, ALIVE_AT_RC),
        ),
        left(two(12, 20), two(11, 20)),
    ),
    Case(
        "G-single read skew",
        (
            Step("T1", row(1), one(1, 10)),
            Step("T2", ALL, START),
            Step("T2", put(1, 12), DONE),
            Step("T2", put(2, 18), DONE),
            Step("T2", COMMIT, DONE),
            Step("T1", row(2), by_level(one(2, 18), one(2, 20))),
            Step("T1", COMMIT, DONE),
        ),
        left(two(12, 18), two(12, 18)),
    ),
    Case(
        "G-single read skew, predicate",
        (
            Step("T1", divisible(5), START),
            Step("T2", change(10, 12), DONE),
            Step("T2", COMMIT, DONE),
            Step("T1", divisible(3), by_level(one(1, 12), ())),
            Step("T1", COMMIT, DONE),
        ),
        left(two(12, 20), two(12, 20)),
    ),
    Case(
        "G-single read skew, write predicate",
        (
            Step("T1", row(1), one(1, 10)),
            Step("T2", ALL, START),
            Step("T2", put(1, 12), DONE),
            Step("T2", put(2, 18), DONE),
            Step("T2", COMMIT, DONE),
            Step("T1", remove(20), SNAPSHOT_REFUSES),
            Step("T1", COMMIT, ALIVE_AT_RC),
        ),
        left(two(12, 18), two(12, 18)),
    ),
    Case(
        "G2-item write skew",
        (
            Step("T1", ALL, START),
            Step("T2", ALL, START),
            Step("T1", put(1, 11), DONE),
            Step("T2", put(2, 21), DONE),
            Step("T1", COMMIT, DONE),
            Step("T2", COMMIT, ONLY_SERIALIZABLE_REFUSES),
        ),
        left(two(11, 21), two(11, 21), two(11, 20)),
    ),
    Case(
        "G2 anti-dependency cycle",
        (
            Step("T1", divisible(3), ()),
            Step("T2", divisible(3), ()),
            Step("T1", new(3, 30), DONE),
            Step("T2", new(4, 42), DONE),
            Step("T1", COMMIT, DONE),
            Step("T2", COMMIT, ONLY_SERIALIZABLE_REFUSES),
        ),
        left((*START, (3, 30), (4, 42)), (*START, (3, 30), (4, 42)), (*START, (3, 30))),
    ),
    Case(
        "G2 two anti-dependencies, read-only (Fekete)",
        (
            Step("T1", ALL, START),
            Step("T2", add(5, 2), DONE),
            Step("T2", COMMIT, DONE),
            Step("T3", ALL, two(10, 25)),
            Step("T3", COMMIT, DONE),
            Step("T1", put(1, 0), ONLY_SERIALIZABLE_REFUSES),
            Step("T1", COMMIT, {RC: DONE, RR: DONE, SER: GONE}),
        ),
        left(two(0, 25), two(0, 25), two(10, 25)),
    ),
)
