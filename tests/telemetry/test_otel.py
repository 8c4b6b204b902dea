"""Transactions become spans and metrics, told by exporters that keep them in memory."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from freehold import events
from freehold.events import RetryScheduled, TransactionEnded, TransactionSlow
from freehold.runtime.router import UNPROVED, Kind
from freehold.runtime.scope import acting
from freehold.runtime.unit import NOT_DURABLE
from freehold.telemetry.otel import Telemetry

ROLLED_BACK = TransactionEnded("web", "primary", "rolled back", 0.5, 1, 2, 2)
SECOND = TransactionEnded("web", "primary", "committed", 0.25, 2, 2, 2, tenant="t-1")


class Watch:
    """A telemetry with exporters in memory."""

    def __init__(self, **options: Any) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.reader = InMemoryMetricReader()
        meters = MeterProvider([self.reader], shutdown_on_exit=False)
        self.telemetry = Telemetry(tracers=self.provider, meters=meters, **options)

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self.exporter.get_finished_spans()

    def points(self, name: str) -> list[Any]:
        """The data points of a metric."""
        data = self.reader.get_metrics_data()
        assert data is not None
        found = [m for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics if m.name == name]
        return [point for metric in found for point in metric.data.data_points]


@pytest.fixture
def watch() -> Watch:
    return Watch(attributes={"db.namespace": "shop"})


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def test_a_transaction_is_a_span_under_the_request(watch: Watch) -> None:
    tracer = watch.provider.get_tracer("app")
    with tracer.start_as_current_span("request"), acting(actor="ana", request_id="r-1"):
        watch.telemetry(ROLLED_BACK)
    span, request = watch.spans
    assert (span.name, span.kind) == ("transaction web", trace.SpanKind.CLIENT)
    assert span.parent is not None
    assert span.parent.span_id == request.context.span_id
    found = attributes(span)
    assert found["db.system.name"] == "postgresql"
    assert found["db.namespace"] == "shop"
    assert found["freehold.outcome"] == "rolled back"
    assert found["freehold.request_id"] == "r-1"
    assert span.start_time is not None
    assert span.end_time is not None
    assert span.end_time - span.start_time == 500_000_000


def test_a_retry_is_a_child_of_the_first_attempt(watch: Watch) -> None:
    watch.telemetry(ROLLED_BACK)
    watch.telemetry(RetryScheduled("web", 1, "deadlock", 0.01))
    watch.telemetry(SECOND)
    watch.telemetry(ROLLED_BACK)
    first, second, other = watch.spans
    assert second.parent is not None
    assert second.parent.span_id == first.context.span_id
    assert attributes(second)["freehold.retry.cause"] == "deadlock"
    assert other.parent is None
    (retries,) = watch.points("freehold.transaction.retries")
    assert (retries.value, retries.attributes["freehold.retry.cause"]) == (1, "deadlock")
    assert sum(point.value for point in watch.points("freehold.transaction.attempts")) == 3


COMMITTED = TransactionEnded("web", "primary", "committed", 0.5, 1, 2, 2)


@pytest.mark.parametrize("before", [COMMITTED, ROLLED_BACK])
def test_an_attempt_that_found_no_server_lends_no_parent_of_another_request(
    watch: Watch, before: TransactionEnded
) -> None:
    with acting(request_id="r-1"):
        watch.telemetry(before)
    with acting(request_id="r-2"):
        watch.telemetry(RetryScheduled("web", 1, "server down", 0.01))
        watch.telemetry(SECOND)
    other = watch.spans[1]
    assert other.parent is None
    assert attributes(other)["freehold.retry.cause"] == "server down"


def test_a_committed_transaction_is_no_first_attempt_of_what_follows(watch: Watch) -> None:
    watch.telemetry(COMMITTED)
    watch.telemetry(RetryScheduled("web", 1, "server down", 0.01))
    watch.telemetry(SECOND)
    assert watch.spans[1].parent is None


def test_a_commit_that_may_be_lost_with_its_server_is_an_error(watch: Watch) -> None:
    watch.telemetry(TransactionEnded("web", "primary", NOT_DURABLE, 0.1, 1, 1, 1))
    assert watch.spans[0].status.status_code is trace.StatusCode.ERROR
    assert attributes(watch.spans[0])["error.type"] == "transaction.committed-not-durable"


def test_fallbacks_are_counted_by_kind(watch: Watch) -> None:
    lags = [(f"it is behind by {lag} bytes", Kind.BEHIND) for lag in range(50)]
    others = [("FATAL: x", Kind.BROKEN), ("FATAL: y", Kind.BROKEN), (UNPROVED, Kind.UNPROVED)]
    for reason, kind in lags + others:
        watch.telemetry(events.ReplicaFallback("replica 1", reason, kind.value))
    found = {point.attributes["freehold.reason"]: point.value for point in watch.points("freehold.replica.fallbacks")}
    assert found == {"behind": 50, "out of reach": 2, "unproved": 1}


@pytest.mark.parametrize("asked", [False, True])
def test_a_tenant_is_named_only_where_asked(asked: bool) -> None:
    watch = Watch(tenant=asked)
    watch.telemetry(SECOND)
    assert ("t-1" in str(attributes(watch.spans[0]))) is asked
    assert "t-1" not in str(watch.points("freehold.transaction.duration"))


def test_an_unknown_commit_is_an_error(watch: Watch) -> None:
    watch.telemetry(TransactionEnded("web", "primary", "unknown", 0.1, 1, 1, 1))
    watch.telemetry(events.CommitAmbiguous("web", keyed=True))
    watch.telemetry(events.OutcomeResolved("committed", 0.02))
    assert watch.spans[0].status.status_code is trace.StatusCode.ERROR
    assert watch.points("freehold.commit.unknown")[0].attributes["freehold.keyed"] is True
    assert watch.points("freehold.commit.resolved")[0].attributes["freehold.verdict"] == "committed"


def test_a_slow_transaction_tells_its_statements(watch: Watch) -> None:
    watch.telemetry(ROLLED_BACK)
    watch.telemetry(TransactionSlow("web", 0.5, ("SELECT 1", "SELECT 2")))
    first, slow = watch.spans
    assert slow.parent is not None
    assert slow.parent.span_id == first.context.span_id
    assert [(event.attributes or {})["db.query.text"] for event in slow.events] == ["SELECT 1", "SELECT 2"]


def test_the_rest_is_counted(watch: Watch) -> None:
    watch.telemetry(events.RetryGivenUp("web", 10, "serialization failure"))
    watch.telemetry(events.ReplicaFallback("replica 1", "too old", "behind"))
    watch.telemetry(events.PoolWaited("main", 0.2))
    watch.telemetry(events.DeadlockMet("UPDATE a", "", (), (), ()))
    watch.telemetry(events.PeerLost("127.0.0.1:5432", 1.0, "silent"))
    watch.telemetry(events.ServerStopped("/data"))
    for name in ("transaction.retries_given_up", "replica.fallbacks", "deadlocks", "peer.lost"):
        assert [point.value for point in watch.points(f"freehold.{name}")] == [1]
    (waited,) = watch.points("db.client.connection.wait_time")
    assert (waited.sum, waited.attributes["db.client.connection.pool.name"]) == (0.2, "main")
    duration = Watch()
    duration.telemetry(SECOND)
    (point,) = duration.points("freehold.transaction.duration")
    assert (point.count, point.sum, point.explicit_bounds[0]) == (1, 0.25, 0.001)
