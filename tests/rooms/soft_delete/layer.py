"""A small layer of soft-deleted parents, children of two parents, a tree and a shared table, planned and applied."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from freehold import DataLayer, History, Roles, SoftDelete, Tenancy
from freehold.kernel.compile import Declared
from tests.rooms.building import Connection, unheld

ONE, TWO = UUID(int=1), UUID(int=2)
SECRET = bytes(range(32))


class Base(DeclarativeBase):
    metadata = sa.MetaData(schema="shop")


class Company(Base):
    __tablename__ = "company"
    id: Mapped[UUID] = mapped_column(primary_key=True)


class Owned(Base):
    """What a company owns: its key begins with the company's."""

    __abstract__ = True
    tenant_id: Mapped[UUID] = mapped_column(sa.ForeignKey("shop.company.id"), primary_key=True)
    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)


def refers(column: str, table: str, **options: Any) -> sa.ForeignKeyConstraint:
    """A reference within a company that goes with what it refers to."""
    target = [f"shop.{table}.tenant_id", f"shop.{table}.id"]
    return sa.ForeignKeyConstraint(["tenant_id", column], target, ondelete="CASCADE", **options)


class Customer(Owned):
    __tablename__ = "customer"
    __table_args__ = (sa.UniqueConstraint("tenant_id", "name", name="customer_name_key"),)
    full_name: Mapped[str | None] = mapped_column("name")
    length: Mapped[int | None] = mapped_column(sa.Computed("length(name)", persisted=True))
    tags: Mapped[Any] = mapped_column(sa.JSON, nullable=True)


class Product(Owned):
    __tablename__ = "product"


class Line(Owned):
    __tablename__ = "line"
    __table_args__ = (refers("customer_id", "customer"), refers("product_id", "product"))
    customer_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    product_id: Mapped[int | None] = mapped_column(sa.BigInteger)


class Node(Owned):
    __tablename__ = "node"
    __table_args__ = (refers("parent_id", "node"),)
    parent_id: Mapped[int | None] = mapped_column(sa.BigInteger)


class Article(Base):
    __tablename__ = "article"
    id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(always=True), primary_key=True)
    price: Mapped[Any] = mapped_column(sa.Numeric(12, 2), nullable=True)


def layer(name: str) -> DataLayer:
    """The declared layer."""
    return DataLayer(
        Base.metadata,
        Tenancy(Company, shared=[Article]),
        SoftDelete(Customer, keep="90 days"),
        SoftDelete(Product, keep="90 days"),
        SoftDelete(Line, keep="90 days"),
        SoftDelete(Node),
        SoftDelete(Article),
        History(Customer),
        Roles(),
        name=name,
    )


def plant(connection: Connection) -> None:
    """Two companies with customers, products, lines of both, a tree; and articles."""
    with connection.transaction():
        connection.execute("INSERT INTO shop.company VALUES (%s), (%s)", (ONE, TWO))
        for t in (ONE, TWO):
            for statement in (
                "INSERT INTO shop.customer (tenant_id, id, name) SELECT %s, g, 'n' || g FROM generate_series(1, 5) g",
                "INSERT INTO shop.product SELECT %s, g FROM generate_series(1, 3) g",
                "INSERT INTO shop.line (tenant_id, id, customer_id, product_id)"
                " SELECT %s, g, 1 + g %% 5, 1 + g %% 3 FROM generate_series(1, 15) g",
                "INSERT INTO shop.node (tenant_id, id, parent_id) SELECT %s, g, g / 2 FROM generate_series(2, 7) g"
                " UNION ALL SELECT %s, 1, NULL",
            ):
                connection.execute(statement.encode(), (t,) * statement.count("%s"))
        connection.execute("INSERT INTO shop.article (price) SELECT g FROM generate_series(1, 5) g")


def rows(connection: Connection, table: str) -> list[Any]:
    """Every row of a table as text, in order."""
    query = sql.SQL("SELECT t::text FROM {} AS t ORDER BY 1").format(sql.Identifier("shop", table))
    return connection.execute(query).fetchall()


def broken(connection: Connection, declared: Declared) -> list[str]:
    """The room's promises that do not hold."""
    return unheld(connection, declared, "soft_delete")
