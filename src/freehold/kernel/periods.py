"""Tables that are cut by time: their periods in UTC whatever the session's time zone, and a partition for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal

from freehold.kernel.declare import seconds_of
from freehold.kernel.names import ddl, literal, shortened
from freehold.kernel.objects import Table

Period = Literal["hour", "day", "week", "month", "year"]
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


def now() -> datetime:
    """The machine's clock, in UTC."""
    return datetime.now(UTC)


def partition_name(table: str, suffix: str) -> str:
    """What a partition is called."""
    return f"{shortened(table, 45 - len(suffix) - 1)}_{suffix}"


@dataclass(frozen=True)
class Cut:
    """How a table is cut by time.

    Parameters
    ----------
    table
        ``(schema, table)``.
    type
        The SQL type of the column that decides: a date, or a timestamp with or without time zone.
    every, ahead
        The period of one partition, and how many after the present one are there.
    keep, since
        How long a period is kept after its end, and the first day of which rows are kept; one of them is given.
    export
        The folder that a period is written to before it is dropped.
    clock
        Tells the present time.
    """

    table: tuple[str, str]
    type: str
    every: Period
    ahead: int = 3
    keep: str | None = None
    since: date | None = None
    export: str | Path | None = None
    clock: Callable[[], datetime] = field(default=now, compare=False, repr=False)

    @property
    def title(self) -> str:
        """The table's name for sentences."""
        return ".".join(self.table)

    @property
    def period(self) -> Every:
        """The kind of period."""
        return KINDS[self.every]

    @property
    def cutoff(self) -> datetime | None:
        """Periods that ended by then are past their time."""
        return None if self.keep is None else self.clock() - timedelta(seconds=seconds_of(self.keep))

    def periods(self) -> Iterator[tuple[datetime, datetime]]:
        """Beginning and end of every period that has a partition now."""
        first = self.cutoff
        if self.since is not None:
            begun = datetime(self.since.year, self.since.month, self.since.day, tzinfo=UTC)
            first = begun if first is None else max(first, begun)
        assert first is not None
        present = self.period.containing(self.clock())
        return self.period.between(min(first, present), self.period.step(present, self.ahead))

    def partitions(self, base: Table) -> Iterator[Table]:
        """A table for each period, guarded like the others; the application reaches it by the whole alone."""
        for begin, end in self.periods():
            bound = ddl("FOR VALUES FROM ({}) TO ({})", *(literal(self.written(moment)) for moment in (begin, end)))
            yield partition(base, self.period.name(begin), bound, f"the {self.every} from {begin:%Y-%m-%d %H:%M}Z")

    def written(self, moment: datetime) -> str:
        """A bound as the column's type reads it, the same under every time zone."""
        if self.type == "date":
            return f"{moment:%Y-%m-%d}"
        return f"{moment:%Y-%m-%d %H:%M:%S}{'+00' if self.type.endswith('with time zone') else ''}"


def partition(base: Table, suffix: str, bound: str, reason: str) -> Table:
    """One partition of a table."""
    return Table(
        schema=base.schema,
        table=partition_name(base.table, suffix),
        parent=base.sql,
        bound=bound,
        options=base.options,
        persistence=base.persistence,
        facts=replace(base.facts, application=frozenset()),
        after=(base.key,),
        reason=reason,
    )
