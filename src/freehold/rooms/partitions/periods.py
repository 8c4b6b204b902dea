"""Periods of time that rows are kept in, in UTC whatever the session's time zone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

Step = Callable[[datetime, int], datetime]


def _month(moment: datetime, steps: int) -> datetime:
    months = moment.year * 12 + moment.month - 1 + steps
    return moment.replace(year=months // 12, month=months % 12 + 1)


@dataclass(frozen=True)
class Every:
    """A kind of period: where that of a moment begins, the one some steps later, and how its beginning is written."""

    begin: Callable[[datetime], datetime]
    step: Step
    pattern: str

    def containing(self, moment: datetime) -> datetime:
        """The beginning of the period of a moment."""
        return self.begin(moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0))

    def name(self, begin: datetime) -> str:
        """What a partition's name ends in."""
        return begin.strftime(self.pattern)

    def between(self, first: datetime, last: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Beginning and end of every period from that of ``first`` to that of ``last``."""
        begin = self.containing(first)
        while begin <= last:
            end = self.step(begin, 1)
            yield begin, end
            begin = end


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0)


KINDS: Mapping[str, Every] = {
    "hour": Every(lambda m: m, lambda m, n: m + timedelta(hours=n), "p%Y_%m_%d_%H"),
    "day": Every(_midnight, lambda m, n: m + timedelta(days=n), "p%Y_%m_%d"),
    "week": Every(lambda m: _midnight(m) - timedelta(days=m.weekday()), lambda m, n: m + timedelta(weeks=n), "p%Gw%V"),
    "month": Every(lambda m: _midnight(m).replace(day=1), _month, "p%Y_%m"),
    "year": Every(lambda m: _midnight(m).replace(day=1, month=1), lambda m, n: m.replace(year=m.year + n), "p%Y"),
}
"""A week is one of ISO 8601: it begins on Monday."""
