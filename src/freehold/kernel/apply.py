"""Run a plan: exactly its statements, one step a transaction, with short lock waits, under one advisory lock."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Protocol

import psycopg
from psycopg import sql

from freehold.errors import ApplyBusy, FreeholdError, LockTimeout, ServerFull, StepFailed
from freehold.events import Listener, LockRetried, StepApplied, StepStarted, ignore
from freehold.kernel.budget import LockBudget
from freehold.kernel.observe import CATALOG_SESSION, Connection
from freehold.kernel.online.backfill import Backfill
from freehold.kernel.plan import Plan, Step
from freehold.storage import is_storage_fault

ADVISORY_LOCK = 0x6672656568  # "freeh"
"""Key of the advisory lock that one apply at a time holds in a database."""

LOCK_NOT_AVAILABLE = "55P03"


class Recorder(Protocol):
    """Where applied steps are recorded."""

    def begin(self, connection: Connection, plan: Plan) -> None:
        """The plan begins; what it manages is taken under management."""

    def record(self, connection: Connection, step: Step) -> None:
        """A step is applied; called in its own transaction where it has one."""

    def finish(self, connection: Connection, plan: Plan) -> None:
        """Every step is applied."""


@contextmanager
def exclusive(connection: Connection) -> Iterator[None]:
    """Hold the database's apply lock; it is gone with the session, so a crash leaves nothing behind.

    Raises
    ------
    ApplyBusy
        Another session holds it.
    """
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", (ADVISORY_LOCK,)).fetchone()
    if not row or not row[0]:
        raise ApplyBusy(
            "Another apply is running in this database",
            hint="Wait for it to end; pg_locks shows its session (locktype advisory).",
        )
    try:
        yield
    finally:
        if not connection.broken:
            connection.execute("SELECT pg_advisory_unlock(%s)", (ADVISORY_LOCK,))


def apply(
    connection: Connection,
    plan: Plan,
    recorder: Recorder,
    *,
    contract: bool = False,
    budget: LockBudget | None = None,
    ceilings: Mapping[int, float] | None = None,
    listener: Listener = ignore,
) -> None:
    """Run the steps of a plan that are due.

    Parameters
    ----------
    connection
        In autocommit mode, holding the apply lock (see `exclusive`).
    contract
        Whether the steps run that contract; otherwise they wait.
    ceilings
        Seconds that a step's statements may take, by its number, where a rehearsal has told.

    Raises
    ------
    LockTimeout
        A step did not get its lock within the budget. The steps before it are done; plan again and go on.
    StepFailed
        The server refused a step; its transaction is rolled back.
    ServerFull
        The server's disk is full or read-only.
    """
    budget, limits = budget or LockBudget(), ceilings or {}
    for name, value in CATALOG_SESSION.items():
        connection.execute("SELECT set_config(%s, %s, false)", (name, value))
    due = plan.due(contract=contract)
    own = [step for step in due if step.room == "journal"]
    for step in own:
        _run(connection, step, plan, None, budget, limits, listener)
    recorder.begin(connection, plan)
    for step in own:
        recorder.record(connection, step)
    for step in due[len(own) :]:
        _run(connection, step, plan, recorder, budget, limits, listener)
    recorder.finish(connection, plan)


def _run(
    connection: Connection,
    step: Step,
    plan: Plan,
    recorder: Recorder | None,
    budget: LockBudget,
    limits: Mapping[int, float],
    listener: Listener,
) -> None:
    total, started = len(plan.steps), time.monotonic()
    listener(StepStarted(step.number, total, step.change.title))
    title = f"Step {step.number}, {step.change.title}"
    needed = f"{step.change.lock} on {step.change.on}"
    try:
        tables = 1 + step.change.on.count(", ")
        run = partial(_run_once, connection, step, recorder, budget, limits.get(step.number), listener)
        patiently(connection, title, run, budget, listener, needed, tables)
    except FreeholdError:
        raise
    except psycopg.Error as error:
        if connection.broken:
            raise
        raise (_full if is_storage_fault(error) else _failed)(step, error) from error
    listener(StepApplied(step.number, total, step.change.title, time.monotonic() - started))


def patiently(
    connection: Connection,
    title: str,
    run: Callable[[], None],
    budget: LockBudget,
    listener: Listener = ignore,
    needed: str = "its lock",
    tables: int = 1,
) -> None:
    """Run something that takes locks, with short waits and many tries.

    Parameters
    ----------
    tables
        How many tables it locks: while it waits for one it holds the others, so that the waits are shorter.

    Raises
    ------
    LockTimeout
        It did not get its lock within the budget.
    """
    connection.execute(
        "SELECT set_config('lock_timeout', %s, false)", (f"{int(budget.timeout_seconds * 1000 / tables)}ms",)
    )
    for attempt in range(1, budget.attempts + 1):
        try:
            run()
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected) as error:
            _pause(title, needed, attempt, budget, listener, error)
        else:
            return


def _run_once(
    connection: Connection,
    step: Step,
    recorder: Recorder | None,
    budget: LockBudget,
    limit: float | None,
    listener: Listener,
) -> None:
    if step.change.batch:
        Backfill(connection, step.change.batch, budget.pace, listener).run()
    if step.change.transactional:
        with connection.transaction():
            if limit is not None:
                connection.execute("SELECT set_config('statement_timeout', %s, true)", (f"{int(limit * 1000)}ms",))
            _send(connection, step)
            if recorder:
                recorder.record(connection, step)
    else:
        _send(connection, step)
        if recorder:
            recorder.record(connection, step)


def _send(connection: Connection, step: Step) -> None:
    for statement in step.change.statements:
        connection.execute(sql.SQL(statement))


def _pause(title: str, needed: str, attempt: int, budget: LockBudget, listener: Listener, error: psycopg.Error) -> None:
    if attempt == budget.attempts:
        raise LockTimeout(
            f"{title}, did not get {needed}",
            detail=f"{attempt} tries of {budget.timeout_seconds:g} s each; SQLSTATE {error.sqlstate}.",
            hint="End the transaction that holds the table (pg_blocking_pids tells which) and apply again: "
            "the steps before this one are done.",
        ) from error
    wait = min(budget.longest_pause_seconds, 0.1 * 2**attempt) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
    listener(LockRetried(title, attempt, wait))
    time.sleep(wait)


def _failed(step: Step, error: psycopg.Error) -> StepFailed:
    diagnosis = error.diag
    detail = "; ".join(part for part in (diagnosis.message_detail, f"SQLSTATE {error.sqlstate}") if part)
    return StepFailed(
        f"Step {step.number}, {step.change.title}, was refused: {diagnosis.message_primary or error}",
        detail=f"{detail}. Statements: {'; '.join(step.change.statements)}",
        hint=diagnosis.message_hint or "The steps before it are done. Mend the cause, then plan and apply again.",
    )


def _full(step: Step, error: psycopg.Error) -> ServerFull:
    return ServerFull(
        f"Step {step.number}, {step.change.title}, met a full, broken or read-only disk of the server",
        detail=f"{error.diag.message_primary}; SQLSTATE {error.sqlstate}.",
        hint="Free space there, or let it be written again, and apply again: it goes on where it stopped. "
        "Meanwhile the table serves as it did.",
    )
