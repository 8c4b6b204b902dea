"""A small layer with histories of an owned, a shared and a root table, built on a real database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import psycopg
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from freehold.kernel.compile import Declared, compile_layer
from freehold.kernel.declare import Declarations
from freehold.kernel.objects import Grant, Site
from freehold.kernel.prove import Outcome, Verdict, run_probes
from freehold.kernel.scratch import ordered
from freehold.rooms.history import ROOM, History
from freehold.rooms.roles import ROOM as ROLES
from freehold.rooms.roles import Roles
from freehold.rooms.tenancy import ROOM as TENANCY
from freehold.rooms.tenancy import Tenancy

Connection = psycopg.Connection[Any]
ONE, TWO = UUID(int=1), UUID(int=2)


class Base(DeclarativeBase):
    metadata = sa.MetaData(schema="shop")


class Company(Base):
    __tablename__ = "company"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]


class Customer(Base):
    __tablename__ = "customer"
    tenant_id: Mapped[UUID] = mapped_column(sa.ForeignKey("shop.company.id"), primary_key=True)
    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    full_name: Mapped[str | None] = mapped_column("name")
    order: Mapped[int] = mapped_column(server_default="0")
    length: Mapped[int | None] = mapped_column(sa.Computed("length(name)", persisted=True))
    tags: Mapped[Any] = mapped_column(sa.JSON, nullable=True)


class Article(Base):
    __tablename__ = "article"
    id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(always=True), primary_key=True)
    price: Mapped[Any] = mapped_column(sa.Numeric(12, 2), nullable=True)


def layer(name: str, *more: object) -> Declared:
    """The compiled layer."""
    items = (
        Tenancy(Company, shared=[Article]),
        History(Company),
        History(Customer, keep="7 years"),
        History(Article),
        Roles(),
        *more,
    )
    return compile_layer(Declarations(metadata=Base.metadata, items=items, name=name), [ROOM, TENANCY, ROLES])


def build(connection: Connection, declared: Declared) -> None:
    """Make every object of a layer in an empty database, with a key to sign contexts with."""
    site = Site(connection.info.dbname, connection.info.server_version, frozenset(declared.objects))
    with connection.transaction():
        connection.execute("SET LOCAL check_function_bodies = off")
        for item in ordered(declared.objects):
            empty = isinstance(item, Grant) and not item.privileges
            if item.kind == "column" or (empty and item.name[0] == "function"):
                continue
            for change in item.drop(site) if empty else item.create(site):
                for statement in change.statements:
                    connection.execute(sql.SQL(statement))
        connection.execute("SELECT freehold.add_context_key_v1('first', %s)", (b"0123456789abcdef0123456789abcdef",))


def bind(connection: Connection, tenant: UUID | str, actor: str = "ann") -> None:
    """Bind a context to the transaction."""
    connection.execute(
        "SELECT set_config('freehold.context', freehold.issue_context_v1(%s::text, %s, '1 minute'), true)",
        (str(tenant), actor),
    )


def act_as(connection: Connection, role: str) -> None:
    """Take a role for the transaction."""
    connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))


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
    return run_probes(connection, [probe for probe in declared.probes if probe.room == "history"])


def broken(connection: Connection, declared: Declared) -> list[str]:
    """The promises that do not hold."""
    return [found.promise for found in verdicts(connection, declared) if found.verdict is not Outcome.HELD]
