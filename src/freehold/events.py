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
class PartitionRetired:
    """A period of a partitioned table was dropped; ``exported`` says whether its rows are in a file."""

    table: str
    partition: str
    exported: bool


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


@dataclass(frozen=True, slots=True)
class TransactionEnded:
    """A transaction of the runtime ended: ``committed``, ``rolled back``, ``unknown`` or ``committed, not durable``.

    The last ``outcome`` is that of a commit whose wait for a synchronous standby was cut short.
    """

    workload: str
    node: str
    outcome: str
    seconds: float
    attempts: int
    statements: int
    round_trips: int
    tenant: str = ""
    began: float = 0.0
    """By ``time.time()``; 0 where it was not noted."""


@dataclass(frozen=True, slots=True)
class TransactionSlow:
    """A transaction took longer than its workload's ``slow``; the statements hold no values of parameters."""

    workload: str
    seconds: float
    statements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RetryScheduled:
    """Attempt number ``attempt`` failed for ``cause``, and the transaction runs again after a wait."""

    workload: str
    attempt: int
    cause: str
    wait_seconds: float


@dataclass(frozen=True, slots=True)
class RetryGivenUp:
    """Attempt number ``attempt`` failed for ``cause``, and the workload's budget of retries is spent."""

    workload: str
    attempt: int
    cause: str


@dataclass(frozen=True, slots=True)
class CommitAmbiguous:
    """The connection was lost while COMMIT was under way; a ``keyed`` transaction is resolved, others are not."""

    workload: str
    keyed: bool


@dataclass(frozen=True, slots=True)
class OutcomeResolved:
    """An unknown commit has its verdict: ``committed``, ``aborted`` or ``lost``."""

    verdict: str
    seconds: float


@dataclass(frozen=True, slots=True)
class ReplicaFallback:
    """A read that a replica could have served went to the primary; ``reason`` says why, ``kind`` in a word or two."""

    replica: str
    reason: str
    kind: str


@dataclass(frozen=True, slots=True)
class PoolWaited:
    """A transaction waited for a connection of its pool."""

    pool: str
    seconds: float


@dataclass(frozen=True, slots=True)
class VersionAdvisory:
    """A component in use has a known defect that makes a ``promise`` false; ``fixed_in`` is the first good version."""

    component: str
    version: str
    identifier: str
    severity: str
    promise: str
    breaks: str
    fixed_in: str
    accepted: bool = False


@dataclass(frozen=True, slots=True)
class DeadlockMet:
    """Two transactions waited for each other, and this one was ended.

    The statements are the last of either, without values; ``tables`` and ``other_tables`` are in the order in which
    each took them, and ``proposed_order`` is one that both could follow. What is not known is empty.
    """

    statement: str
    other_statement: str
    tables: tuple[str, ...]
    other_tables: tuple[str, ...]
    proposed_order: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PeerLost:
    """A connection was ended because its server, or the way to it, is dead; ``reason`` says how that was seen."""

    peer: str
    waited_seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class MessageDelivered:
    """A message of the outbox was taken by its target, at the ``attempt``-th try."""

    message_id: int
    topic: str
    attempt: int
    seconds: float


@dataclass(frozen=True, slots=True)
class MessageFailed:
    """A message of the outbox was not taken, and is tried again."""

    message_id: int
    topic: str
    attempt: int
    error: str
    wait_seconds: float


@dataclass(frozen=True, slots=True)
class MessageDead:
    """A message of the outbox is a dead letter: it was refused for good, or failed too often."""

    message_id: int
    topic: str
    attempt: int
    error: str


@dataclass(frozen=True, slots=True)
class RelayDisconnected:
    """A relay lost its connection and opens another one after a wait."""

    error: str
    wait_seconds: float


Event = (
    ServerStarted
    | ServerStopped
    | StepStarted
    | StepApplied
    | LockRetried
    | ProbeJudged
    | DrillPhase
    | Progress
    | PartitionRetired
    | ReportRefreshed
    | MessageDelivered
    | MessageFailed
    | MessageDead
    | RelayDisconnected
    | TransactionEnded
    | TransactionSlow
    | RetryScheduled
    | RetryGivenUp
    | CommitAmbiguous
    | OutcomeResolved
    | ReplicaFallback
    | PoolWaited
    | VersionAdvisory
    | DeadlockMet
    | PeerLost
)

Listener = Callable[[Event], None]


def ignore(event: Event) -> None:
    """The listener that nobody asked for."""
