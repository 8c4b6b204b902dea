"""What the user writes: which rows hold in the world for a time, and of what there is one at a time."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import DATERANGE, TSRANGE, TSTZRANGE
from sqlalchemy.dialects.postgresql.ranges import AbstractRange

from freehold.errors import DeclarationError
from freehold.kernel.declare import Entity, OfTable, column_of, name_of, table_of

TIMES = (DATERANGE, TSRANGE, TSTZRANGE)
"""The ranges that are a period of valid time."""


@dataclass(frozen=True)
class ValidTime(OfTable):
    """Rows say themselves for which period they hold; for one key, periods do not overlap.

    Valid time is when a fact holds in the world, as history's system time is when the database knew it (the terms of
    SQL:2011). A row's end is not part of its period; an open end is an unbounded range.

    Parameters
    ----------
    entity
        A mapped class or a table.
    key
        The columns that say of what there is one row at a time; the tenant column is always among them.
    during
        The range column: DATERANGE, TSTZRANGE or TSRANGE, NOT NULL.

    Raises
    ------
    DeclarationError
        No key is given, or the column is no such range or may be NULL.
    UnknownColumn
        The table has no such column.

    >>> from sqlalchemy.dialects.postgresql import DATERANGE
    >>> columns = (sa.Column("product", sa.Integer, primary_key=True), sa.Column("during", DATERANGE, nullable=False))
    >>> ValidTime(sa.Table("price", sa.MetaData(), *columns), key=("product",), during="during").title
    'public.price'
    """

    key: tuple[str, ...]
    during: str = "valid_during"

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", tuple(column_of(self.entity, name).name for name in self.key))
        column = column_of(self.entity, self.during)
        if not self.key or column.name in self.key:
            raise DeclarationError(
                f"ValidTime on {self.title} does not say of what there is one row at a time",
                hint="Name the columns of its key, without the period: key=('product_id',).",
            )
        if not isinstance(column.type, TIMES) or column.nullable:
            raise DeclarationError(
                f"Column {self.during} of {self.title} is no period",
                detail="It is a DATERANGE, TSTZRANGE or TSRANGE, and NOT NULL.",
                hint="Give the table such a column, or name it: during='…'.",
            )


def period_of(entity: Entity) -> sa.Column[AbstractRange[object]]:
    """The one column of a table that is a period.

    Raises
    ------
    DeclarationError
        There is none, or there are several.
    """
    table = table_of(entity)
    found = [column for column in table.columns if isinstance(column.type, TIMES)]
    if len(found) != 1:
        names = ", ".join(column.name for column in found) or "none"
        raise DeclarationError(
            f"Table {'.'.join(name_of(entity))} does not have one period, but {names}",
            hint="Name the column: during='…'.",
        )
    return found[0]
