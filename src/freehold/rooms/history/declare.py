"""What the user writes: whose versions are kept, for how long, and where the current one is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

import sqlalchemy as sa

from freehold.errors import DeclarationError
from freehold.kernel.declare import Entity, name_of, seconds_of, table_of
from freehold.kernel.names import shortened
from freehold.kernel.periods import KINDS, Cut, Period, now


def history_name(table: str) -> str:
    """The name of a table's history table."""
    return shortened(f"{table}_history")


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
    every, since
        With ``current="base"`` and ``keep``: history is cut by the time at which versions ended, a partition for each
        ``"month"`` for instance, from the one that has the day ``since``. What is past its time then leaves as a whole,
        by ``freehold partitions --maintain``.

    Raises
    ------
    DeclarationError
        The table has no primary key, ``born`` names no such column, or ``every`` stands alone.

    >>> import sqlalchemy as sa
    >>> History(sa.Table("price", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True)), keep="7 years").keep
    '7 years'
    """

    entity: Entity
    keep: str | None = None
    current: Literal["history", "base"] = "history"
    born: str | None = None
    every: Period | None = None
    since: date | None = None
    clock: Callable[[], datetime] = field(default=now, compare=False, repr=False)

    @property
    def cut(self) -> Cut | None:
        """How history is cut by time, if it is."""
        if self.every is None:
            return None
        schema, table = name_of(self.entity)
        kind = "timestamp with time zone"
        return Cut((schema, history_name(table)), kind, self.every, keep=self.keep, since=self.since, clock=self.clock)

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
        if (self.every or self.since) and not (
            self.every in KINDS and self.since and self.keep and self.current == "base"
        ):
            raise DeclarationError(
                f"The history of {'.'.join(name_of(self.entity))} does not say how it is cut",
                hint=f"Say every= one of {', '.join(KINDS)}, with since=, keep= and current='base'.",
            )

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
