"""The rules that a table's rows keep beyond what a column or a foreign key can say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from freehold.errors import DeclarationError
from freehold.kernel.declare import Entity, OfTable, column_of

BOUNDS = ("[)", "[]", "(]", "()")


@dataclass(frozen=True)
class Rule(OfTable):
    """What every rule has: the table that it is about.

    Parameters
    ----------
    entity
        The model or table.
    name
        What tells it from another rule of the kind on the table; made of the columns where it is empty.
    """

    name: str = field(default="", kw_only=True)


@dataclass(frozen=True)
class NoOverlap(Rule):
    """Of the rows that agree in some columns, no two overlap in time or in another range.

    Parameters
    ----------
    per
        The columns that must agree, such as the room that is booked. A tenant-owned table's tenant is always one.
    during
        A column of a range type, or the two columns that a period begins and ends with.
    bounds
        For two columns, which ends belong to the period: ``"[)"`` includes the first and not the second.
    where
        The rows that it is about; all where it is None.

    >>> NoOverlap(Booking, per=("room_id",), during=("begins", "ends"), where=~Booking.cancelled)  # doctest: +SKIP
    """

    per: tuple[str, ...] = ()
    during: str | tuple[str, str] = ""
    bounds: str = "[)"
    where: sa.ColumnElement[bool] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        _check_columns(self.entity, (*self.per, *self.ends))
        if not self.ends or self.bounds not in BOUNDS:
            raise DeclarationError(
                f"NoOverlap on {self.title} does not say when a row is in force",
                hint=f"Give during= a range column or two columns, and bounds= one of {', '.join(BOUNDS)}.",
            )

    @property
    def ends(self) -> tuple[str, ...]:
        """The columns of the period."""
        if isinstance(self.during, str):
            return (self.during,) if self.during else ()
        return tuple(self.during)


@dataclass(frozen=True)
class StateMachine(Rule):
    """A status goes only where it is allowed to.

    Parameters
    ----------
    column
        The status, of a text or enum type.
    initial
        Where a new row may begin.
    allowed
        From each status, those that may follow it; a status that names none is final.

    >>> StateMachine(Order, "status", initial=("draft",), allowed={"draft": ("placed", "void")})  # doctest: +SKIP
    """

    column: str = ""
    initial: tuple[str, ...] = ()
    allowed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_columns(self.entity, (self.column,))
        if not self.initial:
            raise DeclarationError(
                f"StateMachine on {self.title}.{self.column} has no status to begin with",
                hint='Say initial=("draft",).',
            )
        unreachable = (
            set(self.allowed) - set(self.initial) - {after for then in self.allowed.values() for after in then}
        )
        if unreachable:
            raise DeclarationError(
                f"No row of {self.title} can ever have the status {', '.join(sorted(unreachable))}",
                hint="Name it in initial=, or among those that follow another status.",
            )

    @property
    def states(self) -> tuple[str, ...]:
        """Every status, in the order of the declaration."""
        named = (state for before, then in self.allowed.items() for state in (before, *then))
        return tuple(dict.fromkeys((*self.initial, *named)))


@dataclass(frozen=True)
class Balanced(Rule):
    """Whenever a transaction commits, each group of rows sums to zero.

    Parameters
    ----------
    amount
        A numeric or integer column.
    per
        The columns that make a group, none of them nullable, such as the booking and its currency. A tenant-owned
        table's tenant is always one.

    >>> Balanced(Entry, amount="amount", per=("booking_id", "currency"))  # doctest: +SKIP
    """

    amount: str = ""
    per: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_columns(self.entity, (self.amount, *self.per))
        if not self.per:
            raise DeclarationError(
                f"Balanced on {self.title} does not say which rows balance each other",
                hint='Name the columns of a group: per=("booking_id", "currency").',
            )


@dataclass(frozen=True)
class Limit(Rule):
    """A parent has at most so many children, however many are added at once.

    Parameters
    ----------
    of
        The parent.
    at_most
        A number, or the parent's column that holds it; NULL there is no limit.
    where
        The children that count; all where it is None.
    via
        The foreign key's columns where several lead to the parent.

    >>> Limit(Member, of=Account, at_most="seats", where=Member.left_at.is_(None))  # doctest: +SKIP
    """

    of: Entity | None = None
    at_most: int | str = 0
    where: sa.ColumnElement[bool] | None = field(default=None, compare=False)
    via: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.of is None:
            raise DeclarationError(f"Limit on {self.title} names no parent", hint="Say of=Account.")
        if isinstance(self.at_most, str):
            _check_columns(self.of, (self.at_most,))
        elif self.at_most < 0:
            raise DeclarationError(f"Limit on {self.title} is negative", hint="Say at_most= a number from 0.")
        _check_columns(self.entity, self.via)


def _check_columns(entity: Entity, columns: tuple[Any, ...]) -> None:
    for column in columns:
        column_of(entity, column)
