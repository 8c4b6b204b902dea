"""Reads on replicas: no older than the reader has seen, provably no staler than it accepts, and else on the primary."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, partial
from itertools import count
from threading import Lock
from time import monotonic
from typing import Literal

import psycopg
import sqlalchemy as sa
from psycopg import pq

from freehold.errors import CommitUnknown, ConnectionLost, FreeholdError, InputError, PoolExhausted
from freehold.events import ReplicaFallback
from freehold.kernel.template import read_sql
from freehold.runtime.body import Body, Opened, Wanted
from freehold.runtime.connections import raise_typed
from freehold.runtime.exchange import Command
from freehold.runtime.gate import POSITION, primary_gate
from freehold.runtime.link import COMMIT
from freehold.runtime.position import Position
from freehold.runtime.replica import OpenOn, Replica, opened_on
from freehold.runtime.router import PRIMARY_ONLY, Candidate, Kind, Need, Sight, Unfit, need_of, order
from freehold.runtime.unit import Unit
from freehold.runtime.workload import Workload

Mode = Literal["session", "snapshot"]
WAIT = 0.02
"""Seconds to wait for a replica, where the caller does not say: a fallback is to take less than 50 ms with them."""
POLL = 0.002
NO_REPLICA = "no replica is in reach"
HEARTBEAT = (
    Command(b"BEGIN"),
    Command(read_sql("freehold.runtime", "flush_log").encode()),
    COMMIT,
    POSITION,
)
"""A sample with a commit before it, so that the log up to it is written, sent, and can be replayed."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a read asks for."""

    max_staleness: float | None = None
    after: Position | None = None
    mode: Mode = "session"
    wait: float = WAIT

    def workload(self, given: Workload) -> Workload:
        """The class of transactions that it runs in."""
        return _of_snapshot(given) if self.mode == "snapshot" else _of_session(given)


@cache
def _of_snapshot(given: Workload) -> Workload:
    return replace(given, isolation="repeatable read") if given.isolation == "read committed" else given


@cache
def _of_session(given: Workload) -> Workload:
    # No standby can be serializable; its snapshot is what comes nearest.
    return given if given.isolation != "serializable" else replace(given, isolation="repeatable read", deferrable=False)


