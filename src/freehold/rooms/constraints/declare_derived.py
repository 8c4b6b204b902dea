"""Columns that say of a parent what its children add up to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from freehold.errors import DeclarationError
from freehold.kernel.declare import Entity, column_of, name_of, table_of
from freehold.kernel.names import shortened
from freehold.rooms.constraints.declare import Rule


@dataclass(frozen=True)
class Kept(Rule):
    """What a derived column and a counter have in common.

    Parameters
    ----------
    entity
        The parent.
    column
        The parent's column: an exact number, NOT NULL, with the server's default 0.
    where
        The children that count; all where it is None. It reads the child's columns alone, and calls nothing that
        changes with time.
    via
        The foreign key's columns where several lead to the parent.
    reset_on_insert
        Give a new parent zero, whatever it was to begin with, instead of refusing it: what a restore of a deleted
        parent needs, whose children are added again as they come back.
    """

    column: str = ""
    where: sa.SQLColumnExpression[bool] | None = field(default=None, kw_only=True, compare=False)
    via: tuple[str, ...] = field(default=(), kw_only=True)
    reset_on_insert: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        column_of(self.entity, self.column)
        for column in self.via:
            column_of(self.source, column)

    @property
    def source(self) -> Entity:
        """The children's table."""
        raise NotImplementedError

    @property
    def amount(self) -> str:
        """The child's column that is added up; "" where children are counted."""
        return ""

    @property
    def source_title(self) -> str:
        """The children's table for sentences."""
        return ".".join(name_of(self.source))

    def function(self, verb: str) -> tuple[str, str]:
        """Schema and name of a function of this rule."""
        label = self.name or f"{self.column}_kept"
        return self.table[0], shortened(f"{verb}_{self.table[1]}_{label}", 60) + "_v1"


@dataclass(frozen=True)
class Derived(Kept):
    """A parent's column is the sum of a column of its children, whoever writes them.

    A child whose amount is NULL adds nothing, one that refers to no parent counts nowhere, and a parent without
    children has 0.

    Parameters
    ----------
    sum
        The child's attribute or column that is added up.

    >>> Derived(Account, "balance", sum=Entry.amount, where=Entry.posted)  # doctest: +SKIP
    """

    sum: Any = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not _columns(self.sum):
            raise DeclarationError(
                f"Derived on {self.title}.{self.column} names no column to add up",
                detail=f"sum={self.sum!r}",
                hint="Give a mapped attribute or a column of the child: sum=Entry.amount.",
            )
        super().__post_init__()
        if (self.source, self.amount) == (table_of(self.entity), self.column):
            raise DeclarationError(
                f"{self.title}.{self.column} cannot be the sum of itself", hint="Add up another column."
            )

    @property
    def source(self) -> sa.Table:
        """The children's table."""
        return table_of(_columns(self.sum)[0].table)

    @property
    def amount(self) -> str:
        """The child's column that is added up."""
        return _columns(self.sum)[0].name


@dataclass(frozen=True)
class Counter(Kept):
    """A parent's column is the number of its children, whoever writes them.

    Parameters
    ----------
    of
        The child.

    >>> Counter(Project, "open_tasks", of=Task, where=~Task.done)  # doctest: +SKIP
    """

    of: Entity | None = None

    def __post_init__(self) -> None:
        if self.of is None:
            raise DeclarationError(
                f"Counter on {self.title}.{self.column} does not say what it counts", hint="Say of=Task."
            )
        super().__post_init__()

    @property
    def source(self) -> Entity:
        """The children's table."""
        assert self.of is not None
        return self.of


def _columns(attribute: Any) -> tuple[sa.Column[Any], ...]:
    """The table's column behind an attribute; none behind anything else."""
    given = attribute.__clause_element__() if hasattr(attribute, "__clause_element__") else attribute
    if not isinstance(given, sa.Column):
        return ()
    return tuple(column for column in given.base_columns if isinstance(column, sa.Column) and column.table is not None)
