"""What a read asks of a server before its first statement counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from freehold.errors import PositionInvalid, ReplicaError
from freehold.kernel.template import read_sql
from freehold.runtime.exchange import Command
from freehold.runtime.link import Link, Results
from freehold.runtime.position import Position
from freehold.runtime.router import Kind, Need, Sight, Unfit, judge
from freehold.runtime.waits import Waits

POSITION = Command(read_sql("freehold.runtime", "read_position").encode())
SILENT = "it does not tell its position"


@dataclass(slots=True)
class Gate:
    """Lets a transaction begin only on a server that has what the reader needs.

    A server's process never goes back in its log: what it was once seen at on this connection needs no new question.
    Behind a pooler every transaction may meet another process, so there the question is part of the transaction.

    Parameters
    ----------
    judge
        Raises where the server will not do.
    """

    judge: Callable[[Sight], None]
    waits: Waits
    inside: bool = False
    passed: bool = False

    def before(self, link: Link) -> None:
        """Judge the connection before its transaction begins."""
        self.inside = link.backend.pid == 0
        if self.inside:
            return
        if not self._known(link):
            link.deadline = None
            self.received(link, self.waits.drive(link, link.send([POSITION])))
        self.passed = True

    def commands(self) -> Sequence[Command]:
        """What travels with BEGIN."""
        return [POSITION] if self.inside else []

    def received(self, link: Link, results: Results) -> None:
        """Judge the answer, which is the last of these."""
        sight = Sight.read(results[-1])
        if sight is None:
            raise Unfit(SILENT, Kind.UNPROVED)
        link.seen = sight.position
        self.judge(sight)
        self.passed = True

    def _known(self, link: Link) -> bool:
        if link.seen is None:
            return False
        try:
            self.judge(Sight(link.seen))
        except (Unfit, ReplicaError):
            # It may have come to a later timeline meanwhile, as one that was promoted has.
            return False
        return True


def replica_gate(need: Need, waits: Waits) -> Gate | None:
    """The gate of a replica; None where anything will do."""
    return Gate(lambda sight: judge(need, sight), waits) if need.position is not None else None


def primary_gate(after: Position | None, waits: Waits) -> Gate | None:
    """The gate of the primary, which has what any token says, unless it is another cluster's or a former primary."""
    return Gate(lambda sight: judge_primary(after, sight), waits) if after is not None else None


def judge_primary(after: Position, sight: Sight) -> None:
    """Refuse a token that this primary can say nothing about.

    A lower place on the same timeline, or a timeline that came after the token's, is the primary's to decide: what it
    does not have is not stored.

    Raises
    ------
    PositionInvalid
        The token is of another cluster.
    ReplicaError
        The token is of a later timeline: this server was the primary once.
    """
    if sight.position.system_identifier != after.system_identifier:
        raise PositionInvalid(
            "The position token is of another cluster",
            hint="A position is good on one cluster and its replicas; read without it.",
        )
    if sight.position.timeline < after.timeline:
        raise ReplicaError(
            "The server that is called primary is older than what the reader has seen",
            detail=f"It is on timeline {sight.position.timeline}, and the position is of timeline {after.timeline}.",
            hint="A replica was promoted meanwhile: let the address lead to it, and stop the former primary.",
        )
