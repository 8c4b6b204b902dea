"""A small layer with encrypted contacts of tenants, encrypted settings of nobody, history, and search."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from freehold import DataLayer, History, Roles, Tenancy
from freehold.kernel.compile import Declared
from freehold.rooms.encryption import BlindIndex, Encrypted, EncryptedType, blind_index_column
from tests.rooms.building import Connection, unheld

ONE, TWO = UUID(int=1), UUID(int=2)
SECRET = bytes(range(32))


class Base(DeclarativeBase):
    metadata = sa.MetaData(schema="shop")


class Company(Base):
    __tablename__ = "company"
    id: Mapped[UUID] = mapped_column(primary_key=True)


class Contact(Base):
    __tablename__ = "contact"
    tenant_id: Mapped[UUID] = mapped_column(sa.ForeignKey("shop.company.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str | None]
    mail: Mapped[str | None] = mapped_column("email", EncryptedType())
    email_blind: Mapped[bytes | None] = blind_index_column()
    phone: Mapped[str | None] = mapped_column(EncryptedType())
    badge: Mapped[str | None] = mapped_column(EncryptedType())
    badge_blind: Mapped[bytes | None] = blind_index_column()


class Setting(Base):
    __tablename__ = "setting"
    name: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    secret: Mapped[bytes | None] = mapped_column(EncryptedType("bytes"))
    number: Mapped[int | None] = mapped_column(EncryptedType("int"))
    amount: Mapped[Decimal | None] = mapped_column(EncryptedType("decimal"))
    day: Mapped[date | None] = mapped_column(EncryptedType("date"))
    notes: Mapped[Any | None] = mapped_column(EncryptedType("json"))


CONTACTS = Encrypted(
    Contact,
    "email",
    "phone",
    "badge",
    search={"email": BlindIndex(bits=32, normalise="casefold"), "badge": BlindIndex(unique=True)},
)
SETTINGS = Encrypted(Setting, "secret", "number", "amount", "day", "notes")


def layer(name: str) -> DataLayer:
    """The declared layer."""
    return DataLayer(
        Base.metadata,
        Tenancy(Company, shared=[Setting]),
        CONTACTS,
        SETTINGS,
        History(Contact, keep="7 years"),
        Roles(writes=[Setting]),
        name=name,
    )


def broken(connection: Connection, declared: Declared) -> list[str]:
    """The room's promises that do not hold, or could not be tried."""
    return unheld(connection, declared, "encryption")
