"""Which replica may serve a read: decided from positions and times alone, and never from a replica's clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from psycopg import pq

from freehold.runtime.position import Position

OLDER_TIMELINE = "the position is of an older timeline and has to be judged anew"
NEWER_TIMELINE = "the position is of a newer timeline than the primary was seen on"
OTHER_CLUSTER = "it is another cluster"
UNPROVED = "nothing proves how stale it is"


class Kind(Enum):
    """Why a read went to the primary."""

    BEHIND = "behind"
    TIMELINE = "timeline"
    OTHER_CLUSTER = "other cluster"
    UNPROVED = "unproved"
    """How stale a replica is cannot be told."""
    TAKEN = "no connection"
    """All connections to it are taken."""
    BROKEN = "out of reach"


PRIMARY_ONLY = {
    UNPROVED: Kind.UNPROVED,
    OTHER_CLUSTER: Kind.OTHER_CLUSTER,
    OLDER_TIMELINE: Kind.TIMELINE,
    NEWER_TIMELINE: Kind.TIMELINE,
}
"""What :attr:`Need.primary` may say."""


class Unfit(Exception):  # never leaves the runtime: the read goes elsewhere
    """A server may not serve this read.

    Parameters
    ----------
    kind
        What metrics may count by.
    behind
        Whether it may be able to in a moment.
    """

    def __init__(self, reason: str, kind: Kind, *, behind: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.kind = kind
        self.behind = behind


@dataclass(frozen=True, slots=True)
class Sight:
    """What a server says of itself; ``streaming`` is whether more of the log is on its way to it."""

    position: Position
    streaming: bool = False

    @classmethod
    def read(cls, answer: pq.abc.PGresult) -> Sight | None:
        """The answer to ``read_position.sql``; None where it is an error."""
        position = Position.read(answer)
        return None if position is None else cls(position, answer.get_value(0, 4) == b"t")


@dataclass(frozen=True, slots=True)
class Need:
    """What a replica must have replayed.

    Parameters
    ----------
    position
        None where anything will do.
    primary
        Why only the primary can serve the read; "" where a replica may.
    """

    position: Position | None = None
    primary: str = ""


def need_of(after: Position | None, floor: Position | None, newest: Position | None, *, bounded: bool) -> Need:
    """What a replica must have replayed, so that it is no older than the token and no staler than the bound.

    Parameters
    ----------
    after
        The reader's token.
    floor
        A place that the primary had reached no longer ago than the bound; None where none is known.
    newest
        The newest place of the primary that is known.
    bounded
        Whether there is a bound.
    """
    if bounded and floor is None:
        return Need(primary=UNPROVED)
    if after is None:
        return Need(floor)
    if newest is None:
        return Need(after)
    if after.system_identifier != newest.system_identifier:
        return Need(primary=OTHER_CLUSTER)
    if after.timeline != newest.timeline:
        return Need(primary=OLDER_TIMELINE if after.timeline < newest.timeline else NEWER_TIMELINE)
    return Need(after.newest(floor))


def judge(need: Need, sight: Sight) -> None:
    """Refuse a replica that has not replayed what is needed.

    Raises
    ------
    Unfit
    """
    wanted, seen = need.position, sight.position
    if need.primary:
        raise Unfit(need.primary, PRIMARY_ONLY[need.primary])
    if wanted is None:
        return
    if seen.system_identifier != wanted.system_identifier:
        raise Unfit(OTHER_CLUSTER, Kind.OTHER_CLUSTER)
    if seen.timeline != wanted.timeline:
        # One that is behind the switch may come to it; one that is past it cannot be compared.
        behind = seen.timeline < wanted.timeline and sight.streaming
        text = f"it is on timeline {seen.timeline} and not on {wanted.timeline}"
        raise Unfit(text, Kind.TIMELINE, behind=behind)
    if seen.lsn < wanted.lsn:
        how = "is behind" if sight.streaming else "is behind and receives no log"
        raise Unfit(f"it {how} by {wanted.lsn - seen.lsn} bytes", Kind.BEHIND, behind=sight.streaming)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A replica as the router sees it: whom it serves now, and until when it is left alone."""

    name: str
    busy: int = 0
    resting_until: float = 0.0


def order(candidates: Iterable[Candidate], now: float, avoided: Iterable[str] = (), turn: int = 0) -> list[str]:
    """The replicas to try, those with the least to do first, equals by turns.

    Parameters
    ----------
    avoided
        Those on which an earlier attempt of the same read failed.
    turn
        Counts reads.
    """
    left = frozenset(avoided)
    fit = [each for each in candidates if each.resting_until <= now and each.name not in left]
    shift = turn % len(fit) if fit else 0
    return [each.name for each in sorted(fit[shift:] + fit[:shift], key=lambda each: each.busy)]
