"""A layer with every rule, over tables of tenants and one that all share."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import INT4RANGE, Range
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from freehold import DataLayer, Roles, Tenancy, tenant_foreign_key
from freehold.rooms.constraints import Balanced, Limit, NoOverlap, StateMachine


class Base(DeclarativeBase):
    metadata = sa.MetaData(schema="shop")


class Company(Base):
    __tablename__ = "company"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    seats: Mapped[int | None]


class Owned:
    """A table that a company owns."""

    tenant_id: Mapped[UUID] = mapped_column(sa.ForeignKey("shop.company.id"), primary_key=True)
    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)


class Member(Owned, Base):
    __tablename__ = "member"
    left: Mapped[bool] = mapped_column(server_default="false")


class Team(Owned, Base):
    __tablename__ = "team"


class Player(Owned, Base):
    __tablename__ = "player"
    __table_args__ = (tenant_foreign_key("team_id", "shop.team.id"),)
    team_id: Mapped[int | None] = mapped_column(sa.BigInteger)


class Booking(Owned, Base):
    __tablename__ = "booking"
    room_id: Mapped[int]
    begins: Mapped[date]
    ends: Mapped[date]
    cancelled: Mapped[bool] = mapped_column(server_default="false")


class Shelf(Base):
    __tablename__ = "shelf"
    id: Mapped[int] = mapped_column(primary_key=True)
    span: Mapped[Range[int]] = mapped_column(INT4RANGE)


class Order(Owned, Base):
    __tablename__ = "order"
    status: Mapped[str] = mapped_column(server_default="draft")


class Line(Owned, Base):
    __tablename__ = "line"
    booking_id: Mapped[int] = mapped_column(sa.BigInteger)
    currency: Mapped[str]
    amount: Mapped[int] = mapped_column(sa.Numeric(12, 2))


RULES = (
    NoOverlap(Booking, per=("room_id",), during=("begins", "ends"), where=~Booking.cancelled),
    NoOverlap(Shelf, during="span"),
    StateMachine(
        Order,
        "status",
        initial=("draft", "quote"),
        allowed={"quote": ("draft", "void"), "draft": ("placed", "void"), "placed": ("paid", "void"), "paid": ()},
    ),
    Balanced(Line, amount="amount", per=("booking_id", "currency")),
    Limit(Member, of=Company, at_most="seats", where=~Member.left),
    Limit(Player, of=Team, at_most=2),
)


def layer(name: str, *rules: object) -> DataLayer:
    """The layer with these rules."""
    return DataLayer(Base.metadata, Tenancy(Company, shared=[Shelf]), Roles(), *rules, name=name)
