"""What the user writes: how often a table is cut, how far ahead, how long its periods are kept, and where they go."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import sqlalchemy as sa

from freehold.errors import DeclarationError
from freehold.kernel.declare import OfTable, table_of
from freehold.kernel.periods import KINDS, Cut, Period, now

_KEY = re.compile(r'\s*(RANGE|HASH)\s*\(\s*"?(\w+)"?\s*\)\s*', re.IGNORECASE)
MOST_PARTS = 1024
"""The planner looks at each partition that it cannot rule out; PostgreSQL's manual advises a few thousand at most."""


@dataclass(frozen=True)
class Partitioned(OfTable):
    """A large table is cut into partitions: by time, or by the tenant's hash.

    The model says by which column, as SQLAlchemy has it: ``{"postgresql_partition_by": "RANGE (occurred_at)"}`` in
    ``__table_args__``. This declaration makes the partitions.

    Parameters
    ----------
    entity
        A mapped class or a table.
    every
        The period of one partition; of a table that is cut by RANGE of a date or timestamp.
    ahead
        How many periods after the present one are there, so that rows find their place.
    keep
        How long a period is kept after its end, such as ``"24 months"``; None keeps all, and needs ``since``.
    since
        The first day of which rows are kept; None begins ``keep`` ago. Periods from here on are all there, so that
        late rows find theirs.
    export
        The folder into which ``freehold partitions --maintain`` writes a period as a Parquet file before it is dropped;
        None drops it.
    parts
        How many partitions; of a table that is cut by HASH of a column, such as the tenant's.
    clock
        Tells the present time.

    Raises
    ------
    DeclarationError
        The model is not partitioned, or the parameters do not fit how it is.
    """

    every: Period | None = None
    ahead: int = 3
    keep: str | None = None
    since: date | None = None
    export: str | Path | None = None
    parts: int = 0
    clock: Callable[[], datetime] = field(default=now, compare=False, repr=False)

    def __post_init__(self) -> None:
        kind, column = self.method, self.column
        if column not in table_of(self.entity).columns:
            raise self._refused(f"is cut by {column}, which is no column", "Name a column in postgresql_partition_by.")
        if kind == "HASH":
            self._check_hash()
        else:
            self._check_range()
        self._check_keys()

    @property
    def method(self) -> str:
        """RANGE or HASH."""
        return self._by[0]

    @property
    def column(self) -> str:
        """The column that decides."""
        return self._by[1]

    @property
    def cut(self) -> Cut:
        """How the table is cut by time."""
        assert self.every is not None
        kind = table_of(self.entity).columns[self.column].type
        zoned = isinstance(kind, sa.DateTime) and kind.timezone
        text = f"timestamp {'with' if zoned else 'without'} time zone" if isinstance(kind, sa.DateTime) else "date"
        return Cut(self.table, text, self.every, self.ahead, self.keep, self.since, self.export, self.clock)

    @property
    def cutoff(self) -> datetime | None:
        """Periods that ended by then are past their time."""
        return None if self.keep is None else self.cut.cutoff

    @property
    def _by(self) -> tuple[str, str]:
        text = table_of(self.entity).dialect_options["postgresql"]["partition_by"]
        found = _KEY.fullmatch(text or "")
        if not found:
            raise self._refused(
                f"is not partitioned by RANGE or HASH of one column: {text!r}",
                'Write {"postgresql_partition_by": "RANGE (occurred_at)"} as the last item of __table_args__.',
            )
        return found[1].upper(), found[2]

    def _check_range(self) -> None:
        kind = table_of(self.entity).columns[self.column].type
        if not isinstance(kind, sa.Date | sa.DateTime):
            raise self._refused(f"is cut by {self.column}, which is no date or time", "Cut by a date or a timestamp.")
        if self.every not in KINDS or self.parts or self.ahead < 1:
            raise self._refused(
                "does not say how it is cut", f"Say every= one of {', '.join(KINDS)}, ahead= at least 1, and no parts=."
            )
        if self.every == "hour" and not isinstance(kind, sa.DateTime):
            raise self._refused("is cut by the hour of a date", "Cut by a timestamp, or say every='day'.")
        if self.keep is None and self.since is None:
            raise self._refused("does not say where it begins", "Say keep= how long, or since= a date.")
        if self.export is not None and self.keep is None:
            raise self._refused("exports what is never past its time", "Say keep= how long.")
        count = sum(1 for _ in self.cut.periods())
        if count > MOST_PARTS:
            raise self._refused(f"would have {count} partitions", f"Choose a longer period: at most {MOST_PARTS}.")

    def _check_hash(self) -> None:
        if self.every or self.keep or self.since or self.export or not 1 <= self.parts <= MOST_PARTS:
            raise self._refused(
                "is cut by HASH, which knows no time", f"Say parts= how many, at most {MOST_PARTS}, and nothing else."
            )

    def _check_keys(self) -> None:
        """PostgreSQL has no index over several partitions: each unique key must contain the column that decides."""
        table = table_of(self.entity)
        keys = [k for k in table.constraints if isinstance(k, sa.PrimaryKeyConstraint | sa.UniqueConstraint)]
        for key in (*keys, *(index for index in table.indexes if index.unique)):
            names = [column.name for column in key.columns]
            if names and self.column not in names:
                raise self._refused(
                    f"has a unique key over {', '.join(names)} without {self.column}",
                    f"Add {self.column} to the key: a key that spans partitions cannot be unique in PostgreSQL.",
                )

    def _refused(self, what: str, hint: str) -> DeclarationError:
        return DeclarationError(f"Table {self.title} {what}", hint=hint)
