"""The metrics of the runtime; none has an attribute that grows with tenants, requests or statements."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import singledispatchmethod

from opentelemetry.metrics import Meter

from freehold import events
from freehold.events import Event

Attributes = Mapping[str, str | int | bool]
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Bounds of the histograms of durations, as the conventions for databases advise."""
FEW = (1, 2, 3, 4, 5, 8, 12, 20, 50, 100)


class Meters:
    """Counts events."""

    def __init__(self, meter: Meter, attributes: Mapping[str, str]) -> None:
        self._fixed = attributes
        self._seconds = meter.create_histogram(
            "freehold.transaction.duration",
            unit="s",
            description="Duration of transactions, by attempt",
            explicit_bucket_boundaries_advisory=SECONDS,
        )
        self._round_trips = meter.create_histogram(
            "freehold.transaction.round_trips",
            unit="{round_trip}",
            description="Messages to the server for which a transaction waited",
            explicit_bucket_boundaries_advisory=FEW,
        )
        self._waits = meter.create_histogram(
            "db.client.connection.wait_time",
            unit="s",
            description="Time to obtain a connection from its pool",
            explicit_bucket_boundaries_advisory=SECONDS,
        )
        self._counters: dict[str, Callable[[int, Attributes], None]] = {
            name: meter.create_counter(f"freehold.{name}", unit=unit, description=description).add
            for name, unit, description in COUNTERS
        }

    def count(self, event: Event) -> None:
        """Count one event; those that no metric is made of are passed over."""
        self._count(event)

    @singledispatchmethod
    def _count(self, event: object) -> None:
        """No metric."""

    @_count.register
    def _(self, event: events.TransactionEnded) -> None:
        told = {"freehold.workload": event.workload, "freehold.node": event.node, "freehold.outcome": event.outcome}
        self._seconds.record(event.seconds, {**self._fixed, **told})
        self._round_trips.record(event.round_trips, {**self._fixed, **told})
        self._add("transaction.attempts", told)

    @_count.register
    def _(self, event: events.TransactionSlow) -> None:
        self._add("transaction.slow", {"freehold.workload": event.workload})

    @_count.register
    def _(self, event: events.RetryScheduled) -> None:
        self._add("transaction.retries", {"freehold.workload": event.workload, "freehold.retry.cause": event.cause})

    @_count.register
    def _(self, event: events.RetryGivenUp) -> None:
        told = {"freehold.workload": event.workload, "freehold.retry.cause": event.cause}
        self._add("transaction.retries_given_up", told)

    @_count.register
    def _(self, event: events.CommitAmbiguous) -> None:
        self._add("commit.unknown", {"freehold.workload": event.workload, "freehold.keyed": event.keyed})

    @_count.register
    def _(self, event: events.OutcomeResolved) -> None:
        self._add("commit.resolved", {"freehold.verdict": event.verdict})

    @_count.register
    def _(self, event: events.ReplicaFallback) -> None:
        self._add("replica.fallbacks", {"freehold.node": event.replica, "freehold.reason": event.kind})

    @_count.register
    def _(self, event: events.PoolWaited) -> None:
        self._waits.record(event.seconds, {**self._fixed, "db.client.connection.pool.name": event.pool})

    @_count.register
    def _(self, event: events.DeadlockMet) -> None:
        self._add("deadlocks", {})

    @_count.register
    def _(self, event: events.PeerLost) -> None:
        self._add("peer.lost", {"server.address": event.peer})

    def _add(self, name: str, attributes: Attributes) -> None:
        self._counters[name](1, {**self._fixed, **attributes})


COUNTERS = (
    ("transaction.attempts", "{attempt}", "Transactions that were begun, every attempt of a run among them"),
    ("transaction.slow", "{transaction}", "Transactions that took longer than their workload's limit"),
    ("transaction.retries", "{retry}", "Transactions that ran again, by cause"),
    ("transaction.retries_given_up", "{run}", "Runs that ended because their budget of retries was spent"),
    ("commit.unknown", "{commit}", "Commits whose answer was lost"),
    ("commit.resolved", "{commit}", "Unknown commits that have a verdict"),
    ("replica.fallbacks", "{read}", "Reads that went to the primary although a replica could have served them"),
    ("deadlocks", "{deadlock}", "Deadlocks that ended one of this process's transactions"),
    ("peer.lost", "{connection}", "Connections that were ended because their server was dead"),
)
