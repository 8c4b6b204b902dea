"""Prices that hold for a while, with a history of what was believed of them."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import DATERANGE, TSTZRANGE, Range
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from freehold import DataLayer, History, Roles, Tenancy, ValidTime

ONE, TWO = UUID(int=1), UUID(int=2)


class Base(DeclarativeBase):
    metadata = sa.MetaData(schema="shop")


class Company(Base):
    __tablename__ = "company"
    id: Mapped[UUID] = mapped_column(primary_key=True)


class Price(Base):
    __tablename__ = "price"
    tenant_id: Mapped[UUID] = mapped_column(sa.ForeignKey("shop.company.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    product: Mapped[int]
    amount: Mapped[int]
    during: Mapped[Range[Any]] = mapped_column("valid_during", DATERANGE)


class Rota(Base):
    __tablename__ = "rota"
    tenant_id: Mapped[UUID] = mapped_column(sa.ForeignKey("shop.company.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str]
    works: Mapped[Range[Any]] = mapped_column(TSTZRANGE)


def layer(name: str) -> DataLayer:
    """The layer."""
    return DataLayer(
        Base.metadata,
        Tenancy(Company),
        Roles(),
        ValidTime(Price, key=("product",)),
        ValidTime(Rota, key=("name",), during="works"),
        History(Price),
        name=name,
    )
