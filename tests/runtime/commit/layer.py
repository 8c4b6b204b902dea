"""A ledger of entries without a unique mark, so that work done twice is seen as two rows."""

from __future__ import annotations

import datetime
import decimal
import enum
from typing import Any
from uuid import UUID, uuid4

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from freehold import DataLayer, Outcomes, Roles, Tenancy
from freehold.operations import apply_layer
from freehold.rooms.tenancy import tenant_unique

SECRET = bytes(range(32))
PASSWORD = "of the application"
ONE, TWO = UUID(int=1), UUID(int=2)
LARGEST = 1000
"""Bytes of a stored result."""


class Mood(enum.Enum):
    """A type of the database's own."""

    GOOD = "good"
    BAD = "bad"


class Base(DeclarativeBase):
    """The ledger's tables."""

    metadata = sa.MetaData(schema="ledger")


class Company(Base):
    """The tenants."""

    __tablename__ = "company"
    id: Mapped[UUID] = mapped_column(primary_key=True)


class Entry(Base):
    """What a transaction leaves behind; nothing stops it from being there twice."""

    __tablename__ = "entry"
    tenant_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Company.id), primary_key=True)
    id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(), primary_key=True)
    mark: Mapped[str] = mapped_column(sa.Text)
    amount: Mapped[int] = mapped_column(sa.BigInteger, default=0)


class Invoice(Base):
    """A number that is derived from a read, and a code that is not."""

    __tablename__ = "invoice"
    tenant_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Company.id), primary_key=True)
    number: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    code: Mapped[str | None] = mapped_column(sa.Text)
    parent: Mapped[int | None] = mapped_column(sa.BigInteger)
    __table_args__ = (
        tenant_unique("code"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "parent"],
            ["ledger.invoice.tenant_id", "ledger.invoice.number"],
            name="invoice_parent",
            deferrable=True,
            initially="DEFERRED",
        ),
    )


class Sample(Base):
    """A column of each type."""

    __tablename__ = "sample"
    tenant_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Company.id), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    price: Mapped[decimal.Decimal | None] = mapped_column(sa.Numeric(12, 4))
    document: Mapped[Any] = mapped_column(JSONB, nullable=True)
    words: Mapped[list[str] | None] = mapped_column(ARRAY(sa.Text))
    mood: Mapped[Mood | None] = mapped_column(sa.Enum(Mood, name="mood", native_enum=False))
    at: Mapped[datetime.datetime] = mapped_column(sa.DateTime(timezone=True), server_default=sa.func.now())
    day: Mapped[datetime.date | None]
    octets: Mapped[bytes | None]
    flag: Mapped[bool] = mapped_column(default=True)
    ratio: Mapped[float | None]
    words_default: Mapped[str] = mapped_column(sa.Text, server_default="of the server")


def layer(name: str) -> DataLayer:
    """The layer of that name."""
    outcomes = Outcomes(keep="30 days", largest_result=LARGEST)
    return DataLayer(Base.metadata, Tenancy(Company), Roles(), outcomes, name=name)


def build(connection: psycopg.Connection[Any], name: str) -> DataLayer:
    """The layer on an empty database, with two tenants, a key and the application's password."""
    made = layer(name)
    apply_layer(connection, made.declared)
    connection.execute("SELECT freehold.add_context_key_v1('k1', %s)", (SECRET,))
    connection.execute("INSERT INTO ledger.company VALUES (%s), (%s)", (ONE, TWO))
    role = psycopg.sql.Identifier(f"{name}_app_a")
    connection.execute(psycopg.sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, psycopg.sql.Literal(PASSWORD)))
    return made
