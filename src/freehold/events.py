"""The closed list of what can happen; log, metrics, command line and console only render it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServerStarted:
    """A server that Freehold owns accepts connections."""

    version: str
    port: int
    data_directory: str


@dataclass(frozen=True, slots=True)
class ServerStopped:
    """A server that Freehold owns has shut down."""

    data_directory: str


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step of a plan begins; ``number`` counts from 1 to ``total``."""

    number: int
    total: int
    title: str


@dataclass(frozen=True, slots=True)
class StepApplied:
    """A step of a plan is committed and journaled."""

    number: int
    total: int
    title: str
    seconds: float


@dataclass(frozen=True, slots=True)
class LockRetried:
    """A step did not get its lock within ``lock_timeout`` and waits before the next try."""

    title: str
    attempt: int
    wait_seconds: float


@dataclass(frozen=True, slots=True)
class ProbeJudged:
    """A probe has a verdict: ``held``, ``broken`` or ``not run``."""

    number: int
    total: int
    room: str
    promise: str
    verdict: str


@dataclass(frozen=True, slots=True)
class DrillPhase:
    """A drill enters a phase, such as ``base backup`` or ``replay``."""

    drill: str
    phase: str


@dataclass(frozen=True, slots=True)
class Progress:
    """Long work advances: ``done`` of ``total`` units of ``what``."""

    what: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class ReportRefreshed:
    """A report holds what was committed before ``as_of`` (ISO 8601)."""

    report: str
    as_of: str
    seconds: float


Event = (
    ServerStarted
    | ServerStopped
    | StepStarted
    | StepApplied
    | LockRetried
    | ProbeJudged
    | DrillPhase
    | Progress
    | ReportRefreshed
)

Listener = Callable[[Event], None]


def ignore(event: Event) -> None:
    """The listener that nobody asked for."""
