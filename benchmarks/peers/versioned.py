"""Two mapped classes, one with SQLAlchemy-Continuum's versions; importing this makes every session watch for them."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy.orm import DeclarativeBase, Mapped, configure_mappers, mapped_column
from sqlalchemy_continuum import make_versioned  # type: ignore[import-untyped]

make_versioned(user_cls=None)


class Base(DeclarativeBase):
    """What SQLAlchemy-Continuum watches."""


class Plain(Base):
    """An object without versions."""

    __tablename__ = "orm_plain"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    amount: Mapped[int]


class Versioned(Base):
    """The same with versions."""

    __tablename__ = "orm_versioned"
    __versioned__: ClassVar[dict[str, Any]] = {}
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    amount: Mapped[int]


configure_mappers()
