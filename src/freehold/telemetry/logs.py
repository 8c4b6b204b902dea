"""Events as records of the standard library's logging, and records as lines of JSON."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from freehold import events
from freehold.events import Event
from freehold.runtime.scope import current

FIELDS = "freehold"
"""The attribute of a log record that holds an event's fields."""
EVENT = "freehold_event"

LEVELS: Mapping[type[Any], int] = {
    events.LockRetried: logging.WARNING,
    events.TransactionEnded: logging.DEBUG,
    events.TransactionSlow: logging.WARNING,
    events.RetryScheduled: logging.INFO,
    events.RetryGivenUp: logging.ERROR,
    events.CommitAmbiguous: logging.WARNING,
    events.OutcomeResolved: logging.INFO,
    events.ReplicaFallback: logging.INFO,
    events.PoolWaited: logging.DEBUG,
    events.VersionAdvisory: logging.WARNING,
    events.DeadlockMet: logging.WARNING,
    events.PeerLost: logging.ERROR,
    events.MessageFailed: logging.WARNING,
    events.MessageDead: logging.ERROR,
    events.RelayDisconnected: logging.WARNING,
    events.Progress: logging.DEBUG,
    events.PartitionRetired: logging.INFO,
    events.StepStarted: logging.DEBUG,
}
"""Events that are not here are told as INFO."""
DOUBTFUL = frozenset({"unknown", "committed, not durable"})
"""Outcomes of a transaction that somebody should look at."""
_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


class EventLog:
    """A listener that logs every event, one record each.

    >>> db = layer.connect(url, listener=EventLog())  # doctest: +SKIP

    Parameters
    ----------
    logger
        Where to; the event's fields are the record's attribute ``freehold``.
    """

    def __init__(self, logger: logging.Logger | str = "freehold") -> None:
        self._logger = logging.getLogger(logger) if isinstance(logger, str) else logger

    def __call__(self, event: Event) -> None:
        """Log it."""
        level = level_of(event)
        if self._logger.isEnabledFor(level):
            fields = asdict(event)
            self._logger.log(level, "%s", _sentence(event, fields), extra={FIELDS: fields, EVENT: type(event).__name__})


def level_of(event: Event) -> int:
    """The level of an event; what was accepted, and a probe that did not hold, have another than their kind."""
    if isinstance(event, events.VersionAdvisory) and event.accepted:
        return logging.INFO
    if isinstance(event, events.ProbeJudged) and event.verdict != "held":
        return logging.WARNING
    if isinstance(event, events.TransactionEnded) and event.outcome in DOUBTFUL:
        return logging.WARNING
    return LEVELS.get(type(event), logging.INFO)


def _sentence(event: Event, fields: Mapping[str, Any]) -> str:
    name = _WORD.sub(" ", type(event).__name__).capitalize()
    return f"{name}: {', '.join(f'{field} {value}' for field, value in fields.items() if value not in ('', ()))}"


class JsonLines(logging.Formatter):
    """One line of JSON a record: time, level, logger, event with its fields, and the request at work.

    It suits any record: one that is no event has its text as ``message``.

    Parameters
    ----------
    tenant
        Whether to name the tenant at work; a log is often read by more people than the rows are.
    """

    def __init__(self, *, tenant: bool = False) -> None:
        super().__init__()
        self._tenant = tenant

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        name = getattr(record, EVENT, "")
        fields = dict(getattr(record, FIELDS, {}))
        if not self._tenant:
            fields.pop("tenant", None)
        line |= {"event": name, **fields} if name else {"message": record.getMessage()}
        line |= {key: value for key, value in self._at_work().items() if value}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)

    def _at_work(self) -> dict[str, str]:
        scope = current()
        tenant = "" if scope.tenant is None or not self._tenant else str(scope.tenant)
        return {"request_id": scope.request_id, "actor": scope.actor, **({"tenant": tenant} if tenant else {})}
