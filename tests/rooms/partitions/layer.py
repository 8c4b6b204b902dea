"""A layer with a log cut by day, one cut by the tenant's hash, and what refers to them; its clock is the test's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from freehold import DataLayer, History, Partitioned, Roles, Tenancy

ONE, TWO = UUID(int=1), UUID(int=2)
SECRET = bytes(range(32))
NOW = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)


class Base(DeclarativeBase):
    metadata = sa.MetaData(schema="shop")


class Company(Base):
    __tablename__ = "company"
    id: Mapped[UUID] = mapped_column(primary_key=True)


class Event(Base):
    __tablename__ = "event"
    __table_args__ = (
        sa.CheckConstraint("units > 0", name="event_units"),
        sa.Index("event_units_ix", "tenant_id", "units"),
        {"postgresql_partition_by": "RANGE (at)"},
    )
    tenant_id: Mapped[UUID] = mapped_column(sa.ForeignKey("shop.company.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True), primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    units: Mapped[int] = mapped_column(server_default="1")
    twice: Mapped[int] = mapped_column(sa.Computed("units * 2", persisted=True))


class Remark(Base):
    __tablename__ = "remark"
    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["tenant_id", "at", "event_id"], ["shop.event.tenant_id", "shop.event.at", "shop.event.id"]
        ),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))


class Item(Base):
    __tablename__ = "item"
    __table_args__ = ({"postgresql_partition_by": "HASH (tenant_id)"},)
    tenant_id: Mapped[UUID] = mapped_column(sa.ForeignKey("shop.company.id"), primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


@dataclass
class Clock:
    """The present, as a test says."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


def events(clock: Clock, **options: Any) -> Partitioned:
    return Partitioned(Event, **{"every": "day", "ahead": 2, "keep": "3 days", "clock": clock, **options})


def layer(name: str, clock: Clock, export: Path | None = None, *, heard: bool = False) -> DataLayer:
    """``heard``: history hears of every row, and stands before the table is cut."""
    return DataLayer(
        Base.metadata,
        Tenancy(Company),
        Roles(),
        *([History(Event)] if heard else []),
        events(clock, export=export),
        Partitioned(Item, parts=4),
        name=name,
    )


def day(number: int, hour: int = 12) -> datetime:
    """A moment in March 2026, or after it."""
    return datetime.fromordinal(date(2026, 3, 1).toordinal() + number - 1).replace(hour=hour, tzinfo=UTC)
