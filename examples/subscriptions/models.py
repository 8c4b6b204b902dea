"""A subscription business as plain SQLAlchemy models: who subscribes to what, uses it, is billed for it and pays."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from examples.subscriptions.settings import UPGRADES
from sqlalchemy.dialects.postgresql import DATERANGE, Range
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from freehold import DocumentType, EncryptedType, tenant_foreign_key, tenant_unique
from freehold.rooms.documents import version_column
from freehold.rooms.encryption import blind_index_column

SCHEMA = "subscriptions"
NAMES = {
    "pk": "%(table_name)s_pk",
    "fk": "%(table_name)s_%(referred_table_name)s_fk",
    "uq": "%(table_name)s_%(column_0_name)s_uq",
    "ck": "%(table_name)s_%(constraint_name)s_ck",
}
MONEY = sa.Numeric(14, 2)


class Base(DeclarativeBase):
    """One schema; every constraint has a name, since a plan speaks of constraints by name."""

    metadata = sa.MetaData(schema=SCHEMA, naming_convention=NAMES)
    type_annotation_map = {  # noqa: RUF012
        str: sa.Text(),
        int: sa.BigInteger(),
        Decimal: MONEY,
        UUID: sa.Uuid(),
        datetime: sa.DateTime(timezone=True),
    }


class OfAccount:
    """A row that hangs on nothing but its account; the account comes first in every key."""

    tenant_id: Mapped[UUID] = mapped_column(sa.ForeignKey(f"{SCHEMA}.account.id"), primary_key=True, sort_order=-2)


class Numbered(OfAccount):
    """A row with an identifier of its own, made by the application: nothing has to be asked before it is known."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4, sort_order=-1)


# --- shared by all accounts: the catalogue, written by operators (see catalogue.sql) ----------------------------------


class Plan(Base):
    """What can be subscribed to, for how much a month."""

    __tablename__ = "plan"
    __table_args__ = (
        sa.CheckConstraint("monthly_price >= 0 AND unit_price >= 0", name="price"),
        sa.CheckConstraint("seats > 0 AND included_units >= 0", name="size"),
    )
    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    currency: Mapped[str]
    monthly_price: Mapped[Decimal]
    seats: Mapped[int]
    included_units: Mapped[int]
    unit_price: Mapped[Decimal] = mapped_column(sa.Numeric(14, 6))


class PlanFeature(Base):
    """A feature that comes with a plan; without a quantity it has no limit."""

    __tablename__ = "plan_feature"
    plan_code: Mapped[str] = mapped_column(sa.ForeignKey(f"{SCHEMA}.plan.code"), primary_key=True)
    feature: Mapped[str] = mapped_column(primary_key=True)
    quantity: Mapped[int | None]


class LedgerAccount(Base):
    """An account of the chart that every tenant's books use."""

    __tablename__ = "ledger_account"
    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]


# --- who ------------------------------------------------------------------------------------------------------------


class Account(Base):
    """A tenant: who subscribes."""

    __tablename__ = "account"
    __table_args__ = (sa.CheckConstraint("seats >= 0", name="seats"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str]
    seats: Mapped[int]
    opened_on: Mapped[date]


class Settings(OfAccount, Base):
    """An account's preferences: JSON with a schema, which has had an earlier version."""

    __tablename__ = "settings"
    preferences: Mapped[dict[str, Any]] = mapped_column(DocumentType(None, 2, UPGRADES))
    preferences_version: Mapped[int] = version_column(2)


class Member(Numbered, Base):
    """Somebody who works with the account; as many as it has seats."""

    __tablename__ = "member"
    __table_args__ = (
        tenant_unique("login", name="member_login_uq"),
        sa.CheckConstraint("role IN ('owner', 'admin', 'member')", name="role"),
    )
    login: Mapped[str]
    role: Mapped[str]
    joined_on: Mapped[date]


class Contact(Numbered, Base):
    """Whom to write to: address and number are encrypted before they leave the application."""

    __tablename__ = "contact"
    name: Mapped[str]
    email: Mapped[str | None] = mapped_column(EncryptedType())
    email_blind: Mapped[bytes | None] = blind_index_column()
    phone: Mapped[str | None] = mapped_column(EncryptedType())


class Permission(Base):
    """What a member may do beyond the role; it goes and comes with the member."""

    __tablename__ = "permission"
    __table_args__ = (
        tenant_foreign_key("member_id", f"{SCHEMA}.member.id", name="permission_member_fk", ondelete="CASCADE"),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)


# --- what is subscribed to, and used ----------------------------------------------------------------------------------


class Subscription(Numbered, Base):
    """An account's plan for a time; one at a time."""

    __tablename__ = "subscription"
    __table_args__ = (
        sa.CheckConstraint("ends_on > starts_on", name="period"),
        sa.Index("subscription_plan_ix", "plan_code"),
    )
    plan_code: Mapped[str] = mapped_column(sa.ForeignKey(f"{SCHEMA}.plan.code"))
    status: Mapped[str]
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]


