"""What the business looks at: a day's revenue, and how many of a month's new customers come back."""

from __future__ import annotations

from typing import Any

from examples.retail.models import Country, CreditLine, CreditNote, CustomerOrder, OrderLine
from sqlalchemy import ColumnElement, Date, Integer, Numeric, Select, cast, distinct, func, literal, select, union_all

_NOTHING = cast(literal(0), Numeric(20, 2))


def daily_revenue() -> Select[*tuple[Any, ...]]:
    """Orders, revenue, credits and their difference, by tenant and day."""
    sales = (
        select(
            CustomerOrder.tenant_id,
            cast(CustomerOrder.placed_at, Date).label("day"),
            CustomerOrder.id.label("order_id"),
            OrderLine.amount.label("revenue"),
            _NOTHING.label("credited"),
        )
        .select_from(CustomerOrder)
        .join(OrderLine, _same_order())
    )
    credits_ = (
        select(
            CreditNote.tenant_id,
            cast(CreditNote.issued_at, Date),
            literal(None),
            _NOTHING,
            CreditLine.amount,
        )
        .select_from(CreditNote)
        .join(CreditLine, (CreditLine.tenant_id == CreditNote.tenant_id) & (CreditLine.credit_note_id == CreditNote.id))
    )
    line = union_all(sales, credits_).subquery("line")
    revenue, credited = func.sum(line.c.revenue), func.sum(line.c.credited)
    return (
        select(
            Country.id.label("tenant_id"),
            line.c.day,
            func.count(distinct(line.c.order_id)).label("orders"),
            cast(revenue, Numeric(20, 2)).label("revenue"),
            cast(credited, Numeric(20, 2)).label("credited"),
            cast(revenue - credited, Numeric(20, 2)).label("net"),
        )
        .select_from(Country)
        .join(line, line.c.tenant_id == Country.id)
        .group_by(Country.id, line.c.day)
    )


def _same_order() -> ColumnElement[bool]:
    return (OrderLine.tenant_id == CustomerOrder.tenant_id) & (OrderLine.order_id == CustomerOrder.id)


def retention() -> Select[*tuple[Any, ...]]:
    """Customers who ordered, by the month of their first order and the months since then (0 is the first)."""
    month = cast(func.date_trunc("month", CustomerOrder.placed_at), Date)
    active = (
        select(CustomerOrder.tenant_id, CustomerOrder.customer_id, month.label("month"))
        .where(CustomerOrder.customer_id.is_not(None))
        .distinct()
        .subquery("active")
    )
    first = (
        select(active.c.tenant_id, active.c.customer_id, func.min(active.c.month).label("cohort"))
        .group_by(active.c.tenant_id, active.c.customer_id)
        .subquery("first")
    )
    since = cast(_months(active.c.month) - _months(first.c.cohort), Integer)
    return (
        select(
            active.c.tenant_id,
            first.c.cohort,
            since.label("months_later"),
            func.count().label("customers"),
        )
        .select_from(active)
        .join(first, (first.c.tenant_id == active.c.tenant_id) & (first.c.customer_id == active.c.customer_id))
        .group_by(active.c.tenant_id, first.c.cohort, since)
    )


def _months(day: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.extract("year", day) * 12 + func.extract("month", day)
