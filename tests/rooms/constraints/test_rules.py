"""What each rule lets in, and what it refuses, for the ORM and for raw SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, LiteralString

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql

from freehold import Database, Session
from freehold.errors import ExclusionViolated, LimitReached, OutOfBalance, PrivilegeMissing, TransitionRefused
from freehold.testing.layers import LayerDatabase

from .layer import Booking, Company, Line, Member, Order, Player, Team

VERBS: tuple[LiteralString, ...] = ("SELECT FROM", "DELETE FROM", "TRUNCATE")


def booking(number: int, room: int, first: int, last: int, *, cancelled: bool = False) -> Booking:
    days = {"begins": date(2026, 1, first), "ends": date(2026, 1, last)}
    return Booking(id=number, room_id=room, cancelled=cancelled, **days)


def add(db: Database, who: dict[str, Any], *rows: object) -> None:
    with db.transaction(**who) as session:
        session.add_all(rows)


def test_bookings_that_do_not_overlap(db: Database, who: dict[str, Any]) -> None:
    add(db, who, booking(1, 7, 1, 5), booking(2, 7, 5, 9), booking(3, 8, 1, 9), booking(4, 7, 1, 9, cancelled=True))
    with pytest.raises(ExclusionViolated):
        add(db, who, booking(5, 7, 4, 6))


def test_another_tenants_booking_is_no_conflict(db: Database, who: dict[str, Any], other_tenant: Any) -> None:
    add(db, who, booking(1, 7, 1, 5))
    add(db, {**who, "tenant": other_tenant}, booking(1, 7, 1, 5))


def test_a_range_column_of_a_shared_table(freehold_database: LayerDatabase) -> None:
    with freehold_database.admin() as admin:
        admin.execute("INSERT INTO shop.shelf VALUES (1, '[1,5)'), (2, '[5,9)')")
        with pytest.raises(psycopg.errors.ExclusionViolation):
            admin.execute("INSERT INTO shop.shelf VALUES (3, '[8,10)')")


@pytest.mark.parametrize("way", [("draft", "placed", "paid"), ("quote", "void"), ("draft", "draft", "placed")])
def test_a_status_goes_where_it_may(db: Database, who: dict[str, Any], way: Sequence[str]) -> None:
    add(db, who, Order(id=1, status=way[0]))
    for status in way[1:]:
        with db.core(**who) as tx:
            tx.execute(sa.update(Order).values(status=status))


@pytest.mark.parametrize(
    ("way", "told"),
    [
        (("placed",), "begins as placed"),
        (("draft", "paid"), "from draft to paid"),
        (("draft", "placed", "draft"), "from placed to draft"),
        (("quote", "void", "quote"), "from void to quote"),
        (("draft", "o'clock"), "from draft to another status"),
    ],
)
def test_a_status_does_not_go_elsewhere(db: Database, who: dict[str, Any], way: Sequence[str], told: str) -> None:
    def walk(session: Session) -> None:
        order = Order(id=1, status=way[0])
        session.add(order)
        for status in way[1:]:
            session.flush()
            order.status = status

    with pytest.raises(TransitionRefused) as caught:
        db.run(walk, **who)
    assert told in caught.value.detail
    assert (caught.value.table, caught.value.constraint) == ("shop.order", "order_status_states")
    assert "o'clock" not in str(caught.value)


def line(number: int, amount: int, booking_id: int = 1, currency: str = "EUR") -> Line:
    return Line(id=number, booking_id=booking_id, currency=currency, amount=amount)


def test_lines_that_balance(db: Database, who: dict[str, Any]) -> None:
    with db.transaction(**who) as session:
        for number, amount in enumerate((7, -3, -4)):
            session.add(line(number, amount))
            session.flush()
        session.add_all([line(4, 5, currency="USD"), line(5, -5, currency="USD")])
    with db.transaction(**who) as session:
        session.execute(sa.update(Line).where(Line.currency == "EUR").values(amount=Line.amount * 2))
        session.execute(sa.update(Line).where(Line.id == 4).values(booking_id=2))
        session.execute(sa.update(Line).where(Line.id == 5).values(booking_id=2))
    with db.transaction(**who) as session:
        session.execute(sa.delete(Line))


@pytest.mark.parametrize(
    "change",
    [
        sa.insert(Line).values(tenant_id=sa.func.freehold.tenant_v1(), id=9, booking_id=1, currency="EUR", amount=1),
        sa.update(Line).where(Line.id == 1).values(amount=8),
        sa.update(Line).where(Line.id == 1).values(currency="USD"),
        sa.update(Line).where(Line.id == 1).values(booking_id=2),
        sa.delete(Line).where(Line.id == 1),
    ],
    ids=["insert", "amount", "currency", "booking", "delete"],
)
def test_lines_out_of_balance_are_not_committed(db: Database, who: dict[str, Any], change: Any) -> None:
    add(db, who, line(1, 7), line(2, -7))
    with pytest.raises(OutOfBalance), db.transaction(**who) as session:
        session.execute(change)
    with db.core(**who) as tx:
        assert tx.execute(sa.select(sa.func.sum(Line.amount))).scalar_one() == 0


def test_what_a_savepoint_undoes_is_not_missed(db: Database, who: dict[str, Any]) -> None:
    with db.transaction(**who) as session:
        session.add(line(1, 7))
        session.flush()
        with pytest.raises(ZeroDivisionError), session.begin_nested():
            session.add(line(2, -6))
            session.flush()
            raise ZeroDivisionError
        session.add(line(3, -7))


def member(number: int, *, left: bool = False) -> Member:
    return Member(id=number, left=left)


def test_as_many_members_as_there_are_seats(db: Database, who: dict[str, Any]) -> None:
    add(db, who, member(1), member(2), member(3), member(4, left=True))
    with pytest.raises(LimitReached):
        add(db, who, member(5))
    with pytest.raises(LimitReached), db.core(**who) as tx:
        tx.execute(sa.update(Member).where(Member.id == 4).values(left=False))
    with db.core(**who) as tx:
        tx.execute(sa.update(Member).where(Member.id == 1).values(left=True))
        tx.execute(sa.update(Member).where(Member.id == 4).values(left=False))


def test_a_limit_is_not_lowered_below_what_is_there(db: Database, who: dict[str, Any]) -> None:
    add(db, who, member(1), member(2))
    with pytest.raises(LimitReached), db.core(**who) as tx:
        tx.execute(sa.update(Company).values(seats=1))
    with db.core(**who) as tx:
        tx.execute(sa.update(Company).values(seats=2))
        tx.execute(sa.update(Company).values(seats=None))
    add(db, who, *(member(number) for number in range(3, 20)))


def test_a_number_limits_every_parent_alike(db: Database, who: dict[str, Any]) -> None:
    add(db, who, Team(id=1), Team(id=2))
    add(db, who, *(Player(id=number, team_id=1 + number % 2) for number in range(4)), Player(id=9))
    for refused in (Player(id=10, team_id=1), Player(id=11, team_id=2)):
        with pytest.raises(LimitReached):
            add(db, who, refused)
    with pytest.raises(LimitReached), db.core(**who) as tx:
        tx.execute(sa.update(Player).where(Player.id == 9).values(team_id=1))


@pytest.mark.parametrize("table", ["line_amount_balance_due", "member_company_limit_guard"])
@pytest.mark.parametrize("verb", VERBS)
def test_the_application_does_not_reach_what_the_rules_keep(
    db: Database, who: dict[str, Any], table: str, verb: LiteralString
) -> None:
    statement = sql.SQL("{} {}").format(sql.SQL(verb), sql.Identifier("shop", table))
    with pytest.raises(PrivilegeMissing), db.transaction(**who) as session:
        session.psycopg().execute(statement)
