"""Transactions that conflict as often as they are told to, and others that must fail at once."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from freehold import Database
from torture.ground import TENANT, WHO, Failures, state_of
from torture.model import TEST

RATE = 0.4
"""Of all attempts, how many meet somebody who was faster."""
SNAPSHOT, NUMBERS, PLAIN = "snapshot", "numbers", "plain"
"""Workloads: repeatable read, next numbers derived from a read, and neither."""
PAIRED = (1, 2, 3)
"""Rows of which pairs are changed in any order, so that clients deadlock."""
SPACING = 1_000_000
"""Rows from ``client * SPACING`` on are that client's own."""

_ID, _VALUE = sa.bindparam("key", type_=sa.BigInteger), sa.bindparam("becomes", type_=sa.Integer)
_END = sa.bindparam("end", type_=sa.BigInteger)
READ = sa.select(TEST.c.value).where(TEST.c.id == _ID)
SET = sa.update(TEST).where(TEST.c.id == _ID).values(value=_VALUE)
BUMP = sa.update(TEST).where(TEST.c.id == _ID).values(value=TEST.c.value + 1)
LAST = sa.select(sa.func.max(TEST.c.id)).where(TEST.c.id >= _ID, TEST.c.id < _END)
ADD = sa.insert(TEST).values(tenant_id=sa.bindparam("owner", type_=sa.BigInteger), id=_ID, value=_VALUE)
DIVIDE = sa.select(sa.literal(1) / sa.cast(_VALUE, sa.Integer))


class Mistake(Exception):  # the application's own, which no database knows
    """The application is wrong."""


@dataclass
class Client:
    """One client: it counts how often its functions were called, and how often its rival was faster."""

    number: int
    db: Database
    rival: Database
    draw: random.Random
    rate: float = RATE
    calls: int = 0
    rivals: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    attempts: Counter[int] = field(default_factory=Counter)
    given_up: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def own(self) -> int:
        """The first of its own rows."""
        return self.own_of(self.number)

    @staticmethod
    def own_of(number: int) -> int:
        """The first row of the client of that number."""
        return (number + 1) * SPACING

    def overtake(self, statement: sa.Executable, values: Mapping[str, Any], kind: str) -> None:
        """Let another transaction commit first."""
        self.rival.run_core(lambda tx: tx.execute(statement, values), workload=PLAIN, **WHO)
        self.rivals[kind] += 1

    def work(self) -> None:
        """One transaction that may be retried; it must come to its end within the budget."""
        kind = self.draw.choice(tuple(RETRYABLE))
        function, workload = RETRYABLE[kind]
        self.calls = 0
        try:
            self._run(function, workload)
        except Failures:
            self.given_up += 1
        else:
            self.done[kind] += 1
            self.attempts[self.calls] += 1

    def fail(self) -> None:
        """One transaction that must fail with its own error, after one call."""
        kind = self.draw.choice(tuple(FATAL))
        function, workload, expected = FATAL[kind]
        self.calls = 0
        try:
            self._run(function, workload)
        except Mistake:
            found = "mistake"
        except Failures as error:
            found = state_of(error)
        else:
            found = "nothing"
        if (found, self.calls) != (expected, 1):
            self.wrong.append(f"{kind}: {found} after {self.calls} calls and not {expected} after one")

    def _run(self, function: Callable[..., None], workload: str) -> None:
        run: Callable[..., None] = self.db.run if self.number % 2 else self.db.run_core
        run(function, self, workload=workload, **WHO)


def conflict(tx: Any, client: Client) -> None:
    """Read, be overtaken, write: 40001."""
    client.calls += 1
    value = tx.execute(READ, {"key": client.own}).scalar_one()
    if client.draw.random() < client.rate:
        client.overtake(BUMP, {"key": client.own}, "conflict")
    tx.execute(SET, {"key": client.own, "becomes": value + 1})


def derived(tx: Any, client: Client) -> None:
    """Take the next number, be overtaken, insert: 23505 on a key that came from a read."""
    client.calls += 1
    last = tx.execute(LAST, {"key": client.own, "end": client.own + SPACING}).scalar_one()
    row = {"key": last + 1, "becomes": 0, "owner": TENANT}
    if client.draw.random() < client.rate:
        client.overtake(ADD, row, "derived")
    tx.execute(ADD, row)


def deadlock(tx: Any, client: Client) -> None:
    """Change two rows in any order: 40P01."""
    client.calls += 1
    for key in client.draw.sample(PAIRED, 2):
        tx.execute(BUMP, {"key": key})


def duplicate(tx: Any, client: Client) -> None:
    """Insert a key that is there, and was not derived: 23505."""
    client.calls += 1
    tx.execute(ADD, {"key": client.own, "becomes": 0, "owner": TENANT})


def divide(tx: Any, client: Client) -> None:
    """Divide by zero: 22012."""
    client.calls += 1
    tx.execute(DIVIDE, {"becomes": 0})


def leave_empty(tx: Any, client: Client) -> None:
    """Leave a column empty that must not be: 23502."""
    client.calls += 1
    tx.execute(SET, {"key": client.own, "becomes": None})


def trespass(tx: Any, client: Client) -> None:
    """Write a row of another tenant: 42501."""
    client.calls += 1
    tx.execute(ADD, {"key": client.own + SPACING // 2, "becomes": 0, "owner": TENANT + 1})


def mistake(tx: Any, client: Client) -> None:
    """Raise the application's own error."""
    client.calls += 1
    tx.execute(BUMP, {"key": client.own})
    raise Mistake


def after_external(tx: Any, client: Client) -> None:
    """Conflict after a side effect that cannot be taken back: 40001, and no second call."""
    client.calls += 1
    value = tx.execute(READ, {"key": client.own}).scalar_one()
    tx.external("a letter is sent")
    client.overtake(BUMP, {"key": client.own}, "conflict")
    tx.execute(SET, {"key": client.own, "becomes": value + 1})


RETRYABLE: Mapping[str, tuple[Callable[..., None], str]] = {
    "conflict": (conflict, SNAPSHOT),
    "derived": (derived, NUMBERS),
    "deadlock": (deadlock, PLAIN),
}
FATAL: Mapping[str, tuple[Callable[..., None], str, str]] = {
    "duplicate": (duplicate, PLAIN, "23505"),
    "divide": (divide, SNAPSHOT, "22012"),
    "leave empty": (leave_empty, SNAPSHOT, "23502"),
    "trespass": (trespass, PLAIN, "42501"),
    "mistake": (mistake, PLAIN, "mistake"),
    "after external": (after_external, SNAPSHOT, "40001"),
}
