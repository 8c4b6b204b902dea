"""Defects for the harness of cuts to see: what runtimes do that have no verdict, or one that does not last."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from freehold.errors import CommitUnknown
from freehold.events import CommitAmbiguous
from freehold.runtime.body import Body, Opened
from freehold.runtime.outcome import Settled, Verdict
from freehold.runtime.retry import Budget
from freehold.runtime.settling import Settling
from torture.ground import Ground

RESOLVE = "freehold.resolve_outcome_v1(text)"


@dataclass(frozen=True)
class Defect:
    """A defect, in the runtime's body or in the database's function that resolves.

    Parameters
    ----------
    body
        Changes a body.
    change
        Words of the function's source, and what stands in their place.
    """

    name: str
    body: Callable[[Body], None] | None = None
    change: tuple[str, str] | None = None

    @contextmanager
    def planted(self, where: Ground) -> Iterator[None]:
        """The database with the defect in it."""
        if self.change is None:
            yield
            return
        with where.admin() as admin:
            found = admin.execute("SELECT pg_get_functiondef(%s::regprocedure)", (RESOLVE,)).fetchone()
            assert found is not None
            good, (words, others) = str(found[0]), self.change
            assert words in good, f"the function does not say {words!r} any more"
            admin.execute(psycopg.sql.SQL(good.replace(words, others)))
            try:
                yield
            finally:
                admin.execute(psycopg.sql.SQL(good))


def _after_unknown(instead: Callable[[Opened, CommitUnknown], Settled | None]) -> Callable[[Body], None]:
    def change(body: Body) -> None:
        def after_unknown(self: Body, budget: Budget, opened: Opened, error: CommitUnknown) -> Settled | None:
            opened.abandon()
            self.frame.listener(CommitAmbiguous(opened.unit.workload.name, keyed=opened.unit.claim is not None))
            return instead(opened, error)

        body._after_unknown = types.MethodType(after_unknown, body)  # type: ignore[method-assign]

    return change


def _blind(opened: Opened, error: CommitUnknown) -> None:
    """Run it again, as a driver's documentation may advise."""
    opened.unit.claim = None


def _taken(opened: Opened, error: CommitUnknown) -> Settled:
    return Settled(Verdict.COMMITTED, "")


def hopeful(body: Body) -> None:
    """Take a lost answer for a commit."""
    _after_unknown(_taken)(body)


def hasty(body: Body) -> None:
    """Ask what is stored, and take what is not there yet for what never will be."""

    def peek(self: Settling, ask: Callable[[], Settled]) -> Settled:
        return Settled(Verdict.ABORTED)

    body.settling._insist = types.MethodType(peek, body.settling)  # type: ignore[method-assign]


DEFECTS = (
    Defect("blind retry", _after_unknown(_blind)),
    Defect("success without an answer", hopeful),
    Defect("a verdict without asking", hasty),
    Defect(
        "no tombstone",
        change=(
            "VALUES (bound.owner, resolve_outcome_v1.key, 'aborted', bound.actor, bound.transaction, 1)",
            "SELECT bound.owner, resolve_outcome_v1.key, 'aborted', bound.actor, bound.transaction, 1 WHERE false",
        ),
    ),
    Defect("a tombstone that lasts for one attempt", change=("epoch = o.epoch + 1", "epoch = o.epoch")),
)
