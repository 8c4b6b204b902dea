"""Declarations over plain SQLAlchemy models, and how they are read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase

from freehold.errors import DeclarationError, UnknownColumn, UnknownTable
from freehold.kernel.objects import Object

Entity = type[DeclarativeBase] | sa.Table | type[Any]
"""A mapped class or a table of the metadata."""


def table_of(entity: Entity) -> sa.Table:
    """The table behind a mapped class, or the table itself.

    Raises
    ------
    UnknownTable
        It is neither.
    """
    table = entity if isinstance(entity, sa.Table) else getattr(entity, "__table__", None)
    if not isinstance(table, sa.Table):
        raise UnknownTable(
            f"{entity!r} is neither a mapped class nor a table",
            hint="Give the declaration a SQLAlchemy mapped class or Table.",
        )
    return table


def name_of(entity: Entity) -> tuple[str, str]:
    """``(schema, table)`` of an entity; a table without a schema is in ``public``."""
    table = table_of(entity)
    return (table.schema or "public", table.name)


def column_of(entity: Entity, column: str) -> sa.Column[Any]:
    """A column of an entity by its name in the database.

    Raises
    ------
    UnknownColumn
        The table has no such column.
    """
    table = table_of(entity)
    if column not in table.columns:
        raise UnknownColumn(
            f"Table {'.'.join(name_of(table))} has no column {column!r}",
            detail=f"Its columns are {', '.join(table.columns.keys())}.",
            hint="Name a column as it is called in the database.",
        )
    found: sa.Column[Any] = table.columns[column]
    return found


_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800, "month": 2629746, "year": 31556952}
_DURATION = re.compile(r"(\d+)\s*(second|minute|hour|day|week|month|year)s?")


@dataclass(frozen=True)
class OfTable:
    """What a declaration about one table has.

    Parameters
    ----------
    entity
        A mapped class or a table.
    """

    entity: Entity

    @property
    def table(self) -> tuple[str, str]:
        """``(schema, table)``."""
        return name_of(self.entity)

    @property
    def title(self) -> str:
        """The table's name for sentences."""
        return ".".join(self.table)


CIPHERTEXT = "freehold_ciphertext"
"""The mark, among a column's ``info``, of one that holds what only the application can read, or tells equal values."""


def holds_ciphertext(column: sa.Column[Any]) -> bool:
    """Whether a column is marked, or its type says so of itself by an attribute ``ciphertext``."""
    return bool(column.info.get(CIPHERTEXT) or getattr(column.type, "ciphertext", False))


def seconds_of(duration: str) -> int:
    """Seconds in a duration such as ``"90 minutes"`` or ``"7 years"`` (a year has 365.2425 days).

    Raises
    ------
    DeclarationError
        The text is not a number and a unit.
    """
    match = _DURATION.fullmatch(duration.strip().lower())
    if not match:
        raise DeclarationError(
            f"{duration!r} is not a duration",
            hint="Write a number and a unit: 30 seconds, 90 minutes, 7 years.",
        )
    return int(match[1]) * _UNITS[match[2]]


@dataclass(frozen=True)
class Extra:
    """Objects of the application's own, such as a function and its constraint trigger, kept like every other object."""

    objects: Sequence[Object]

    def __init__(self, *objects: Object) -> None:
        object.__setattr__(self, "objects", tuple(objects))


@dataclass(frozen=True, init=False)
class Adopted:
    """Tables that were there before the layer, and of which nothing is declared yet: no room makes anything for them.

    ``Adopted(Customer, Invoice, on="2026-03-01")`` says since when. A partition goes with its table. A table comes
    under the layer when it is taken out of here and classified by ``Tenancy``.

    Raises
    ------
    DeclarationError
        ``on`` is no date.
    """

    entities: tuple[Entity, ...]
    on: str

    def __init__(self, *entities: Entity, on: str) -> None:
        object.__setattr__(self, "entities", entities)
        object.__setattr__(self, "on", on)
        if not _DATE.fullmatch(on):
            raise DeclarationError(
                f"Adopted(on={on!r}) is no date", hint="Write the day of the adoption as 2026-03-01."
            )

    @property
    def reason(self) -> str:
        """Why its tables are exempt."""
        return f"not classified yet: adopted on {self.on}"


@dataclass(frozen=True)
class Rename:
    """A table or column that has a new name; renames are declared, never guessed.

    ``Rename(Customer, was="client")`` renames the table; ``Rename(Customer, column="email", was="mail")`` a column.
    Until the contraction older applications find a table under its old name, by a view, and a column that is not part
    of the key under both names, kept in step; ``at_once`` leaves no old name, which stops them.
    """

    entity: Entity
    was: str
    column: str = ""
    at_once: bool = False


@dataclass(frozen=True)
class Backfill:
    """The value that a column gets in the rows that are there, and in those of applications that do not give it yet.

    Parameters
    ----------
    entity
        A mapped class or a table.
    column
        The column by its name in the database: a new one, one that becomes required, or one that changes its type.
    value
        A constant, or an expression over the table's columns; a scalar subquery may read other tables.

    Raises
    ------
    UnknownColumn
        The table has no such column.

    >>> import sqlalchemy as sa
    >>> customer = sa.Table("customer", sa.MetaData(), sa.Column("mail", sa.Text), sa.Column("domain", sa.Text))
    >>> Backfill(customer, "domain", sa.func.split_part(customer.c.mail, "@", 2)).column
    'domain'
    """

    entity: Entity
    column: str
    value: Any

    def __post_init__(self) -> None:
        column_of(self.entity, self.column)


@dataclass(frozen=True)
class Declarations:
    """SQLAlchemy metadata and the list of what its data must promise."""

    metadata: sa.MetaData
    items: tuple[object, ...]
    name: str

    def of_type(self, kind: type[Any]) -> Iterable[Any]:
        """The declarations of one type, in their order."""
        return (item for item in self.items if isinstance(item, kind))
