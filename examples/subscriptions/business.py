"""What the business does, each a function of one transaction: ``db.run(sign_up, ..., tenant=..., key=...)``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from examples.subscriptions.models import (
    Account,
    Contact,
    Discount,
    Entitlement,
    Invoice,
    InvoiceLine,
    LedgerEntry,
    Member,
    Payment,
    Permission,
    Plan,
    PlanFeature,
    Posting,
    Settings,
    Subscription,
    UsageEvent,
)

from freehold import Session, restore, set_between, valid_at
from freehold.rooms.encryption.runtime import cipher_of

RECEIVABLES, BANK, REVENUE = "1200", "1800", "4400"
API = "api"


@dataclass(frozen=True)
class Refused(Exception):
    """The business says no; nothing was written."""

    reason: str

    def __str__(self) -> str:
        return self.reason


def sign_up(session: Session, name: str, login: str, plan_code: str, today: date) -> UUID:
    """Open the account of the session's tenant, with its owner and its first subscription."""
    plan = session.get_one(Plan, plan_code)
    session.add(Account(id=session.tenant, name=name, seats=plan.seats, opened_on=today))
    session.flush()
    session.add(Settings(preferences={"language": "en", "notices": ["invoice"]}, preferences_version=2))
    session.add(Member(login=login, role="owner", joined_on=today))
    subscription = _subscribe(session, plan, today)
    session.send("account.opened", {"account": str(session.tenant), "plan": plan_code})
    return subscription.id


def invite(session: Session, login: str, permissions: Iterable[str], today: date) -> UUID:
    """A new member. Raises `freehold.errors.LimitReached` where every seat is taken."""
    member = Member(id=uuid4(), login=login, role="member", joined_on=today)
    session.add(member)
    session.flush()
    session.add_all(Permission(member_id=member.id, name=name) for name in permissions)
    return member.id


def remove(session: Session, member_id: UUID) -> None:
    """A member leaves; with the permissions, it can come back for 90 days."""
    session.delete(session.get_one(Member, (session.tenant, member_id)))


def bring_back(session: Session, member_id: UUID) -> int:
    """A member comes back with all permissions; gives the number of rows that did."""
    return restore(session, Member, (session.tenant, member_id))


def add_contact(session: Session, name: str, email: str, phone: str | None = None) -> UUID:
    """Somebody to write to."""
    contact = Contact(id=uuid4(), name=name, email=email, phone=phone)
    session.add(contact)
    return contact.id


def find_contacts(session: Session, email: str) -> list[str]:
    """The names under an address, found by its blind index; upper and lower case are one."""
    return [contact.name for contact in cipher_of(session).find(session, Contact.email, email)]


def change_plan(session: Session, plan_code: str, on: date) -> UUID:
    """End the current subscription and begin another one on the same day; the seats follow."""
    current = _current(session, on)
    plan = session.get_one(Plan, plan_code)
    if current.starts_on == on:
        raise Refused(f"the subscription began on {on}; its plan changes on the next day at the earliest")
    current.ends_on = on
    current.status = "cancelled"
    session.flush()
    session.get_one(Account, session.tenant).seats = plan.seats
    session.execute(sa.delete(Entitlement))
    return _subscribe(session, plan, on).id


def use(session: Session, moments: Iterable[tuple[datetime, int]], feature: str = API) -> int:
    """Usage, as it was metered; gives the number of events."""
    events = [{"id": uuid4(), "occurred_at": at, "feature": feature, "units": units} for at, units in moments]
    if session.get(Entitlement, (session.tenant, feature)) is None:
        raise Refused(f"the plan has no {feature}")
    session.add_all(UsageEvent(**event) for event in events)
    return len(events)


def bill(session: Session, month: date) -> UUID:
    """Bill a month: the plan, and what was used beyond what it includes; booked in the same transaction."""
    subscription = _current(session, month)
    plan = session.get_one(Plan, subscription.plan_code)
    session.lock("invoice numbers")  # numbers without a gap: one invoice of an account after the other
    last = session.scalar(sa.select(sa.func.max(Invoice.number))) or 0
    invoice = Invoice(
        id=uuid4(),
        number=last + 1,
        subscription_id=subscription.id,
        month=month,
        status="draft",
        currency=plan.currency,
    )
    session.add(invoice)
    session.flush()
    session.add(_line(invoice, 1, f"{plan.name}, {month:%B %Y}", 1, plan.monthly_price))
    beyond = _used(session, month) - plan.included_units
    if beyond > 0:
        session.add(_line(invoice, 2, "Units beyond the plan", beyond, plan.unit_price))
    percent = session.scalar(
        sa.select(Discount.percent).where(Discount.plan_code == plan.code, valid_at(Discount, month))
    )
    if percent:
        session.add(_line(invoice, 3, f"Discount of {percent} %", -1, plan.monthly_price * percent / 100))
    session.flush()
    return _issue(session, invoice, month)


