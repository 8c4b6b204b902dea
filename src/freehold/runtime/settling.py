"""Settles lost COMMITs: asks the database what became of a claim, and makes sure that the answer stays true."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic

import psycopg
import sqlalchemy as sa

from freehold.errors import (
    CommitUnknown,
    ConfigError,
    FreeholdError,
    KeyReused,
    OutcomeAborted,
    OutcomeError,
    OutcomeLost,
)
from freehold.events import OutcomeResolved
from freehold.kernel.template import read_sql
from freehold.runtime.commits import CancelledAfterCommit, InterruptedAfterCommit
from freehold.runtime.context import Context
from freehold.runtime.exchange import Command
from freehold.runtime.link import Link, Results
from freehold.runtime.nodes import Node
from freehold.runtime.outcome import Claim, Place, Settled, Verdict
from freehold.runtime.retry import server_error
from freehold.runtime.unit import Frame, Unit

PACKAGE = "freehold.runtime"
FENCE = read_sql(PACKAGE, "fence_outcome").encode()
DURABLY = Command(read_sql(PACKAGE, "settle_durably").encode())
UNDEFINED = frozenset({"42883", "3F000", "42501"})
"""A function, or its schema, that is not there or not granted."""
OWN_FUNCTIONS = re.compile(r"\b(position|(claim|record|resolve)_outcome)_v1\b")
"""The functions of the room, as the server names them in any language."""
RESOLVING = 10.0
"""Seconds for which a lost COMMIT is asked after before its outcome is unknown: a failover takes a few."""
FIRST_PAUSE, LONGEST_PAUSE = 0.005, 0.1
"""Seconds between two questions: short at first, for a connection that was cut alone."""


class Settling:
    """Asks the primary what became of claims.

    ``patience`` is how many seconds it asks before the outcome is unknown.
    """

    def __init__(self, frame: Frame, primary: Node) -> None:
        self.frame = frame
        self.primary = primary
        self.patience = RESOLVING

    def settle(self, claim: Claim, tenant: str) -> Settled:
        """The verdict of a claim, asked for until the database answers or the time is over.

        Raises
        ------
        KeyReused
            The key has the outcome of another request; nothing of this one is stored.
        """
        began = monotonic()
        asked = [fencing(claim, tenant), claim.resolve(), DURABLY]

        def judge(link: Link, answers: Results) -> Settled:
            link.learn(Place.read(answers[1]))
            return claim.judged(answers[1])

        settled = self._insist(lambda: self._ask(tenant, asked, judge))
        self.frame.listener(OutcomeResolved(settled.verdict.value, monotonic() - began))
        return settled

    def durable(self, tenant: str, result: object) -> Settled:
        """A stored result, once it is durable: whoever stored it may have been told that it was not."""
        return self._insist(lambda: self._ask(tenant, [DURABLY], lambda *_: Settled(Verdict.COMMITTED, result)))

    def fence(self, claim: Claim, tenant: str) -> None:
        """End a lost attempt that still holds its key: its server may not know yet that its client is gone."""
        with suppress(FreeholdError, psycopg.Error, sa.exc.DBAPIError):
            self._ask(tenant, [fencing(claim, tenant)], lambda *_: Settled(Verdict.UNKNOWN))

    def _insist(self, ask: Callable[[], Settled]) -> Settled:
        deadline, pause, first = monotonic() + self.patience, FIRST_PAUSE, True
        while True:
            try:
                return ask()
            except KeyReused:
                raise
            except (FreeholdError, psycopg.Error, sa.exc.DBAPIError) as error:
                reason = str(error)
                if not first:
                    # More than one connection is lost: the server, or the way to it, is another one now.
                    self.primary.forget()
                first = False
            if monotonic() > deadline:
                return Settled(Verdict.UNKNOWN, reason=reason)
            self.frame.waits.pause(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _ask(self, tenant: str, commands: Sequence[Command], judge: Callable[[Link, Results], Settled]) -> Settled:
        workload = self.frame.workloads["default"]
        unit = Unit(self.frame, workload, tenant or None, Context(tenant, "resolver"))
        lease = self.primary.lend()
        link = lease.link
        try:
            unit.attach(link)
            link.held = False
            return judge(link, self.frame.waits.patiently(link, link.finish(commands)))
        except (InterruptedAfterCommit, CancelledAfterCommit) as told:
            # What stands is the question's own transaction.
            raise (unit.closing.interrupted or told) from None
        except Exception as error:
            if unit.closing.interrupted is not None:
                raise unit.closing.interrupted from error
            raise
        finally:
            lease.give_back()


def fencing(claim: Claim, tenant: str) -> Command:
    """Ends whoever holds the key, where this login may."""
    return Command(FENCE, (claim.key.encode(), tenant.encode()))


def given_up(settled: Settled, error: CommitUnknown) -> OutcomeError:
    """The error for a lost COMMIT of which nothing is stored."""
    if settled.verdict is Verdict.LOST:
        made: OutcomeError = OutcomeLost(
            "The connection was lost while COMMIT was under way; a failover or restore since then does not have it",
            hint="Run it again under the same key; what it did outside of the database is not undone.",
        )
    else:
        made = OutcomeAborted(
            "The connection was lost while COMMIT was under way; nothing of the transaction is stored, now or later",
            hint="Run it again under the same key; what it did outside of the database is not undone.",
        )
    made.__cause__ = error
    return made


def refuse_undeclared(error: BaseException) -> None:
    said = server_error(error)
    if said is not None and said.sqlstate in UNDEFINED and OWN_FUNCTIONS.search(said.diag.message_primary or ""):
        raise ConfigError(
            "The data layer declares no outcomes, so that no transaction can run under a key",
            hint="Add Outcomes() to the DataLayer, and apply it.",
        ) from error
