"""Periods under every calendar, and declarations that are refused where they are written."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from freehold import Partitioned
from freehold.errors import DeclarationError
from freehold.kernel.periods import KINDS, partition_name

from .layer import Clock, Event, Item, events

moments = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(st.sampled_from(sorted(KINDS)), moments, st.integers(0, 40))
def test_periods_follow_each_other_without_gap_or_overlap(kind: str, first: datetime, steps: int) -> None:
    every = KINDS[kind]
    last = every.step(every.containing(first), steps)
    found = list(every.between(first, last))
    assert len(found) == steps + 1
    assert found[0][0] <= first < found[0][1]
    assert all(end == begin for (_, end), (begin, _) in pairwise(found))
    assert len({every.name(begin) for begin, _ in found}) == len(found)


@given(st.sampled_from(sorted(KINDS)), moments, st.integers(-14, 14))
def test_a_period_is_the_same_in_every_zone(kind: str, moment: datetime, hours: int) -> None:
    elsewhere = moment.astimezone(timezone(timedelta(hours=hours)))
    assert KINDS[kind].containing(elsewhere) == KINDS[kind].containing(moment)


def test_names() -> None:
    begin = datetime(2026, 12, 28, 13, tzinfo=UTC)
    names = {kind: every.name(every.containing(begin)) for kind, every in KINDS.items()}
    assert names == {
        "hour": "p2026_12_28_13",
        "day": "p2026_12_28",
        "week": "p2026w53",
        "month": "p2026_12",
        "year": "p2026",
    }
    assert len(partition_name("a_table_with_a_very_long_name_that_leaves_no_room", names["hour"])) <= 45


def _table(*items: Any, by: str = "RANGE (at)") -> sa.Table:
    columns = (sa.Column("id", sa.Integer, primary_key=True), sa.Column("at", sa.DateTime(), primary_key=True))
    return sa.Table("log", sa.MetaData(), *columns, *items, postgresql_partition_by=by)


@pytest.mark.parametrize(
    ("table", "options", "told"),
    [
        (sa.Table("log", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True)), {"every": "day"}, "RANGE"),
        (_table(by="LIST (id)"), {"every": "day"}, "RANGE or HASH"),
        (_table(by="RANGE (gone)"), {"every": "day"}, "no column"),
        (_table(by="RANGE (id)"), {"every": "day", "keep": "1 year"}, "no date or time"),
        (_table(), {"every": "fortnight", "keep": "1 year"}, "how it is cut"),
        (_table(), {"every": "day", "keep": "1 year", "ahead": 0}, "how it is cut"),
        (_table(), {"every": "day"}, "where it begins"),
        (_table(), {"every": "day", "since": date(2026, 1, 1), "export": "/x"}, "never past its time"),
        (_table(), {"every": "hour", "keep": "1 year"}, "partitions"),
        (_table(), {"every": "day", "keep": "soon"}, "not a duration"),
        (_table(sa.UniqueConstraint("id")), {"every": "day", "keep": "1 year"}, "unique key over id without at"),
        (_table(sa.Index("ix", "id", unique=True)), {"every": "day", "keep": "1 year"}, "unique key over id"),
        (_table(by="HASH (id)"), {}, "knows no time"),
        (_table(by="HASH (id)"), {"parts": 4, "keep": "1 day"}, "knows no time"),
    ],
)
def test_refused_where_it_is_written(table: sa.Table, options: dict[str, Any], told: str) -> None:
    with pytest.raises(DeclarationError) as refused:
        Partitioned(table, **options)
    assert told in str(refused.value)
    assert refused.value.hint


def test_the_first_day_bounds_what_is_kept() -> None:
    clock = Clock()
    assert len(list(events(clock).cut.periods())) == 3 + 1 + 2
    assert len(list(events(clock, since=date(2026, 3, 30)).cut.periods())) == 1 + 1 + 2
    assert len(list(events(clock, keep=None, since=date(2026, 4, 9)).cut.periods())) == 1 + 2, "never less than now"
    assert Partitioned(Item, parts=4).method == "HASH"
    assert events(clock).column == Event.at.name
