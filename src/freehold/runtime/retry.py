"""Whether a failed transaction may run again, and when: by SQLSTATE, constraint name and what it has done outside."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from time import monotonic

import psycopg
import sqlalchemy as sa

from freehold.errors import CommitUnknown, ConnectionLost, ServerDown
from freehold.runtime.workload import Retry

DERIVED = frozenset({"23505", "23P01"})
READ_ONLY_SERVER = "25006"
OUTCOME_TAKEN = "FH021"


class Cause(Enum):
    """Why a transaction runs again."""

    SERIALIZATION = "serialization failure"
    DEADLOCK = "deadlock"
    DERIVED_KEY = "outdated derived key"
    PLAN_CHANGED = "changed plan"
    OUTCOME_TAKEN = "outcome settled meanwhile"
    CONNECTION_LOST = "connection lost before COMMIT"
    SERVER_DOWN = "server down"
    SERVER_MOVED = "server became read-only"
    ABORTED = "aborted commit"


BY_STATE = {
    "40001": Cause.SERIALIZATION,
    "40P01": Cause.DEADLOCK,
    OUTCOME_TAKEN: Cause.OUTCOME_TAKEN,
    READ_ONLY_SERVER: Cause.SERVER_MOVED,
}


def server_error(error: BaseException | None) -> psycopg.Error | None:
    """What the server or libpq said, behind whatever was raised for it."""
    while error is not None:
        if isinstance(error, psycopg.Error):
            return error
        error = error.orig if isinstance(error, sa.exc.DBAPIError) else error.__cause__
    return None


def cause_of(error: BaseException, retry: Retry, *, read_only: bool) -> Cause | None:
    """Why the transaction that failed with this error may run again; None where it may not.

    A connection lost before COMMIT was sent is one: nothing is stored. A lost COMMIT is not: see the resolver.
    """
    if isinstance(error, CommitUnknown):
        return Cause.CONNECTION_LOST if read_only else None
    if isinstance(error, ServerDown):
        return Cause.SERVER_DOWN
    if isinstance(error, ConnectionLost):
        return Cause.CONNECTION_LOST
    said = server_error(error)
    if said is None:
        return None
    state = said.sqlstate or ""
    if state in DERIVED:
        return Cause.DERIVED_KEY if said.diag.constraint_name in retry.derived else None
    if state == "0A000" and said.diag.source_function == "RevalidateCachedQuery":
        return Cause.PLAN_CHANGED
    if state == READ_ONLY_SERVER and read_only:
        return None
    return BY_STATE.get(state)


@dataclass(slots=True)
class Budget:
    """What is left of a workload's retries.

    ``draw`` gives a number between zero and one; tests give their own.
    """

    retry: Retry
    draw: Callable[[], float] = random.random
    attempt: int = 1
    began: float = field(default_factory=monotonic)

    def next_wait(self) -> float | None:
        """Seconds until the next attempt, uniform between 0 and its bound; None where the budget is spent."""
        if self.attempt >= self.retry.attempts:
            return None
        wait = self.draw() * self.retry.bound(self.attempt)
        if monotonic() - self.began + wait > self.retry.seconds:
            return None
        self.attempt += 1
        return wait
