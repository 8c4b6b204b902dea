"""Rules hold when several transactions write at once, at every isolation level."""

from __future__ import annotations

import itertools
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa

from freehold import Database, Retry, Session, Workload
from freehold.errors import FreeholdError, LimitReached, OutOfBalance
from freehold.runtime.workload import ISOLATIONS, Isolation
from freehold.testing.layers import LayerDatabase

from .layer import Line, Member

WORKLOADS = tuple(Workload(level.replace(" ", "_"), isolation=level, retry=Retry(attempts=30)) for level in ISOLATIONS)
WAIT = 20.0


@pytest.fixture
def several(freehold_database: LayerDatabase) -> Database:
    return freehold_database.connect(pool_size=12, workloads=WORKLOADS)


def name_of(level: Isolation) -> str:
    return level.replace(" ", "_")


@pytest.mark.parametrize("levels", [*((level,) for level in ISOLATIONS), ISOLATIONS], ids=", ".join)
def test_the_last_seat_goes_to_one(several: Database, who: dict[str, Any], levels: tuple[Isolation, ...]) -> None:
    gate = Barrier(8)

    def join(number: int) -> str:
        def work(session: Session) -> None:
            session.execute(sa.select(sa.func.count()).select_from(Member))
            session.add(Member(id=number))

        level = levels[number % len(levels)]
        gate.wait(WAIT)
        try:
            several.run(work, workload=name_of(level), **who)
        except LimitReached:
            return "full"
        return "in"

    with ThreadPoolExecutor(8) as pool:
        assert Counter(pool.map(join, range(8))) == {"in": 3, "full": 5}
    with several.core(**who) as tx:
        assert tx.execute(sa.select(sa.func.count()).select_from(Member)).scalar_one() == 3


def _line(number: int, amount: int) -> Line:
    return Line(id=number, booking_id=1, currency="EUR", amount=amount)


@pytest.mark.parametrize("first", ISOLATIONS)
@pytest.mark.parametrize("second", ISOLATIONS)
def test_two_halves_of_a_balance_are_refused_in_either_order(
    several: Database, who: dict[str, Any], first: Isolation, second: Isolation
) -> None:
    """Each would balance what the other has not committed yet."""
    halves = ((first, _line(1, 5)), (second, _line(2, -5)))
    gate = Barrier(2)

    def work(half: tuple[Isolation, Line]) -> bool:
        level, row = half
        try:
            with several.transaction(workload=name_of(level), **who) as session:
                session.add(row)
                session.flush()
                gate.wait(WAIT)
        except OutOfBalance:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(work, halves)) == [False, False]


@pytest.mark.parametrize("first", ISOLATIONS)
@pytest.mark.parametrize("second", ISOLATIONS)
def test_what_was_out_of_balance_is_made_good_once(
    several: Database, freehold_database: LayerDatabase, who: dict[str, Any], first: Isolation, second: Isolation
) -> None:
    with freehold_database.admin() as admin:
        admin.execute("SET session_replication_role = 'replica'")
        admin.execute(
            "INSERT INTO shop.line (tenant_id, id, booking_id, currency, amount) VALUES (%s, 1, 1, 'EUR', 5)",
            (who["tenant"],),
        )
    gate = Barrier(2)

    def work(number: int) -> bool:
        def mend(session: Session) -> None:
            session.add(_line(2 + number, -5))
            session.flush()
            if waiting:
                waiting.pop()
                gate.wait(WAIT)

        waiting = [True]
        try:
            several.run(mend, workload=name_of((first, second)[number]), **who)
        except OutOfBalance:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(work, range(2))) == [False, True]
    with several.core(**who) as tx:
        assert tx.execute(sa.select(sa.func.sum(Line.amount))).scalar_one() == 0


@pytest.mark.parametrize("level", ISOLATIONS)
def test_the_books_balance_whoever_changes_the_same_lines(
    several: Database, who: dict[str, Any], level: Isolation
) -> None:
    with several.transaction(**who) as session:
        session.add_all([_line(1, 0), _line(2, 0)])
    turns = itertools.count(3)

    def work(session: Session) -> None:
        for row, sign in ((1, 1), (2, -1)):
            session.execute(sa.update(Line).where(Line.id == row).values(amount=Line.amount + sign))
        number = next(turns) * 2
        session.add_all([_line(number, 7), _line(number + 1, -7)])

    def change(_: int) -> bool:
        try:
            several.run(work, workload=name_of(level), **who)
        except FreeholdError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        done = sum(pool.map(change, range(24)))
    assert done
    with several.transaction(**who) as session:
        total, first = session.execute(
            sa.select(sa.func.sum(Line.amount), sa.func.max(sa.case((Line.id == 1, Line.amount))))
        ).one()
    assert (total, first) == (0, done)
