"""A small layer with an audited table of tenants, one that all share, and hidden values."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from freehold import Audit, DataLayer, Roles, Tenancy

ONE, TWO = UUID(int=1), UUID(int=2)
SECRET = bytes(range(32))


class Base(DeclarativeBase):
    metadata = sa.MetaData(schema="shop")


class Company(Base):
    __tablename__ = "company"
    id: Mapped[UUID] = mapped_column(primary_key=True)


class Payment(Base):
    __tablename__ = "payment"
    tenant_id: Mapped[UUID] = mapped_column(sa.ForeignKey("shop.company.id"), primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    amount: Mapped[int]
    card: Mapped[str | None]
    notes: Mapped[Any] = mapped_column(sa.JSON, nullable=True)


class Refund(Base):
    __tablename__ = "refund"
    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["tenant_id", "payment_id"], ["shop.payment.tenant_id", "shop.payment.id"], ondelete="CASCADE"
        ),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    payment_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class Rate(Base):
    __tablename__ = "rate"
    code: Mapped[str] = mapped_column(primary_key=True)
    rate: Mapped[int]


def layer(name: str) -> DataLayer:
    audit = Audit(Payment, Refund, Rate, hide={Payment: ["card"]}, sealed_within="1 hour")
    return DataLayer(Base.metadata, Tenancy(Company, shared=[Rate]), Roles(writes=[Rate]), audit, name=name)
