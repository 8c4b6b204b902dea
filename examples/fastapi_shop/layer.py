"""What the shop's data must promise."""

from __future__ import annotations

import os
import uuid

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Integer, MetaData, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from freehold import DataLayer, Outcomes, Roles, Tenancy, tenant_foreign_key, tenant_unique


class Base(DeclarativeBase):
    """The tables of the shop."""

    metadata = MetaData(schema="shop")


class Company(Base):
    """The tenants."""

    __tablename__ = "company"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)


class Product(Base):
    """What a company sells, and how many it has."""

    __tablename__ = "product"
    __table_args__ = (tenant_unique("name"), CheckConstraint("stock >= 0", name="stock_never_negative"))
    tenant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(Company.id), primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    stock: Mapped[int] = mapped_column(Integer)


class Order(Base):
    """Who ordered how many of it."""

    __tablename__ = "customer_order"
    __table_args__ = (tenant_foreign_key("product_id", "shop.product.id"),)
    tenant_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    product_id: Mapped[int] = mapped_column(BigInteger)
    quantity: Mapped[int] = mapped_column(Integer)
    ordered_by: Mapped[str] = mapped_column(Text)


DECLARATIONS = (Tenancy(root=Company), Roles(), Outcomes())

layer = DataLayer(Base.metadata, *DECLARATIONS, name=os.environ.get("SHOP_LAYER_NAME", "fastapi_shop"))
