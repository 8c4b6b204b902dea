"""Invoices with amounts of money, and customers whose columns have domains; with history and soft deletion."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, composite, mapped_column

from freehold import (
    E164,
    Amount,
    CountryCode,
    CurrencyCode,
    DataLayer,
    EmailAddress,
    History,
    LanguageTag,
    Money,
    Percentage,
    PositiveMoney,
    Roles,
    Slug,
    SoftDelete,
    Tenancy,
    fault_message,
)


class Base(DeclarativeBase):
    metadata = sa.MetaData(schema="shop")


class Company(Base):
    __tablename__ = "company"
    id: Mapped[UUID] = mapped_column(primary_key=True)


class Owned:
    """A table that a company owns."""

    tenant_id: Mapped[UUID] = mapped_column(sa.ForeignKey("shop.company.id"), primary_key=True)
    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)


class Customer(Owned, Base):
    __tablename__ = "customer"
    email: Mapped[str | None] = mapped_column(EmailAddress, info=fault_message("That is no e-mail address."))
    country: Mapped[str | None] = mapped_column(CountryCode)
    ships_to: Mapped[str | None] = mapped_column(CountryCode)
    currency: Mapped[str | None] = mapped_column(CurrencyCode)
    language: Mapped[str | None] = mapped_column(LanguageTag())
    discount: Mapped[Decimal | None] = mapped_column(Percentage)
    credit: Mapped[Decimal | None] = mapped_column(PositiveMoney(12, 2))
    page: Mapped[str | None] = mapped_column(Slug)
    phone: Mapped[str | None] = mapped_column(E164)


class Invoice(Owned, Base):
    __tablename__ = "invoice"
    total: Mapped[Decimal] = mapped_column(sa.Numeric(12, 2))
    paid: Mapped[Decimal | None] = mapped_column(sa.Numeric(12, 2))
    currency: Mapped[str] = mapped_column(sa.CHAR(3))
    paid_currency: Mapped[str | None] = mapped_column(CurrencyCode)
    due: Mapped[Amount] = composite("total", "currency")
    received: Mapped[Amount | None] = composite("paid", "paid_currency")


class Tariff(Base):
    __tablename__ = "tariff"
    id: Mapped[int] = mapped_column(primary_key=True)
    price: Mapped[Decimal | None] = mapped_column(PositiveMoney(12, 3))
    currency: Mapped[str | None] = mapped_column(sa.Text)


RULES = (
    Money(Invoice, "total", currency="currency", scale=2),
    Money(Invoice, "paid", currency="paid_currency", currencies=("USD", "EUR")),
    Money(Tariff, "price", scale=3),
)


def layer(name: str, *rules: object) -> DataLayer:
    """The layer with these rules."""
    return DataLayer(
        Base.metadata,
        Tenancy(Company, shared=[Tariff]),
        Roles(),
        History(Customer),
        History(Invoice),
        SoftDelete(Customer),
        SoftDelete(Invoice),
        *rules,
        name=name,
    )
