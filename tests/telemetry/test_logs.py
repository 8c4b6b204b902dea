"""Every event is one record, and one line of JSON that a machine can read."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from dataclasses import fields
from typing import Any, get_args

import pytest

from freehold import events
from freehold.events import Event, RetryGivenUp, TransactionEnded, TransactionSlow, VersionAdvisory
from freehold.runtime.scope import acting
from freehold.runtime.unit import NOT_DURABLE
from freehold.telemetry import EventLog, JsonLines, several
from freehold.telemetry.logs import LEVELS, level_of

SAMPLES = {"str": "text", "int": 3, "float": 0.5, "bool": True, "tuple[str, ...]": ("one", "two")}
ENDED = TransactionEnded("web", "primary", "committed", 0.25, 1, 3, 2, tenant="t-1")


def sample(kind: type[Any]) -> Any:
    """An event of the kind with something in each field."""
    return kind(**{field.name: SAMPLES[str(field.type)] for field in fields(kind)})


@pytest.fixture
def lines() -> Iterator[tuple[EventLog, io.StringIO]]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("freehold.test")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(handler)
    yield EventLog(logger), stream
    logger.removeHandler(handler)


@pytest.mark.parametrize("kind", get_args(Event), ids=lambda kind: str(kind.__name__))
def test_each_event_is_one_line(lines: tuple[EventLog, io.StringIO], kind: type[Any]) -> None:
    log, stream = lines
    event = sample(kind)
    log(event)
    (text,) = stream.getvalue().splitlines()
    line = json.loads(text)
    assert line["event"] == kind.__name__
    for field in fields(kind):
        if field.name != "tenant":
            assert line[field.name] in (getattr(event, field.name), ["one", "two"])
    assert line["level"] == logging.getLevelName(level_of(event)).lower()


def test_every_level_is_of_an_event() -> None:
    assert set(LEVELS) <= set(get_args(Event))
    assert level_of(RetryGivenUp("web", 10, "deadlock")) == logging.ERROR
    advisory = VersionAdvisory("server", "18.6", "CVE", "high", "tenancy", "leaks", "18.7", accepted=True)
    assert level_of(advisory) == logging.INFO


@pytest.mark.parametrize(
    ("event", "level"),
    [
        (events.MessageDead(1, "invoice.paid", 9, "refused"), logging.ERROR),
        (events.MessageFailed(1, "invoice.paid", 1, "503", 2.0), logging.WARNING),
        (events.RelayDisconnected("gone", 1.0), logging.WARNING),
        (TransactionEnded("web", "primary", NOT_DURABLE, 0.1, 1, 1, 1), logging.WARNING),
        (ENDED, logging.DEBUG),
    ],
)
def test_what_somebody_should_look_at_is_no_mere_information(event: Event, level: int) -> None:
    assert level_of(event) == level


def test_the_request_is_named_and_the_tenant_only_where_asked(lines: tuple[EventLog, io.StringIO]) -> None:
    log, stream = lines
    with acting(tenant="t-1", actor="ana", request_id="r-7"):
        log(ENDED)
        record = logging.makeLogRecord({"msg": "by hand %s", "args": (1,), "levelname": "INFO"})
        asked = json.loads(JsonLines(tenant=True).format(record))
    line = json.loads(stream.getvalue())
    assert (line["request_id"], line["actor"]) == ("r-7", "ana")
    assert "t-1" not in stream.getvalue()
    assert (asked["message"], asked["tenant"]) == ("by hand 1", "t-1")


def test_a_level_that_is_off_costs_no_record(caplog: pytest.LogCaptureFixture) -> None:
    log = EventLog("freehold.quiet")
    with caplog.at_level(logging.WARNING, logger="freehold.quiet"):
        several(log, log)(ENDED)
        log(TransactionSlow("web", 2.0, ("SELECT 1",)))
    (record,) = caplog.records
    assert record.getMessage() == "Transaction slow: workload web, seconds 2.0, statements ('SELECT 1',)"


def test_an_exception_is_told() -> None:
    try:
        raise ValueError("no")
    except ValueError:
        record = logging.getLogger("x").makeRecord("x", logging.ERROR, "", 1, "bad", (), sys.exc_info())
    assert "ValueError: no" in json.loads(JsonLines().format(record))["exception"]


def test_the_list_of_events_is_closed() -> None:
    assert {kind.__module__ for kind in get_args(Event)} == {events.__name__}
