"""One account's first months, told step by step: ``python -m examples.subscriptions.story`` with DATABASE_URL."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from examples.subscriptions import business
from examples.subscriptions.connect import connect
from examples.subscriptions.models import Base, Discount, Invoice, Member, Subscription

from freehold import Database, changes_of, look_back, timeline, valid_at, versions_of
from freehold.errors import CheckViolated, LimitReached, TransitionRefused

ACCOUNT = UUID("0e5f0000-0000-4000-8000-000000000001")
ANA: dict[str, Any] = {"tenant": ACCOUNT, "actor": "ana"}


def main() -> None:
    """Run it as often as you like: each step has a key, so that each happens once."""
    db = connect()
    try:
        _begin(db)
        invoice = _bill(db)
        _pay(db, invoice)
        _refusals(db, invoice)
        _let_off(db)
        _look_back(db)
    finally:
        db.dispose()


def _begin(db: Database) -> None:
    db.run(business.sign_up, "Ana's bakery", "ana@bakery.example", "free", date(2026, 1, 5), key="sign up", **ANA)
    bo = db.run(business.invite, "bo@bakery.example", ["billing"], date(2026, 1, 6), key="invite bo", **ANA)
    print(f"Bo is member {bo}")
    try:
        db.run(business.invite, "cy@bakery.example", [], date(2026, 1, 7), key="invite cy", **ANA)
    except LimitReached as refused:
        print(f"Cy has to wait: {refused.code}")
    db.run(business.change_plan, "team", date(2026, 1, 10), key="to team", **ANA)
    db.run(_leave_and_return, bo, key="bo leaves and returns", **ANA)
    db.run(business.add_contact, "Ana", "Ana@bakery.example", "+49 30 1234", key="ana's address", **ANA)
    with db.transaction(read_only=True, **ANA) as session:
        print(f"Under ana@BAKERY.example: {business.find_contacts(session, 'ana@BAKERY.example')}")


def _leave_and_return(session: Any, member: UUID) -> None:
    business.remove(session, member)
    print(f"Bo left and came back, {business.bring_back(session, member)} rows")


def _bill(db: Database) -> UUID:
    used = [(datetime(2026, 1, day, tzinfo=UTC), 10_000) for day in range(10, 28)]
    db.run(business.use, used, key="usage of January", **ANA)
    invoice = db.run(business.bill, date(2026, 1, 1), key="bill January", **ANA)
    with db.transaction(read_only=True, **ANA) as session:
        bill = session.get_one(Invoice, (ACCOUNT, invoice))
        print(f"Invoice {bill.number}: {bill.total} {bill.currency}, {bill.status}")
        return bill.id


def _pay(db: Database, invoice: UUID) -> None:
    """The bank tells of one payment twice."""
    for _ in range(2):
        status = db.run(business.pay, invoice, Decimal("81.00"), "transfer 4711", key="transfer 4711", **ANA)
        print(f"Paid: the invoice is {status}")


def _let_off(db: Database) -> None:
    """A discount for spring, which is then made smaller for March: one holds at a time."""
    spring, march = (date(2026, 2, 1), date(2026, 6, 1)), (date(2026, 3, 1), date(2026, 4, 1))
    db.run(business.let_off, "team", Decimal(20), *spring, key="discount in spring", **ANA)
    db.run(business.let_off, "team", Decimal(10), *march, key="discount in March", **ANA)
    with db.transaction(read_only=True, **ANA) as session:
        for day in (date(2026, 2, 14), date(2026, 3, 14), date(2026, 4, 14), date(2026, 6, 14)):
            percent = session.scalar(sa.select(Discount.percent).where(valid_at(Discount, day)))
            print(f"Let off in {day:%B}: {percent or 0} %")


def _refusals(db: Database, invoice: UUID) -> None:
    """What no code can do, this one included."""
    for what, values in (("reopen a paid invoice", {"status": "draft"}), ("owe less than nothing", {"total": -1})):
        try:
            with db.transaction(**ANA) as session:
                session.execute(sa.update(Invoice).where(Invoice.id == invoice).values(**values))
        except (TransitionRefused, CheckViolated) as refused:
            print(f"Nobody can {what}: {refused.code}")


def _look_back(db: Database) -> None:
    with db.transaction(read_only=True, **ANA) as session:
        first = session.scalars(sa.select(Subscription).order_by(Subscription.starts_on).limit(1)).one()
        print(timeline(changes_of(session, Subscription, (ACCOUNT, first.id))))
        past: Any = versions_of(Subscription)
        (changed,) = session.scalars(sa.select(past.valid_from).where(past.status == "cancelled"))
        print(f"{session.scalar(sa.select(sa.func.count()).select_from(Member))} members")
    with db.transaction(read_only=True, **ANA) as session:
        look_back(session, Base, changed - timedelta(microseconds=1))
        (then,) = session.scalars(sa.select(Subscription))
        print(f"Before that: one subscription, {then.plan_code}, {then.status}")


if __name__ == "__main__":
    main()
