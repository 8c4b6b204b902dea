"""The one body of the runtime: attempts, retries and outcomes, for threads and, through greenlets, for asyncio."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, NamedTuple, Protocol

import psycopg

from freehold.errors import (
    CommitUnknown,
    FreeholdError,
    InputError,
    NestedTransaction,
)
from freehold.events import CommitAmbiguous, RetryGivenUp, RetryScheduled
from freehold.runtime.commits import CancelledAfterCommit, InterruptedAfterCommit, raise_interrupt, unknown_commit
from freehold.runtime.connections import fault_of, raise_typed
from freehold.runtime.context import Context
from freehold.runtime.nodes import Node
from freehold.runtime.outcome import Claim, Replay, Settled, Superseded, Verdict
from freehold.runtime.retry import Budget, Cause, cause_of
from freehold.runtime.scope import UNSET, current
from freehold.runtime.settling import Settling, given_up, refuse_undeclared
from freehold.runtime.unit import Frame, Unit
from freehold.runtime.workload import Workload, find

AFTER_COMMIT = (InterruptedAfterCommit, CancelledAfterCommit)


class Opened(Protocol):
    """One attempt's transaction, as the body drives it."""

    @property
    def unit(self) -> Unit:
        """What the transaction is."""

    @property
    def handle(self) -> Any:
        """What the user's function is given."""

    def open(self) -> None:
        """Begin, where the function must not start before the transaction has."""

    def finish(self, result: Any) -> Any:
        """Commit, with the result of a keyed function; gives it as it was stored."""

    def let_go(self) -> None:
        """Roll back what is not committed, and give the connection back."""

    def abandon(self) -> None:
        """Let go, and run what is to follow."""

    def join(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """Call a function inside a savepoint."""


OpenAttempt = Callable[[Unit], Opened]


class Wanted(NamedTuple):
    """What a call says of its transaction, completed from the scope around it."""

    tenant: Any
    actor: str
    request_id: str
    workload: Workload
    read_only: bool = False

    def context(self) -> Context:
        """The context of a new attempt."""
        tenant = "" if self.tenant is None else str(self.tenant)
        return Context(tenant, self.actor, request_id=self.request_id)


class Body:
    """What Database and AsyncDatabase share: everything but the way they wait."""

    def __init__(self, frame: Frame, primary: Node) -> None:
        self.frame = frame
        self.primary = primary
        self.settling = Settling(frame, primary)
        self._active: ContextVar[tuple[Opened, OpenAttempt] | None] = ContextVar("freehold_active", default=None)

    def wanted(self, tenant: Any, actor: Any, workload: str, *, read_only: bool = False) -> Wanted:
        """What the caller said, and what it left to :class:`~freehold.runtime.scope.acting`.

        Raises
        ------
        InputError
            Nobody acts.
        ConfigError
            The workload is unknown.
        """
        scope = current()
        who = scope.actor if actor is UNSET else actor
        if not who:
            raise InputError(
                "A transaction needs to know who acts",
                hint="Say db.transaction(actor=...), or put it into acting(tenant=..., actor=...).",
            )
        owner = scope.tenant if tenant is UNSET else tenant
        return Wanted(owner, who, scope.request_id, find(self.frame.workloads, workload), read_only)

    def unit(self, wanted: Wanted, claim: Claim | None = None, attempt: int = 1, node: str = "primary") -> Unit:
        """A new attempt."""
        return Unit(
            self.frame, wanted.workload, wanted.tenant, wanted.context(), wanted.read_only, claim, node, attempt
        )

    def run(
        self,
        open_attempt: OpenAttempt,
        function: Callable[..., Any],
        arguments: tuple[Any, ...],
        wanted: Wanted,
        claim: Claim | None,
    ) -> Any:
        """Run a function in a transaction until it commits, its key has an outcome, or the budget is spent."""
        active = self._active.get()
        if active is not None and not active[0].unit.over:
            same_kind = _opener(active[1]) == _opener(open_attempt)
            _refuse_joining(active[0].unit, wanted, claim, same_kind=same_kind)
            return active[0].join(function, arguments)
        budget = Budget(wanted.workload.retry)
        while True:
            opened = self._open(open_attempt, self.unit(wanted, claim, budget.attempt), budget)
            if opened is None:
                continue
            token = self._active.set((opened, open_attempt))
            try:
                opened.open()
                result = finish(opened, self.frame.waits.call(function, opened.handle, *arguments))
                opened.abandon()
                return result
            except Replay as replay:
                opened.abandon()
                assert claim is not None
                return self._replayed(claim, opened.unit.context.tenant, replay.result)
            except Superseded as tombstone:
                opened.abandon()
                assert claim is not None
                claim.epoch = tombstone.epoch
            except BaseException as raised:  # noqa: BLE001  # judged, and raised again where it ends the run
                error = typed(raised, opened.unit)
                if isinstance(error, CommitUnknown) and opened.unit.in_doubt:
                    settled = self._after_unknown(budget, opened, error)
                    if settled is not None:
                        return settled.result
                    continue
                stands = opened.unit.over
                opened.abandon()
                self._after_failure(budget, opened.unit, error, stands=stands)
            finally:
                self._active.reset(token)

    def _open(self, open_attempt: OpenAttempt, unit: Unit, budget: Budget) -> Opened | None:
        """A new attempt; None where the server did not let it in, and may after a wait."""
        try:
            return open_attempt(unit)
        except FreeholdError as error:
            self._after_failure(budget, unit, error, stands=False)
            return None

    def _after_failure(self, budget: Budget, unit: Unit, error: BaseException, *, stands: bool) -> None:
        if unit.claim is not None:
            refuse_undeclared(error)
        may = isinstance(error, Exception) and not unit.external and not stands
        if isinstance(error, CommitUnknown) and not unit.closing.asked:
            may = False  # another transaction's, which the function has begun by itself
        cause = cause_of(error, budget.retry, read_only=unit.read_only or unit.workload.read_only) if may else None
        if cause is None:
            raise error
        if cause in {Cause.SERVER_DOWN, Cause.SERVER_MOVED, Cause.CONNECTION_LOST} and unit.node == self.primary.name:
            self.primary.forget()
        self._wait_or_raise(budget, unit, error, cause)
        if cause is Cause.CONNECTION_LOST and unit.claim is not None:
            self.settling.fence(unit.claim, unit.context.tenant)

    def _wait_or_raise(self, budget: Budget, unit: Unit, error: BaseException, cause: Cause) -> None:
        attempt = budget.attempt
        wait = budget.next_wait()
        if wait is None:
            self.frame.listener(RetryGivenUp(unit.workload.name, attempt, cause.value))
            raise error
        self.frame.listener(RetryScheduled(unit.workload.name, attempt, cause.value, wait))
        self.frame.waits.pause(wait)

    def _after_unknown(self, budget: Budget, opened: Opened, error: CommitUnknown) -> Settled | None:
        """Settle a lost COMMIT; None where the function may run again, after a wait.

        Raises
        ------
        CommitUnknown
            There is no key, or the database cannot be asked now; then the error has a token.
        OutcomeAborted, OutcomeLost
            Nothing is stored, and the function must not run again.
        """
        unit, claim = opened.unit, opened.unit.claim
        try:
            opened.let_go()
            self.frame.listener(CommitAmbiguous(unit.workload.name, keyed=claim is not None))
            if claim is None:
                raise error
            error.token = claim.token(unit.context.tenant)
            settled = self.settling.settle(claim, unit.context.tenant)
            if settled.verdict is Verdict.UNKNOWN:
                raise error
        except BaseException:
            unit.ended()
            raise
        unit.settled(committed=settled.verdict is Verdict.COMMITTED)
        if unit.closing.interrupted is not None:
            raise_interrupt(unit.closing.interrupted, confirmed=unit.closing.confirmed)
        if settled.verdict is Verdict.COMMITTED:
            return settled
        definite = given_up(settled, error)
        if unit.external:
            raise definite from error
        self._wait_or_raise(budget, unit, definite, Cause.ABORTED)
        return None

    def _replayed(self, claim: Claim, tenant: str, result: Any) -> Any:
        if self.settling.durable(tenant, result).verdict is Verdict.COMMITTED:
            return result
        error = unknown_commit()
        error.token = claim.token(tenant)
        raise error


def _opener(open_attempt: OpenAttempt) -> Any:
    """What opens its attempts on a server, which for a read also chooses the server."""
    return getattr(open_attempt, "open_on", open_attempt)


def _refuse_joining(unit: Unit, wanted: Wanted, claim: Claim | None, *, same_kind: bool) -> None:
    same = wanted.context().tenant == unit.context.tenant and wanted.actor == unit.context.actor
    if not same or claim is not None or wanted.workload.name not in {unit.workload.name, "default"}:
        raise NestedTransaction(
            "A run inside a run joins its transaction, and asks for another tenant, actor, workload or a key",
            detail=f"around it: workload {unit.workload.name}, actor {unit.context.actor}",
            hint="Give the inner call what the outer one has, or call it after the outer one has ended.",
        )
    if not same_kind:
        raise NestedTransaction(
            "A run inside a run joins its transaction, and one is of the ORM while the other is on the fast path",
            hint="Call run inside run, and run_core inside run_core.",
        )


def finish(opened: Opened, result: Any) -> Any:
    """Commit, and follow whatever became of it.

    Raises
    ------
    CommitUnknown, CommittedNotDurable, AfterCommitFailed, FreeholdError
    """
    try:
        return opened.finish(result)
    except AFTER_COMMIT:
        opened.unit.committed()
        raise
    except KeyboardInterrupt:
        if opened.unit.closing.confirmed and not opened.unit.over:
            opened.unit.committed()
            raise InterruptedAfterCommit("interrupted after COMMIT; the commit stands") from None
        raise
    except psycopg.Error as error:
        raise_typed(error, opened.unit.link, opened.unit.frame.faults)


def typed(error: BaseException, unit: Unit) -> BaseException:
    """Freehold's error for what the raw connection said; what SQLAlchemy runs is translated where it fails."""
    found = fault_of(error, unit.link, unit.frame.faults) if isinstance(error, psycopg.Error) else None
    if found is None:
        return error
    found.__cause__ = error
    return found
