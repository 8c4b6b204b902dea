"""Events as OpenTelemetry spans and metrics, by its conventions for databases; needs ``freehold[otel]``."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass

from opentelemetry import context as otel_context
from opentelemetry import metrics, trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from freehold.errors import CommittedNotDurable, CommitUnknown
from freehold.events import Event, RetryScheduled, TransactionEnded, TransactionSlow
from freehold.runtime.scope import Scope, current
from freehold.telemetry.meters import Meters

NAME = "freehold"
SYSTEM: Mapping[str, str] = {"db.system.name": "postgresql"}
NANO = 1_000_000_000
DOUBTS: Mapping[str, tuple[str, str]] = {
    "unknown": ("whether it is stored is not known", CommitUnknown.code),
    "committed, not durable": ("committed, and perhaps on one server alone", CommittedNotDurable.code),
}
"""Outcomes that are errors of their span: what is said, and the type."""


@dataclass(frozen=True, slots=True)
class _Run:
    """The attempts of one run: the first one's span is the parent of the others."""

    first: Span | None
    last: Span | None
    scope: Scope
    cause: str = ""
    open: bool = False
    """Whether a further attempt may follow: what was committed is not tried again."""


class Telemetry:
    """A listener that makes a span of every transaction, and metrics of all.

    A transaction's span lies under whatever span is active where it ended. Each further attempt of a run is a child of
    the first attempt's span and says for what cause it runs again. A slow transaction has a child with an event for
    each of its statements, without values of parameters.

    >>> db = layer.connect(url, listener=Telemetry())  # doctest: +SKIP

    Parameters
    ----------
    tracers, meters
        Providers; the process's own where left out.
    attributes
        What every span and metric carries, such as ``db.namespace`` and ``server.address``.
    tenant
        Whether spans name the tenant, as ``freehold.tenant``; metrics never do.
    """

    def __init__(
        self,
        *,
        tracers: trace.TracerProvider | None = None,
        meters: metrics.MeterProvider | None = None,
        attributes: Mapping[str, str] | None = None,
        tenant: bool = False,
    ) -> None:
        self._attributes = {**SYSTEM, **(attributes or {})}
        self._tenant = tenant
        self._tracer = trace.get_tracer(NAME, tracer_provider=tracers)
        self._meters = Meters(metrics.get_meter(NAME, meter_provider=meters), self._attributes)
        self._run: ContextVar[_Run | None] = ContextVar("freehold_telemetry_run", default=None)

    def __call__(self, event: Event) -> None:
        """Make what there is to make of it."""
        self._meters.count(event)
        if isinstance(event, TransactionEnded):
            self._span(event)
        elif isinstance(event, RetryScheduled):
            self._note(event)
        elif isinstance(event, TransactionSlow):
            self._tell_statements(event)

    def _span(self, event: TransactionEnded) -> None:
        run = self._run.get() if event.attempts > 1 else None
        first = run.first if run else None
        parent = trace.set_span_in_context(first) if first else otel_context.get_current()
        end = time.time_ns()
        span = self._tracer.start_span(
            f"transaction {event.workload}",
            context=parent,
            kind=SpanKind.CLIENT,
            attributes=self._described(event, run),
            start_time=end - int(event.seconds * NANO),
        )
        if event.outcome in DOUBTS:
            said, code = DOUBTS[event.outcome]
            span.set_status(Status(StatusCode.ERROR, said))
            span.set_attribute("error.type", code)
        span.end(end)
        self._run.set(_Run(first or span, span, current(), open=event.outcome == "rolled back"))

    def _described(self, event: TransactionEnded, run: _Run | None) -> dict[str, str | int]:
        scope = current()
        tenant = event.tenant or ("" if scope.tenant is None else str(scope.tenant))
        found: dict[str, str | int] = {
            **self._attributes,
            "db.operation.name": "transaction",
            "freehold.workload": event.workload,
            "freehold.node": event.node,
            "freehold.outcome": event.outcome,
            "freehold.attempt": event.attempts,
            "freehold.statements": event.statements,
            "freehold.round_trips": event.round_trips,
        }
        named = {
            "freehold.request_id": scope.request_id,
            "freehold.retry.cause": run.cause if run else "",
            "freehold.tenant": tenant if self._tenant else "",
        }
        return {**found, **{key: value for key, value in named.items() if value}}

    def _note(self, event: RetryScheduled) -> None:
        run, scope = self._run.get(), current()
        if run is not None and (event.attempt > 1 or (run.open and run.scope is scope)):
            self._run.set(_Run(run.first, run.last, scope, event.cause))
        else:
            # The first attempt found no server: it has no span, and the one that is known is another run's.
            self._run.set(_Run(None, None, scope, event.cause))

    def _tell_statements(self, event: TransactionSlow) -> None:
        run = self._run.get()
        around = trace.set_span_in_context(run.last) if run and run.last else otel_context.get_current()
        end = time.time_ns()
        start = end - int(event.seconds * NANO)
        name = f"slow transaction {event.workload}"
        span = self._tracer.start_span(name, context=around, attributes=self._attributes, start_time=start)
        for number, statement in enumerate(event.statements, 1):
            told: dict[str, str | int] = {"db.query.text": statement, "freehold.statement": number}
            span.add_event("freehold.statement", told, end)
        span.end(end)
