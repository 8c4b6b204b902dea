"""The tables of the measured transaction: once in a data layer, once with the usual policy over a bare setting."""

from __future__ import annotations

from decimal import Decimal

import psycopg
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from freehold import DataLayer, KeyRing, Outcomes, Roles, Tenancy
from freehold.operations import apply_layer
from freehold.runtime.keys import Key
from freehold.servers import OwnedServer

NAME = "bench_shop"
LOGIN, PASSWORD = f"{NAME}_app_a", "benchmark"
KEYS = KeyRing((Key("bench", b"freehold benchmark signing key of 32 bytes or more"),))
TENANTS, ROWS = 10, 1000
"""Tenants, and rows of each table of each tenant."""


class Base(DeclarativeBase):
    metadata = sa.MetaData(schema="shop")


class Company(Base):
    __tablename__ = "company"
    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)


class Order(Base):
    __tablename__ = "orders"
    tenant_id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("shop.company.id", name="orders_tenant_id_fkey"), primary_key=True
    )
    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    customer: Mapped[str] = mapped_column(sa.Text)


class Line(Base):
    __tablename__ = "order_line"
    tenant_id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("shop.company.id", name="order_line_tenant_id_fkey"), primary_key=True
    )
    id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(), primary_key=True)
    order_id: Mapped[int] = mapped_column(sa.BigInteger)
    product_id: Mapped[int] = mapped_column(sa.BigInteger)
    quantity: Mapped[int] = mapped_column(sa.Integer)
    price: Mapped[Decimal] = mapped_column(sa.Numeric(12, 2))


class Stock(Base):
    __tablename__ = "stock"
    tenant_id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("shop.company.id", name="stock_tenant_id_fkey"), primary_key=True
    )
    product_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    on_hand: Mapped[int] = mapped_column(sa.Integer)


layer = DataLayer(Base.metadata, Tenancy(root=Company), Roles(), Outcomes(keep="1 day"), name=NAME)

FILL = """
INSERT INTO shop.company SELECT g FROM generate_series(1, {tenants}) g;
INSERT INTO shop.orders SELECT t, g, 'c' FROM generate_series(1, {tenants}) t, generate_series(1, {rows}) g;
INSERT INTO shop.stock SELECT t, g, 1000000 FROM generate_series(1, {tenants}) t, generate_series(1, {rows}) g
"""
USUAL = """
CREATE SCHEMA usual;
CREATE TABLE usual.orders (LIKE shop.orders INCLUDING ALL);
CREATE TABLE usual.order_line (LIKE shop.order_line INCLUDING ALL);
CREATE TABLE usual.stock (LIKE shop.stock INCLUDING ALL);
INSERT INTO usual.orders SELECT * FROM shop.orders;
INSERT INTO usual.stock SELECT * FROM shop.stock;
ALTER TABLE usual.orders ADD FOREIGN KEY (tenant_id) REFERENCES shop.company;
ALTER TABLE usual.order_line ADD FOREIGN KEY (tenant_id) REFERENCES shop.company;
ALTER TABLE usual.stock ADD FOREIGN KEY (tenant_id) REFERENCES shop.company;
GRANT USAGE ON SCHEMA usual TO {login};
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA usual TO {login}
"""
POLICY = """
ALTER TABLE usual.{table} ENABLE ROW LEVEL SECURITY;
ALTER TABLE usual.{table} FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON usual.{table} USING (tenant_id = (SELECT current_setting('bench.tenant')::bigint))
"""


def build(server: OwnedServer) -> None:
    """Make and fill the database."""
    with server.connect(autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {NAME}".encode())
    with server.connect(NAME, autocommit=True) as connection:
        apply_layer(connection, layer.declared)
        connection.execute(f"ALTER ROLE {LOGIN} PASSWORD '{PASSWORD}'".encode())
        key = KEYS.signing
        connection.execute("SELECT freehold.add_context_key_v1(%s, %s)", (key.key_id, key.secret))
        _run(connection, FILL.format(tenants=TENANTS, rows=ROWS))
        _run(connection, USUAL.format(login=LOGIN))
        for table in ("orders", "order_line", "stock"):
            _run(connection, POLICY.format(table=table))
        connection.execute("VACUUM ANALYZE")


def _run(connection: psycopg.Connection[object], text: str) -> None:
    for statement in text.split(";"):
        connection.execute(statement.encode())