class Entitlement(OfAccount, Base):
    """What an account may use now, copied from its plan so that a plan's change does not reach back."""

    __tablename__ = "entitlement"
    __table_args__ = (
        tenant_foreign_key("subscription_id", f"{SCHEMA}.subscription.id", name="entitlement_subscription_fk"),
        sa.Index("entitlement_subscription_ix", "tenant_id", "subscription_id"),
    )
    feature: Mapped[str] = mapped_column(primary_key=True)
    subscription_id: Mapped[UUID]
    quantity: Mapped[int | None]


class Discount(Numbered, Base):
    """What an account is let off a plan's price, for the days that the row says."""

    __tablename__ = "discount"
    __table_args__ = (sa.CheckConstraint("percent BETWEEN 0 AND 100", name="percent"),)
    plan_code: Mapped[str] = mapped_column(sa.ForeignKey(f"{SCHEMA}.plan.code"))
    percent: Mapped[Decimal] = mapped_column(sa.Numeric(5, 2))
    valid_during: Mapped[Range[Any]] = mapped_column(DATERANGE)


class UsageEvent(OfAccount, Base):
    """Something used, at a moment; written once and never changed."""

    __tablename__ = "usage_event"
    __table_args__ = (
        sa.CheckConstraint("units > 0", name="units"),
        {"postgresql_partition_by": "RANGE (occurred_at)"},
    )
    occurred_at: Mapped[datetime] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    feature: Mapped[str]
    units: Mapped[int]


# --- what is owed, and paid -------------------------------------------------------------------------------------------


class Invoice(Numbered, Base):
    """What an account owes for a month; a month is billed once. The total is kept by the database, from the lines."""

    __tablename__ = "invoice"
    __table_args__ = (
        tenant_foreign_key("subscription_id", f"{SCHEMA}.subscription.id", name="invoice_subscription_fk"),
        tenant_unique("number", name="invoice_number_uq"),
        tenant_unique("subscription_id", "month", name="invoice_month_uq"),
        sa.CheckConstraint("total >= 0", name="total"),
    )
    number: Mapped[int]
    subscription_id: Mapped[UUID]
    month: Mapped[date]
    status: Mapped[str]
    currency: Mapped[str]
    total: Mapped[Decimal] = mapped_column(server_default="0")
    issued_on: Mapped[date | None]


class InvoiceLine(Base):
    """One line of an invoice; the amount is the database's to compute."""

    __tablename__ = "invoice_line"
    __table_args__ = (tenant_foreign_key("invoice_id", f"{SCHEMA}.invoice.id", name="invoice_line_invoice_fk"),)
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    invoice_id: Mapped[UUID] = mapped_column(primary_key=True)
    line_no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    text: Mapped[str]
    quantity: Mapped[int]
    unit_price: Mapped[Decimal] = mapped_column(sa.Numeric(14, 6))
    amount: Mapped[Decimal] = mapped_column(MONEY, sa.Computed("round(quantity * unit_price, 2)", persisted=True))


class Payment(Numbered, Base):
    """Money that came in for an invoice; a reference is taken once."""

    __tablename__ = "payment"
    __table_args__ = (
        tenant_foreign_key("invoice_id", f"{SCHEMA}.invoice.id", name="payment_invoice_fk"),
        tenant_unique("reference", name="payment_reference_uq"),
        sa.CheckConstraint("amount > 0", name="amount"),
        sa.Index("payment_invoice_ix", "tenant_id", "invoice_id"),
    )
    invoice_id: Mapped[UUID]
    reference: Mapped[str]
    amount: Mapped[Decimal]
    currency: Mapped[str]
    received_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())


class LedgerEntry(Numbered, Base):
    """One booking in the books, of an invoice or of a payment."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        tenant_foreign_key("invoice_id", f"{SCHEMA}.invoice.id", name="ledger_entry_invoice_fk"),
        tenant_foreign_key("payment_id", f"{SCHEMA}.payment.id", name="ledger_entry_payment_fk"),
        sa.CheckConstraint("num_nonnulls(invoice_id, payment_id) = 1", name="document"),
        sa.Index("ledger_entry_invoice_ix", "tenant_id", "invoice_id"),
        sa.Index("ledger_entry_payment_ix", "tenant_id", "payment_id"),
    )
    invoice_id: Mapped[UUID | None]
    payment_id: Mapped[UUID | None]
    booked_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())


class Posting(Base):
    """One side of a booking: debit positive, credit negative."""

    __tablename__ = "posting"
    __table_args__ = (
        tenant_foreign_key("entry_id", f"{SCHEMA}.ledger_entry.id", name="posting_entry_fk"),
        sa.CheckConstraint("amount <> 0", name="amount"),
        sa.Index("posting_account_ix", "account_code"),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    entry_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_code: Mapped[str] = mapped_column(sa.ForeignKey(f"{SCHEMA}.ledger_account.code"), primary_key=True)
    currency: Mapped[str] = mapped_column(primary_key=True)
    amount: Mapped[Decimal]
