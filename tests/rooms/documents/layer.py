"""A small layer with orders, whose details are documents of two versions, built on a real database."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from freehold.kernel.compile import Declared, compile_layer
from freehold.kernel.declare import Declarations
from freehold.kernel.prove import Verdict
from freehold.rooms.documents import ROOM, Document, DocumentType, Path, Promoted, Upgrade, promote, version_column
from freehold.rooms.roles import ROOM as ROLES
from freehold.rooms.roles import Roles
from freehold.rooms.tenancy import ROOM as TENANCY
from freehold.rooms.tenancy import Tenancy
from tests.rooms.building import Connection, judged, unheld

ONE, TWO = UUID(int=1), UUID(int=2)


class Line(BaseModel):
    model_config = ConfigDict(extra="forbid")
    sku: str = Field(min_length=1, pattern="^[A-Z0-9-]+$")
    quantity: int = Field(ge=1)
    price: Decimal = Field(default=Decimal(1), decimal_places=2)


class Details(BaseModel):
    model_config = ConfigDict(extra="forbid")
    status: str
    lines: list[Line]
    notes: dict[str, str] = {}


FIRST = {
    "type": "object",
    "required": ["state"],
    "properties": {"state": {"enum": ["new", "sent"]}},
    "additionalProperties": False,
}


def to_second(document: Any) -> Any:
    """Version 2 calls the state a status, and has lines."""
    return {"status": document["state"], "lines": []}


UPGRADES = {1: Upgrade(FIRST, to_second)}


class Base(DeclarativeBase):
    metadata = sa.MetaData(schema="shop")


class Company(Base):
    __tablename__ = "company"
    id: Mapped[UUID] = mapped_column(primary_key=True)


class Order(Base):
    __tablename__ = "order"
    tenant_id: Mapped[UUID] = mapped_column(sa.ForeignKey("shop.company.id"), primary_key=True)
    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    details: Mapped[Details | None] = mapped_column(DocumentType(Details, 2, UPGRADES))
    details_version: Mapped[int] = version_column(2)
    status: Mapped[str | None] = mapped_column(sa.Text, promote("status", sa.Text(), of="details"))


class Catalogue(Base):
    __tablename__ = "catalogue"
    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    entry: Mapped[Any] = mapped_column(JSONB, nullable=True)


ORDERS = Document(
    Order,
    "details",
    schema=Details,
    version=2,
    upgrades=UPGRADES,
    index=(Path("status"),),
    promoted=(Promoted(Path("status"), into="status"),),
)
ENTRIES = Document(
    Catalogue,
    "entry",
    schema={"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
    index=(Path("maker.city"), Path("parts[*].sku", kind="contains")),
)


def layer(name: str, *more: object) -> Declared:
    """The compiled layer."""
    items = (Tenancy(Company, shared=[Catalogue]), ORDERS, ENTRIES, Roles(), *more)
    return compile_layer(Declarations(metadata=Base.metadata, items=items, name=name), [ROOM, TENANCY, ROLES])


def plant(connection: Connection) -> None:
    """Two tenants with an order of each version, and entries."""
    with connection.transaction():
        connection.execute("INSERT INTO shop.company (id) VALUES (%s), (%s)", (ONE, TWO))
        for tenant in (ONE, TWO):
            connection.execute(
                'INSERT INTO shop."order" (tenant_id, id, details, details_version) VALUES'
                """ (%(t)s, 1, '{"state": "sent"}', 1),"""
                """ (%(t)s, 2, '{"status": "new", "lines": [{"sku": "A-1", "quantity": 2}]}', 2)""",
                {"t": tenant},
            )
        connection.execute("""INSERT INTO shop.catalogue VALUES (1, '{"name": "a"}'), (2, '{"name": "b"}')""")


def verdicts(connection: Connection, declared: Declared) -> Sequence[Verdict]:
    """What the room's probes find."""
    return judged(connection, declared, "documents")


def broken(connection: Connection, declared: Declared) -> list[str]:
    """The promises that do not hold."""
    return unheld(connection, declared, "documents")