def let_off(session: Session, plan_code: str, percent: Decimal, begin: date, end: date | None) -> None:
    """Give a discount on a plan from ``begin`` until just before ``end``; what was given for these days ends."""
    set_between(session, Discount, {"plan_code": plan_code}, {"percent": percent}, begin, end)


def pay(session: Session, invoice_id: UUID, amount: Decimal, reference: str) -> str:
    """Money came in; gives the invoice's status. Under a key it is booked once, however often it is reported."""
    invoice = session.get_one(Invoice, (session.tenant, invoice_id), with_for_update=True)
    if invoice.status != "issued":
        raise Refused(f"invoice {invoice.number} is {invoice.status}")
    payment = Payment(id=uuid4(), invoice_id=invoice.id, reference=reference, amount=amount, currency=invoice.currency)
    session.add(payment)
    session.flush()
    _book(session, {BANK: amount, RECEIVABLES: -amount}, invoice.currency, payment_id=payment.id)
    if _paid(session, invoice) >= invoice.total:
        invoice.status = "paid"
        session.send("invoice.paid", {"number": invoice.number}, key=str(invoice.id))
    return invoice.status


def _subscribe(session: Session, plan: Plan, on: date) -> Subscription:
    subscription = Subscription(id=uuid4(), plan_code=plan.code, status="active", starts_on=on)
    session.add(subscription)
    session.flush()
    features = session.scalars(sa.select(PlanFeature).where(PlanFeature.plan_code == plan.code))
    session.add_all(
        Entitlement(feature=each.feature, subscription_id=subscription.id, quantity=each.quantity) for each in features
    )
    return subscription


def _current(session: Session, on: date) -> Subscription:
    last = sa.select(Subscription).where(
        Subscription.starts_on < _next(on), sa.or_(Subscription.ends_on.is_(None), Subscription.ends_on > on)
    )
    found = session.scalars(last.order_by(Subscription.starts_on.desc()).limit(1).with_for_update()).first()
    if found is None:
        raise Refused(f"there is no subscription on {on}")
    return found


def _used(session: Session, month: date) -> int:
    begin, end = _moment(month), _moment(_next(month))
    within = (UsageEvent.occurred_at >= begin) & (UsageEvent.occurred_at < end)
    return int(session.scalar(sa.select(sa.func.coalesce(sa.func.sum(UsageEvent.units), 0)).where(within)) or 0)


def _line(invoice: Invoice, number: int, text: str, quantity: int, price: Decimal) -> InvoiceLine:
    return InvoiceLine(invoice_id=invoice.id, line_no=number, text=text, quantity=quantity, unit_price=price)


def _issue(session: Session, invoice: Invoice, month: date) -> UUID:
    session.refresh(invoice, ["total"])  # the database has added up the lines
    invoice.status = "issued"
    invoice.issued_on = _next(month)
    if invoice.total:
        _book(session, {RECEIVABLES: invoice.total, REVENUE: -invoice.total}, invoice.currency, invoice_id=invoice.id)
    session.send("invoice.issued", {"number": invoice.number, "total": str(invoice.total)}, key=str(invoice.id))
    return invoice.id


def _book(session: Session, sides: dict[str, Decimal], currency: str, **document: Any) -> None:
    entry = LedgerEntry(id=uuid4(), **document)
    session.add(entry)
    session.flush()
    session.add_all(
        Posting(entry_id=entry.id, account_code=account, currency=currency, amount=amount)
        for account, amount in sides.items()
    )


def _paid(session: Session, invoice: Invoice) -> Decimal:
    payments = sa.select(sa.func.sum(Payment.amount)).where(Payment.invoice_id == invoice.id)
    return session.scalar(payments) or Decimal(0)


def _next(month: date) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


def _moment(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
