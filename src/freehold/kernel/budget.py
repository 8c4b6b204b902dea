"""How long a write may wait because of a change, and how fast rows are brought along."""

from __future__ import annotations

from dataclasses import dataclass, field

REWRITE_BYTES_PER_SECOND = 40 * 10**6
"""What of a table PostgreSQL writes anew in a second, indexes and log included: a floor, measured on two busy cores."""
BATCHED_BYTES_PER_SECOND = 10 * 10**6
"""What of a table goes in batches in a second beside an application that writes it: a floor, measured likewise."""
SCAN_BYTES_PER_SECOND = 200 * 10**6
"""What of a table it reads in a second to check every row: a floor, measured likewise."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast batches go.

    Parameters
    ----------
    batch_seconds
        How long one batch should take: its rows are locked as long.
    lock_seconds
        How long it waits for one row that somebody else has locked.
    replica_lag_bytes
        Log that the slowest standby may have to replay; above it the backfill pauses.
    wal_bytes_per_second
        Log that the server may write while it runs, everybody's together; None sets no limit.
    """

    batch_seconds: float = 0.1
    lock_seconds: float = 0.5
    replica_lag_bytes: int = 64 * 2**20
    wal_bytes_per_second: int | None = None


@dataclass(frozen=True, slots=True)
class LockBudget:
    """How long a step may keep a write waiting: a declaration, of which a layer has one at most.

    A write waits behind a step that waits for its lock, and while the step holds it: both together are the longest
    that the declaration lets a write wait. The single wait is short and the tries are many (squawk, strong_migrations
    and pgroll take 0.5 to 10 s).

    Parameters
    ----------
    timeout_seconds
        How long a step may wait for a lock; then it lets everybody pass and tries again.
    attempts, longest_pause_seconds
        How often it tries, and how long it pauses between at most.
    hold_seconds
        How long a step may hold, by estimate from the live sizes, a lock that writes wait for. What would take longer
        is done in batches beside the application, or refused.
    pace
        How fast the batches go.
    """

    timeout_seconds: float = 0.5
    attempts: int = 40
    longest_pause_seconds: float = 5.0
    hold_seconds: float = 0.4
    pace: Pace = field(default_factory=Pace)

    @property
    def write_wait_seconds(self) -> float:
        """The longest that a write waits."""
        return self.timeout_seconds + self.hold_seconds

    @property
    def heavy_bytes(self) -> int:
        """The size above which a table is not written anew while writes wait."""
        return int(self.hold_seconds * REWRITE_BYTES_PER_SECOND)
