"""One row holds at a time: whoever writes, whatever is set from when until when, and what was believed of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Barrier
from typing import Any
from uuid import uuid4

import hypothesis.strategies as st
import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from sqlalchemy.dialects.postgresql import DATERANGE, INT4RANGE, Range

from freehold import ValidTime, as_of, set_between, set_from, valid_at
from freehold.errors import CheckViolated, DeclarationError, ExclusionViolated, InputError
from freehold.operations import plan_layer
from freehold.rooms.valid_time.runtime import Settled

from .conftest import Built
from .layer import ONE, TWO, Price, Rota

DAY = timedelta(days=1)
NEW_YEAR = date(2026, 1, 1)


def amounts(built: Built, product: int = 7, tenant: Any = ONE) -> list[tuple[str, int]]:
    """Every period with its amount."""
    found = built.connection.execute(
        "SELECT valid_during::text, amount FROM shop.price WHERE tenant_id = %s AND product = %s ORDER BY valid_during",
        (tenant, product),
    )
    return found.fetchall()


def test_a_second_plan_has_nothing_to_do(built: Built) -> None:
    assert plan_layer(built.connection, built.layer.declared).steps == ()


def test_values_follow_each_other(built: Built) -> None:
    with built.db.transaction(tenant=ONE, actor="ann") as session:
        assert set_from(session, Price, {"product": 7}, {"amount": 10}, NEW_YEAR) == Settled(0, 0, 0)
        assert set_from(session, Price, {"product": 7}, {"amount": 12}, date(2026, 7, 1)) == Settled(1, 0, 0)
        march = (date(2026, 3, 1), date(2026, 4, 1))
        assert set_between(session, Price, {"product": 7}, {"amount": 8}, *march) == Settled(0, 1, 0)
        now = {
            when: session.scalars(sa.select(Price.amount).where(Price.product == 7, valid_at(Price, when))).all()
            for when in (date(2025, 1, 1), NEW_YEAR, date(2026, 3, 31), date(2026, 4, 1), date(2030, 1, 1))
        }
    assert list(now.values()) == [[], [10], [8], [10], [12]]
    assert amounts(built) == [
        ("[2026-01-01,2026-03-01)", 10),
        ("[2026-03-01,2026-04-01)", 8),
        ("[2026-04-01,2026-07-01)", 10),
        ("[2026-07-01,)", 12),
    ]
    with built.db.transaction(tenant=ONE, actor="ann") as session:
        assert set_between(session, Price, {"product": 7}, {"amount": 1}, None, None) == Settled(0, 0, 4)
    assert amounts(built) == [("(,)", 1)]


def test_what_was_believed_on_monday_was_the_price_on_the_first(built: Built) -> None:
    with built.db.transaction(tenant=ONE, actor="ann") as session:
        set_from(session, Price, {"product": 7}, {"amount": 10}, NEW_YEAR)
    row = built.connection.execute("SELECT clock_timestamp()").fetchone()
    assert row
    monday = row[0]
    with built.db.transaction(tenant=ONE, actor="bo") as session:
        set_from(session, Price, {"product": 7}, {"amount": 11}, NEW_YEAR)
    with built.db.transaction(tenant=ONE, actor="ann") as session:
        past = as_of(Price, monday)
        then = session.scalars(sa.select(past.amount).where(past.product == 7, valid_at(past, NEW_YEAR))).all()
        now = session.scalars(sa.select(Price.amount).where(Price.product == 7, valid_at(Price, NEW_YEAR))).all()
    assert (then, now) == ([10], [11])


def test_tenants_and_keys_are_apart(built: Built) -> None:
    for tenant in (ONE, TWO):
        with built.db.transaction(tenant=tenant, actor="ann") as session:
            for product in (7, 8):
                set_from(session, Price, {"product": product}, {"amount": product}, NEW_YEAR)
    assert [amounts(built, product, tenant) for tenant in (ONE, TWO) for product in (7, 8)] == [
        [("[2026-01-01,)", 7)],
        [("[2026-01-01,)", 8)],
    ] * 2


@pytest.mark.parametrize(
    ("period", "kind"),
    [(Range(date(2026, 5, 1), None), ExclusionViolated), (Range(empty=True), CheckViolated)],
)
def test_a_row_that_does_not_fit_is_refused(built: Built, period: Range[Any], kind: type[Exception]) -> None:
    with built.db.transaction(tenant=ONE, actor="ann") as session:
        set_from(session, Price, {"product": 7}, {"amount": 10}, NEW_YEAR)
    with pytest.raises(kind), built.db.transaction(tenant=ONE, actor="ann") as session:
        session.add(Price(product=7, amount=1, during=period))
    assert amounts(built) == [("[2026-01-01,)", 10)]


def test_raw_sql_is_judged_too(built: Built) -> None:
    insert = "INSERT INTO shop.price VALUES (%s, %s, 7, 1, %s)"
    built.connection.execute(insert, (ONE, uuid4(), "[2026-01-01,)"))
    with pytest.raises(psycopg.errors.ExclusionViolation):
        built.connection.execute(insert, (ONE, uuid4(), "[2027-01-01,2027-01-02)"))
    built.connection.execute(insert, (TWO, uuid4(), "[2026-01-01,)"))


def test_two_at_once_and_one_is_let_in(built: Built) -> None:
    both = Barrier(2)

    def write(amount: int) -> bool:
        try:
            with built.db.transaction(tenant=ONE, actor="ann") as session:
                session.execute(sa.select(Price.id))
                both.wait(30)
                set_from(session, Price, {"product": 7}, {"amount": amount}, NEW_YEAR)
        except ExclusionViolated:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(write, (1, 2)))
    assert any(done)
    assert len([1 for _, _ in amounts(built)]) == 1


def test_times_with_zones(built: Built) -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    with built.db.transaction(tenant=ONE, actor="ann") as session:
        set_between(session, Rota, {"name": "ann"}, {}, noon, noon + timedelta(hours=4))
        assert session.scalars(sa.select(Rota.name).where(valid_at(Rota, noon))).all() == ["ann"]
        assert session.scalars(sa.select(Rota.name).where(valid_at(Rota, noon + timedelta(hours=4)))).all() == []


@pytest.mark.parametrize(
    ("entity", "begin", "end"),
    [
        (Price, datetime(2026, 1, 1, tzinfo=UTC), None),
        (Rota, NEW_YEAR, None),
        (Rota, datetime(2026, 1, 1), None),  # noqa: DTZ001 - that it has no zone is the mistake
        (Price, NEW_YEAR, NEW_YEAR),
        (Price, NEW_YEAR, NEW_YEAR - DAY),
    ],
)
def test_moments_that_do_not_fit(built: Built, entity: Any, begin: Any, end: Any) -> None:
    with built.db.transaction(tenant=ONE, actor="ann") as session, pytest.raises(InputError) as refused:
        set_between(session, entity, {"product": 7}, {"amount": 1}, begin, end)
    assert refused.value.hint


def _table(*columns: sa.Column[Any]) -> sa.Table:
    return sa.Table("t", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), *columns)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: ValidTime(Price, key=()),
        lambda: ValidTime(Price, key=("valid_during",)),
        lambda: ValidTime(_table(sa.Column("valid_during", DATERANGE)), key=("id",)),
        lambda: ValidTime(_table(sa.Column("valid_during", INT4RANGE, nullable=False)), key=("id",)),
        lambda: ValidTime(_table(), key=("id",)),
        lambda: valid_at(_mapped_without_period(), NEW_YEAR),
    ],
)
def test_declarations_that_make_no_sense(wrong: Any) -> None:
    with pytest.raises(DeclarationError) as refused:
        wrong()
    assert refused.value.hint


def _mapped_without_period() -> Any:
    kind = type("Bare", (), {})
    sa.orm.registry().map_imperatively(kind, _table())
    return kind


ENDS = st.one_of(st.none(), st.integers(0, 12))
CHANGES = st.lists(st.tuples(ENDS, ENDS, st.integers(1, 5)), min_size=1, max_size=8)


def test_every_day_has_the_value_that_was_set_last(built: Built) -> None:
    """Against a model: a dictionary from day to amount."""

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(CHANGES)
    def check(changes: list[tuple[int | None, int | None, int]]) -> None:
        built.connection.execute("TRUNCATE shop.price")
        model: dict[int, int] = {}
        for begin, end, amount in changes:
            if begin is not None and end is not None and begin >= end:
                continue
            low, high = (None if each is None else NEW_YEAR + each * DAY for each in (begin, end))
            with built.db.transaction(tenant=ONE, actor="ann") as session:
                set_between(session, Price, {"product": 7}, {"amount": amount}, low, high)
            model |= dict.fromkeys(range(-2 if begin is None else begin, 15 if end is None else end), amount)
        with built.db.transaction(tenant=ONE, actor="ann") as session:
            found = {
                day: amount
                for day in range(-2, 15)
                for amount in session.scalars(sa.select(Price.amount).where(valid_at(Price, NEW_YEAR + day * DAY)))
            }
        assert found == model

    check()
