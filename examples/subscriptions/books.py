"""Whether the books are right: each account's by itself, and all together against what the clients saw."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import sqlalchemy as sa
from examples.subscriptions.load import Tally
from examples.subscriptions.models import Invoice, Payment, UsageEvent

from freehold import Database, sql_file

ACTOR = "books"


def faults(db: Database, tenants: Iterable[UUID]) -> list[str]:
    """What is wrong in the accounts, each judged on one snapshot; empty where nothing is."""
    rules = sql_file("examples.subscriptions", "books.sql")
    found = []
    for tenant in tenants:
        with db.transaction(tenant=tenant, actor=ACTOR, read_only=True) as session:
            found += [f"account {tenant}: {rule}: {what}" for rule, what in session.execute(rules)]
    return found


def missing(db: Database, tenants: Iterable[UUID], tally: Tally) -> list[str]:
    """Where the tables hold more or less than the clients were told; the tables were empty before the load."""
    sums = sa.select(
        sa.select(sa.func.count()).select_from(Invoice).scalar_subquery(),
        sa.select(sa.func.count()).select_from(Payment).scalar_subquery(),
        sa.select(sa.func.coalesce(sa.func.sum(UsageEvent.units), 0)).scalar_subquery(),
    )
    held = [0, 0, 0]
    for tenant in tenants:
        with db.transaction(tenant=tenant, actor=ACTOR, read_only=True) as session:
            held = [total + int(more) for total, more in zip(held, session.execute(sums).one(), strict=True)]
    told = [tally.done["bill"], len(tally.references), tally.units]
    names = ("invoices", "payments", "units used")
    return [
        f"{name}: {there} in the tables, {seen} seen by the clients"
        for name, there, seen in zip(names, held, told, strict=True)
        if there != seen
    ]
