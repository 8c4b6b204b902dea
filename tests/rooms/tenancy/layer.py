"""A small layer with a table of each class, a partitioned one and a view, applied to a real database."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from freehold.kernel.compile import Declared, compile_layer
from freehold.kernel.declare import Declarations, Extra
from freehold.kernel.metadata import partition_of
from freehold.kernel.objects import View
from freehold.kernel.prove import Outcome, run_probes
from freehold.operations import apply_layer
from freehold.rooms.roles import ROOM as ROLES
from freehold.rooms.roles import Roles
from freehold.rooms.tenancy import ROOM, Tenancy, tenant_foreign_key, tenant_unique

A = uuid.UUID("aaaaaaaa-0000-4000-8000-000000000001")
B = uuid.UUID("bbbbbbbb-0000-4000-8000-000000000002")
SECRET = bytes(range(64))


class Base(DeclarativeBase):
    """The tables of a shop."""

    metadata = sa.MetaData(schema="shop")


class Company(Base):
    """The tenants."""

    __tablename__ = "company"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.Text, server_default="")


class Product(Base):
    """Shared by all."""

    __tablename__ = "product"
    code: Mapped[str] = mapped_column(sa.Text, primary_key=True)


class Customer(Base):
    """Owned, with a unique key inside the tenant."""

    __tablename__ = "customer"
    tenant_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey(Company.id), primary_key=True)
    id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(), primary_key=True)
    email: Mapped[str] = mapped_column(sa.Text)
    __table_args__ = (tenant_unique("email"),)


class Order(Base):
    """Owned, under a name that must be quoted, with a foreign key inside the tenant."""

    __tablename__ = "order"
    tenant_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(), primary_key=True)
    customer_id: Mapped[int] = mapped_column(sa.BigInteger)
    product: Mapped[str | None] = mapped_column(sa.ForeignKey(Product.code))
    __table_args__ = (tenant_foreign_key("customer_id", "shop.customer.id"),)


class Move(Base):
    """Owned and partitioned."""

    __tablename__ = "move"
    tenant_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    day: Mapped[datetime.date] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    __table_args__ = ({"postgresql_partition_by": "RANGE (day)"},)


class Setting(Base):
    """Outside the rule."""

    __tablename__ = "setting"
    name: Mapped[str] = mapped_column(sa.Text, primary_key=True)


early = sa.Table(
    "move_early",
    Base.metadata,
    sa.Column("tenant_id", sa.Uuid, nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("id", sa.BigInteger, nullable=False),
    info=partition_of("shop.move", "FOR VALUES FROM ('1990-01-01') TO ('2030-01-01')"),
)

BUYERS = View(
    schema="shop",
    view="buyer",
    definition="SELECT tenant_id, email FROM shop.customer",
    options=("security_invoker=true",),
)
TENANCY = Tenancy(Company, shared=[Product], exempt={Setting: "settings of the operating staff"})
TABLES = Base.metadata.tables
COLUMNS = {
    TABLES["shop.company"]: "id",
    **{TABLES[f"shop.{name}"]: "tenant_id" for name in ("customer", "order", "move", "move_early")},
}


def layer(name: str) -> Declared:
    """The compiled layer."""
    items = (TENANCY, Roles(writes=[Product]), Extra(BUYERS))
    return compile_layer(Declarations(metadata=Base.metadata, items=items, name=name), [ROOM, ROLES])


def applied(connection: psycopg.Connection[Any], name: str) -> Declared:
    """The layer on an empty database, with a key and the rows of two tenants."""
    declared = layer(name)
    apply_layer(connection, declared)
    connection.execute("SELECT freehold.add_context_key_v1('k1', %s)", (SECRET,))
    for tenant in (A, B):
        connection.execute("INSERT INTO shop.company (id) VALUES (%s)", (tenant,))
        connection.execute("INSERT INTO shop.move VALUES (%s, '2020-02-02', 1)", (tenant,))
        rows = connection.execute(
            "INSERT INTO shop.customer (tenant_id, email) SELECT %s, n || '@example.org' FROM generate_series(1, 3) n"
            " RETURNING id",
            (tenant,),
        ).fetchall()
        connection.execute('INSERT INTO shop."order" (tenant_id, customer_id) VALUES (%s, %s)', (tenant, rows[0][0]))
    return declared


def broken(connection: psycopg.Connection[Any], declared: Declared) -> list[str]:
    """The promises of the room that do not hold, or were not tried."""
    probes = [probe for probe in declared.probes if probe.room == "tenancy"]
    verdicts = run_probes(connection, probes)
    assert len(verdicts) > 30
    return [f"{found.promise}: {found.detail}" for found in verdicts if found.verdict is not Outcome.HELD]
