"""A small layer with histories of an owned, a shared and a root table, built on a real database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from freehold.kernel.compile import Declared, compile_layer
from freehold.kernel.declare import Declarations
from freehold.kernel.prove import Verdict
from freehold.rooms.history import ROOM, History
from freehold.rooms.roles import ROOM as ROLES
from freehold.rooms.roles import Roles
from freehold.rooms.tenancy import ROOM as TENANCY
from freehold.rooms.tenancy import Tenancy
from tests.rooms.building import Connection, judged, unheld

ONE, TWO = UUID(int=1), UUID(int=2)


class Base(DeclarativeBase):
    metadata = sa.MetaData(schema="shop")


class Company(Base):
    __tablename__ = "company"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    customers: Mapped[list[Customer]] = relationship(back_populates="company")


class Customer(Base):
    __tablename__ = "customer"
    tenant_id: Mapped[UUID] = mapped_column(sa.ForeignKey("shop.company.id"), primary_key=True)
    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    full_name: Mapped[str | None] = mapped_column("name")
    order: Mapped[int] = mapped_column(server_default="0")
    length: Mapped[int | None] = mapped_column(sa.Computed("length(name)", persisted=True))
    tags: Mapped[Any] = mapped_column(sa.JSON, nullable=True)
    since: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True), server_default=sa.func.clock_timestamp())
    company: Mapped[Company] = relationship(back_populates="customers")


class Article(Base):
    __tablename__ = "article"
    id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(always=True), primary_key=True)
    price: Mapped[Any] = mapped_column(sa.Numeric(12, 2), nullable=True)


LAYOUTS = ("history", "base", "born")
"""Where the current version is: in history, in its table, or there with a column that says since when."""


def layer(name: str, *more: object, layout: str = "history") -> Declared:
    """The compiled layer."""
    current: Any = "history" if layout == "history" else "base"
    items = (
        Tenancy(Company, shared=[Article]),
        History(Company, current=current),
        History(Customer, keep="7 years", current=current, born="since" if layout == "born" else None),
        History(Article, current=current),
        Roles(),
        *more,
    )
    return compile_layer(Declarations(metadata=Base.metadata, items=items, name=name), [ROOM, TENANCY, ROLES])


def plant(connection: Connection) -> None:
    """Two tenants with customers, and articles."""
    with connection.transaction():
        connection.execute("INSERT INTO shop.company (id, name) VALUES (%s, 'One'), (%s, 'Two')", (ONE, TWO))
        for tenant in (ONE, TWO):
            connection.execute(
                "INSERT INTO shop.customer (tenant_id, id, name)"
                " SELECT %s, g, 'n' || g FROM generate_series(1, 5) AS g",
                (tenant,),
            )
        connection.execute("INSERT INTO shop.article (price) SELECT g FROM generate_series(1, 5) AS g")


def verdicts(connection: Connection, declared: Declared) -> Sequence[Verdict]:
    """What the room's probes find."""
    return judged(connection, declared, "history")


def broken(connection: Connection, declared: Declared) -> list[str]:
    """The promises that do not hold."""
    return unheld(connection, declared, "history")
