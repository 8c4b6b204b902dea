"""A layer whose tenants have past, outcomes and messages, and some rows that the law keeps."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from freehold import Audit, DataLayer, History, LegalHold, Masked, Outbox, Outcomes, Roles, SoftDelete, Tenancy
from tests.rooms.building import Connection

ONE, TWO = UUID(int=1), UUID(int=2)


class Base(DeclarativeBase):
    metadata = sa.MetaData(schema="shop")


class Company(Base):
    __tablename__ = "company"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]


class Currency(Base):
    __tablename__ = "currency"
    code: Mapped[str] = mapped_column(primary_key=True)


class Customer(Base):
    __tablename__ = "customer"
    tenant_id: Mapped[UUID] = mapped_column(sa.ForeignKey("shop.company.id"), primary_key=True)
    id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(), primary_key=True)
    name: Mapped[str | None]
    email: Mapped[str | None]
    photo: Mapped[bytes | None]
    tags: Mapped[Any] = mapped_column(JSONB, nullable=True)
    length: Mapped[int | None] = mapped_column(sa.Computed("length(name)", persisted=True))


class Invoice(Base):
    __tablename__ = "invoice"
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(sa.BigInteger)
    code: Mapped[str] = mapped_column(sa.ForeignKey("shop.currency.code"))
    issued_on: Mapped[date | None]
    amount: Mapped[Any] = mapped_column(sa.Numeric)
    __table_args__ = (
        sa.ForeignKeyConstraint(["tenant_id", "customer_id"], ["shop.customer.tenant_id", "shop.customer.id"]),
    )


HOLD = LegalHold(Invoice, because="tax law: ten years", keep="10 years", since="issued_on")


def fake_email(text: str, digest: bytes) -> str:
    """An address that is the same for the same one; it holds what COPY must escape."""
    return f"{digest.hex()[:8]}\t{len(text)}\\@example.com"


def layer(name: str, *more: object) -> DataLayer:
    """The layer without a hold."""
    return DataLayer(
        Base.metadata,
        Tenancy(Company, shared=[Currency]),
        Roles(),
        History(Customer),
        SoftDelete(Customer),
        Outcomes(),
        Outbox(),
        Audit(Invoice),
        Masked(Customer, email=fake_email, photo=None),
        *more,
        name=name,
    )


def plant(connection: Connection) -> None:
    """Two tenants, each with customers and invoices, old ones and young."""
    with connection.transaction():
        connection.execute("SELECT freehold.add_context_key_v1('first', %s)", (bytes(range(32)),))
        connection.execute("INSERT INTO shop.currency VALUES ('EUR')")
        connection.execute("INSERT INTO shop.company (id, name) VALUES (%s, 'One'), (%s, 'Two')", (ONE, TWO))
        for tenant in (ONE, TWO):
            connection.execute(
                "INSERT INTO shop.customer (tenant_id, name, email, photo, tags)"
                " SELECT %s, E'n\\t' || g, g || '@a.org', '\\x00ff', '{\"a\": \"b\\\\n\"}'"
                " FROM generate_series(1, 5) AS g",
                (tenant,),
            )
            connection.execute(
                "INSERT INTO shop.invoice SELECT tenant_id, 'I' || id, id, 'EUR', '2001-01-01', id"
                " FROM shop.customer WHERE tenant_id = %s",
                (tenant,),
            )
            connection.execute("UPDATE shop.customer SET name = name || '!' WHERE tenant_id = %s", (tenant,))
            connection.execute("INSERT INTO shop.customer (tenant_id, name) VALUES (%s, 'gone')", (tenant,))
            connection.execute("DELETE FROM shop.customer WHERE tenant_id = %s AND name = 'gone'", (tenant,))
