"""What the runtime tells, for those who watch it: events as structured logs, spans and metrics."""

from freehold.telemetry.listeners import several
from freehold.telemetry.logs import EventLog, JsonLines

__all__ = ["EventLog", "JsonLines", "several"]
