"""What the user writes: whose versions are kept, for how long, and where the current one is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from freehold.errors import DeclarationError
from freehold.kernel.declare import Entity, name_of, seconds_of, table_of


@dataclass(frozen=True)
class History:
    """Every version of every row of a table.

    Parameters
    ----------
    entity
        A mapped class or a table; it needs a primary key.
    keep
        How long a version is kept after it ended, such as ``"7 years"``; None keeps all.
    current
        Where the current version of a row is. ``"history"`` keeps it in the history table too, so that a change
        behind the triggers' back is found. ``"base"`` keeps only versions that ended there: an update writes one row
        of history in the place of two, and a row keeps its key.
    born
        With ``current="base"``: the column that says since when a row is there, a timestamp with time zone that is
        never NULL and whose ``server_default`` is ``clock_timestamp()``. An INSERT then leaves nothing in history, not
        even its actor. Without it an INSERT leaves a short row: the key, when, and by whom.

    Raises
    ------
    DeclarationError
        The table has no primary key, or ``born`` names no such column.

    >>> import sqlalchemy as sa
    >>> History(sa.Table("price", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True)), keep="7 years").keep
    '7 years'
    """

    entity: Entity
    keep: str | None = None
    current: Literal["history", "base"] = "history"
    born: str | None = None

    def __post_init__(self) -> None:
        if self.keep is not None:
            seconds_of(self.keep)
        if not table_of(self.entity).primary_key.columns:
            raise DeclarationError(
                f"Table {'.'.join(name_of(self.entity))} has no primary key, so that its rows are nobody over time",
                hint="Give the table a primary key, or take it out of History.",
            )
        if self.current not in ("history", "base"):
            raise DeclarationError(
                f"The current version of a row is in {self.current!r}, which is no place",
                hint="Say current='history' or current='base'.",
            )
        if self.born is not None:
            self._check_born(self.born)

    def _check_born(self, name: str) -> None:
        table = table_of(self.entity)
        column = table.columns.get(name)
        kind = column.type if column is not None else None
        fits = isinstance(kind, sa.DateTime) and kind.timezone and column is not None and not column.nullable
        if not fits or self.current != "base" or name in table.primary_key.columns:
            raise DeclarationError(
                f"Column {name} of {'.'.join(name_of(self.entity))} cannot say since when a row is there",
                detail="It is a timestamp with time zone, NOT NULL, not part of the key, and used with current='base'.",
                hint="Name such a column, with server_default=func.clock_timestamp().",
            )
