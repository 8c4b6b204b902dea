"""What the business looks at: recurring revenue by month, and what is used by day."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from examples.subscriptions.models import Invoice, InvoiceLine, UsageEvent


def revenue_by_month() -> sa.Select[*tuple[Any, ...]]:
    """What was billed for each month, and the part of it that is not usage, by account."""
    plans = sa.func.sum(InvoiceLine.amount).filter(InvoiceLine.line_no == 1)
    return (
        sa.select(
            Invoice.tenant_id,
            Invoice.month,
            Invoice.currency,
            sa.cast(sa.func.coalesce(plans, 0), sa.Numeric(20, 2)).label("recurring"),
            sa.cast(sa.func.sum(InvoiceLine.amount), sa.Numeric(20, 2)).label("billed"),
        )
        .join(InvoiceLine, (InvoiceLine.tenant_id == Invoice.tenant_id) & (InvoiceLine.invoice_id == Invoice.id))
        .where(Invoice.status.in_(("issued", "paid")))
        .group_by(Invoice.tenant_id, Invoice.month, Invoice.currency)
    )


def usage_by_day() -> sa.Select[*tuple[Any, ...]]:
    """Units used, by account, day (in UTC) and feature."""
    day = sa.cast(sa.func.timezone("UTC", UsageEvent.occurred_at), sa.Date).label("day")
    return sa.select(
        UsageEvent.tenant_id,
        day,
        UsageEvent.feature,
        sa.func.count().label("events"),
        sa.cast(sa.func.sum(UsageEvent.units), sa.BigInteger).label("units"),
    ).group_by(UsageEvent.tenant_id, day, UsageEvent.feature)
