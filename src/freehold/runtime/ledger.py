"""When the primary had reached which place in its log: what proves how stale a replica can be at most."""

from __future__ import annotations

from bisect import bisect_left
from threading import Lock

from freehold.runtime.position import Position

SPACING = 0.05
"""Seconds between samples that are kept; commits give more than are needed."""
KEPT = 1024
SHARE = 1 / 32
"""Of its age: how far an old sample may be from the next one; so much sharper a bound can be than it was asked for."""


class Ledger:
    """Samples of the primary's position, each with a time not later than the moment at which it was read.

    A replica at or beyond a sample has everything that was committed before the sample's time, so it is stale by the
    sample's age at most. Times are those of the process's own monotonic clock.
    """

    def __init__(self) -> None:
        self._samples: list[tuple[float, Position]] = []
        self._lock = Lock()

    def note(self, position: Position, time: float, *, asked: bool = False) -> None:
        """Add a sample.

        Parameters
        ----------
        time
            When the question was sent, or before.
        asked
            It was asked for, so that it is kept, and what it contradicts is forgotten.
        """
        with self._lock:
            if self._samples:
                last, known = self._samples[-1]
                other = known.system_identifier != position.system_identifier
                if (other and not asked) or (not other and position.timeline < known.timeline):
                    return
                if other or position.timeline > known.timeline:
                    self._samples.clear()
                elif time < last + (0.0 if asked else SPACING):
                    return
            self._samples.append((time, position))
            if len(self._samples) > KEPT:
                # Less than KEPT, so that it is not done at every sample; three days at least are left.
                self._samples = _thinned(self._samples)[-KEPT * 3 // 4 :]

    def newest(self) -> tuple[float, Position] | None:
        """The latest sample with its time."""
        with self._lock:
            return self._samples[-1] if self._samples else None

    def floor(self, now: float, max_staleness: float) -> Position | None:
        """The earliest sample that proves a replica at it to be no staler than this; None where none does."""
        with self._lock:
            found = bisect_left(self._samples, now - max_staleness, key=lambda sample: sample[0])
            return self._samples[found][1] if found < len(self._samples) else None


def _thinned(samples: list[tuple[float, Position]]) -> list[tuple[float, Position]]:
    """The samples without those whose neighbours are near enough for their age."""
    newest = samples[-1][0]
    kept = [samples[-1]]
    for index in range(len(samples) - 2, 0, -1):
        older = samples[index - 1][0]
        if kept[-1][0] - older > (newest - samples[index][0]) * SHARE:
            kept.append(samples[index])
    return [samples[0], *reversed(kept)]