class Reading:
    """The replicas of one database, and which of them serves a read."""

    def __init__(self, body: Body, replicas: Sequence[Replica] = ()) -> None:
        self._body = body
        self._frame = body.frame
        self._replicas = {replica.name: replica for replica in replicas}
        self._turns = count()
        self._sampling = Lock()

    def wish(self, max_staleness: float | None, after: str | None, mode: Mode, wait: float) -> Wish:
        """What the caller said, checked.

        Raises
        ------
        PositionInvalid
            The token is none of this application's.
        InputError
            The mode is unknown, or a time is negative.
        """
        if mode not in {"session", "snapshot"}:
            raise InputError(f"A read has no mode {mode!r}", hint='Say mode="session" or mode="snapshot".')
        if wait < 0 or (max_staleness is not None and not max_staleness >= 0):
            raise InputError(
                "A read's times are seconds, and not negative",
                detail=f"{max_staleness=}, {wait=}",
                hint="Give seconds, or None for any age.",
            )
        position = Position.parse(after, self._frame.signer.keys) if after else None
        return Wish(max_staleness, position, mode, wait)

    def attempts(self, open_on: OpenOn, wish: Wish) -> Attempts:
        """What opens the attempts of one read."""
        return Attempts(self, open_on, wish)

    def unit(self, wanted: Wanted, wish: Wish) -> Unit:
        """The first attempt of a read."""
        return self._body.unit(self.wanted(wanted, wish))

    def wanted(self, wanted: Wanted, wish: Wish) -> Wanted:
        """The transaction of a read."""
        return wanted._replace(read_only=True, workload=wish.workload(wanted.workload))

    def open(self, open_on: OpenOn, unit: Unit, wish: Wish, avoided: Collection[str] = ()) -> Opened:
        """The read's transaction, on a replica that may serve it or on the primary."""
        unit.position = wish.after
        if self._replicas and wish.mode == "session":
            need, refusals = self._need(wish), dict[str, Unfit]()
            found = None if need.primary else self._on_replica(open_on, unit, need, wish, avoided, refusals)
            if found is not None:
                return found
            self._frame.listener(_fallback(need, refusals, self._replicas))
        return self._on_primary(open_on, replace(unit, gate=primary_gate(wish.after, self._frame.waits)))

    def _on_primary(self, open_on: OpenOn, unit: Unit) -> Opened:
        try:
            return opened_on(open_on, unit, self._body.primary)
        except psycopg.Error as error:
            raise_typed(error, unit.link, self._frame.faults)

    def _need(self, wish: Wish) -> Need:
        bound, now = wish.max_staleness, monotonic()
        newest = self._frame.ledger.newest()
        outdated = newest is None or (bound is not None and newest[0] < now - bound / 2)
        if wish.after is not None and newest is not None:
            outdated = outdated or wish.after.timeline > newest[1].timeline
            outdated = outdated or wish.after.system_identifier != newest[1].system_identifier
        if outdated and (bound is not None or wish.after is not None):
            self._sample()
            now, newest = monotonic(), self._frame.ledger.newest()
        floor = None if bound is None else self._frame.ledger.floor(now, bound)
        return need_of(wish.after, floor, newest and newest[1], bounded=bound is not None)

    def _on_replica(
        self, open_on: OpenOn, unit: Unit, need: Need, wish: Wish, avoided: Collection[str], refusals: dict[str, Unfit]
    ) -> Opened | None:
        deadline = monotonic() + wish.wait
        awaited: Replica | None = None
        for name in self._order(unit, avoided, refusals):
            replica = self._replicas[name]
            try:
                return replica.open(open_on, unit, need, monotonic())
            except Unfit as unfit:
                refusals[name] = unfit
                if unfit.behind and awaited is None and replica.slow.until <= monotonic():
                    awaited = replica
        if awaited is None:
            return None
        return self._await(awaited, deadline, partial(awaited.open, open_on, unit, need))

    def _await(self, replica: Replica, deadline: float, retry: Callable[[float], Opened]) -> Opened | None:
        """Ask a replica again until it has caught up or the time is over."""
        replica.slow.trial(monotonic())
        while (left := deadline - monotonic()) > 0:
            self._frame.waits.pause(min(POLL, left))
            try:
                found = retry(monotonic())
                replica.slow.clear()
                return found
            except Unfit as unfit:
                if not unfit.behind:
                    break
        replica.slow.add(monotonic())
        return None

    def _order(self, unit: Unit, avoided: Collection[str], refusals: dict[str, Unfit]) -> list[str]:
        now, pool = monotonic(), unit.workload.pool
        for replica in self._replicas.values():
            if replica.broken.until > now:
                refusals[replica.name] = Unfit(replica.why, Kind.BROKEN)
        candidates = [
            Candidate(replica.name, replica.busy(pool), replica.broken.until) for replica in self._replicas.values()
        ]
        return order(candidates, now, avoided, next(self._turns))

    def _sample(self) -> None:
        """Ask the primary where it is, unless somebody does so now; where it cannot be asked nothing is learned."""
        if self._body.primary.full() or not self._sampling.acquire(blocking=False):
            return
        try:
            self._ask()
        except PoolExhausted:
            pass  # the last connection was taken meanwhile; the primary lives
        except (FreeholdError, psycopg.Error, sa.exc.DBAPIError):
            self._body.primary.forget()
        finally:
            self._sampling.release()

    def _ask(self) -> None:
        lease = self._body.primary.lend()
        link = lease.link
        try:
            link.deadline = None
            began = monotonic()
            sight = Sight.read(self._frame.waits.drive(link, link.send(HEARTBEAT))[-1])
            if sight is not None:
                link.seen = sight.position
                self._frame.ledger.note(sight.position, began, asked=True)
        finally:
            lease.give_back()

    def failed(self, opened: Opened) -> None:
        """Leave a replica alone whose connection was lost in the middle of a read."""
        replica, link = self._replicas.get(opened.unit.node), opened.unit.link
        if replica is not None and (link is None or link.pgconn.status != pq.ConnStatus.OK):
            replica.failed(monotonic(), "the connection was lost during a read")

    @contextmanager
    def noting(self, opened: Opened) -> Iterator[None]:
        """Note what fails inside; a lost COMMIT of a read is a lost connection and nothing more."""
        try:
            yield
        except CommitUnknown as error:
            self.failed(opened)
            raise ConnectionLost(
                "The connection was lost at the end of a read", hint="Run it again, or let db.run_read(...) do so."
            ) from error
        except BaseException:
            self.failed(opened)
            raise

    def dispose(self) -> None:
        """Close every connection to a replica."""
        for replica in self._replicas.values():
            replica.node.close()


@dataclass(slots=True)
class Attempts:
    """Opens the attempts of one read, each on another node than those that have failed."""

    reading: Reading
    open_on: OpenOn
    wish: Wish
    avoided: set[str] = field(default_factory=set)
    last: Opened | None = None

    def __call__(self, unit: Unit) -> Opened:
        if self.last is not None:
            self.reading.failed(self.last)
            self.avoided.add(self.last.unit.node)
        self.last = self.reading.open(self.open_on, unit, self.wish, self.avoided)
        return self.last


def _fallback(need: Need, refusals: Mapping[str, Unfit], replicas: Iterable[str]) -> ReplicaFallback:
    """Which replicas did not serve a read, and why; of several reasons the first gives the kind."""
    if refusals:
        reasons = dict.fromkeys(unfit.reason for unfit in refusals.values())
        kind = next(iter(refusals.values())).kind
        return ReplicaFallback(", ".join(refusals), "; ".join(reasons), kind.value)
    kind = PRIMARY_ONLY.get(need.primary, Kind.BROKEN)
    return ReplicaFallback(", ".join(replicas), need.primary or NO_REPLICA, kind.value)
