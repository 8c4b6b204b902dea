"""What the data of a subscription business must promise: the one declaration beside the models."""

from __future__ import annotations

from examples.subscriptions.models import (
    Account,
    Base,
    Contact,
    Discount,
    Invoice,
    InvoiceLine,
    LedgerAccount,
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
from examples.subscriptions.reports import revenue_by_month, usage_by_day
from examples.subscriptions.settings import PREFERENCES, UPGRADES

from freehold import (
    Audit,
    Backup,
    Balanced,
    BlindIndex,
    DataLayer,
    Derived,
    Document,
    Encrypted,
    History,
    LegalHold,
    Limit,
    Masked,
    Money,
    NoOverlap,
    Outbox,
    Outcomes,
    Partitioned,
    Report,
    Roles,
    SoftDelete,
    StateMachine,
    Tenancy,
    ValidTime,
)

CURRENCIES = ("EUR", "USD")

RULES = (
    NoOverlap(Subscription, during=("starts_on", "ends_on")),  # one subscription at a time
    StateMachine(
        Subscription,
        "status",
        initial=("trial", "active"),
        allowed={
            "trial": ("active", "cancelled"),
            "active": ("past_due", "cancelled"),
            "past_due": ("active", "cancelled"),
        },
    ),
    StateMachine(
        Invoice,
        "status",
        initial=("draft",),
        allowed={"draft": ("issued", "void"), "issued": ("paid", "void")},
    ),
    Limit(Member, of=Account, at_most="seats"),  # however many are invited at once
    Derived(Invoice, "total", sum=InvoiceLine.amount),  # never written by hand, always the sum of the lines
    Money(Invoice, "total", "currency", scale=2, currencies=CURRENCIES),
    Money(Payment, "amount", "currency", scale=2, currencies=CURRENCIES),
    Balanced(Posting, amount="amount", per=("entry_id", "currency")),  # double entry, judged at COMMIT
)


def pseudonym(text: str, digest: bytes) -> str:
    """What stands for somebody in a copy: the same for the same name, and nothing of it."""
    return f"somebody-{digest.hex()[:12]}"


REPORTS = (
    Report("revenue_by_month", revenue_by_month(), keys=["month", "currency"], fresh="1 hour", when_stale="refresh"),
    Report("usage_by_day", usage_by_day(), keys=["day", "feature"], fresh="15 minutes", when_stale="label"),
)

DECLARATIONS = (
    Tenancy(Account, shared=[Plan, PlanFeature, LedgerAccount]),
    Roles(),
    Partitioned(UsageEvent, every="month", keep="24 months"),  # old months leave, new ones are there before they begin
    History(Subscription, keep="10 years"),
    History(Invoice, keep="10 years"),
    ValidTime(Discount, key=("plan_code",)),  # one discount on a plan at a time
    History(Discount, current="base"),  # what was believed of it when; only what ended is kept
    SoftDelete(Member, keep="90 days"),
    SoftDelete(Permission, keep="90 days"),
    Encrypted(Contact, "email", "phone", search={"email": BlindIndex(bits=32, normalise="casefold")}),
    Audit(Payment, Permission, Contact, hide={Contact: ["name"]}, sealed_within="1 day"),
    Document(Settings, "preferences", schema=PREFERENCES, version=2, upgrades=UPGRADES),
    LegalHold(Payment, because="bookkeeping: ten years", keep="10 years", since="received_at"),
    Masked(Contact, name=pseudonym, email=None, email_blind=None, phone=None),  # a copy for development knows nobody
    Masked(Member, login=pseudonym),
    *RULES,
    *REPORTS,
    Outcomes(),
    Outbox(),
    Backup(keep="14 days", rpo="1 minute"),
)

layer = DataLayer(Base.metadata, *DECLARATIONS, name="subscriptions")
