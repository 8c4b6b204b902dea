"""A table as bulk work sees it: its columns as the server has them, and whether row security stands before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from psycopg import sql

from freehold.errors import InputError
from freehold.kernel.template import read_sql
from freehold.runtime.bulk.wire import Wire
from freehold.runtime.literal import Written

PACKAGE = "freehold.runtime.bulk"
NUMERIC_HEADER = 4
"""A numeric's type modifier is (precision << 16 | scale) + 4, as format_type reads it."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: ``type`` is the name of the type under its domains, ``element`` that of an array's members."""

    name: str
    written: str
    type: str
    enumerated: bool
    element: str
    modifier: int
    generated: bool

    @property
    def scale(self) -> int | None:
        """Digits after the point that a numeric column keeps; None where it keeps all."""
        if self.modifier < NUMERIC_HEADER:
            return None
        # PostgreSQL 15 has negative scales: eleven bits with a sign.
        return ((self.modifier - NUMERIC_HEADER) & 0x7FF ^ 0x400) - 0x400


@dataclass(frozen=True, slots=True)
class Target:
    """A table, quoted, with its columns by name.

    Parameters
    ----------
    tenant_column
        The column that the context fills, or empty.
    guarded
        Whether row security holds the current role here, so that COPY FROM is refused.
    """

    name: sql.Composable
    columns: dict[str, Column]
    tenant_column: str
    guarded: bool
    counted: bool

    def filled(self, given: Sequence[str]) -> bool:
        """Whether the context fills the tenant column of rows with these columns."""
        return bool(self.tenant_column) and self.tenant_column not in given

    def chosen(self, names: Sequence[str]) -> list[Column]:
        """The columns of these names.

        Raises InputError for one that the table has not, that is named twice, or that the server computes.
        """
        for name in names:
            if name not in self.columns:
                raise InputError(f"The table has no column {name!r}", hint=f"It has {', '.join(self.columns)}.")
            if names.count(name) > 1:
                raise InputError(f"The column {name!r} is given twice", hint="Name each column once.")
            if self.columns[name].generated:
                raise InputError(f"The column {name!r} is generated: the server computes it", hint="Leave it out.")
        return [self.columns[name] for name in names]


def read_target(wire: Wire, table: sa.Table, tenant_column: str) -> Target:
    """Ask the server what the table is like now; one round trip."""
    name = sql.Identifier(*(part for part in (table.schema, table.name) if part))
    text = name.as_string(wire.driver)
    names, rows = wire.read(Written(read_sql(PACKAGE, "read_target")), {"table": text})
    columns: dict[str, Column] = {}
    guarded = counted = True
    for row in rows:
        facts: dict[str, Any] = dict(zip(names, row, strict=True))
        guarded, counted = facts.pop("guarded"), facts.pop("counted")
        columns[facts["name"]] = Column(**facts)
    return Target(name, columns, tenant_column, guarded, counted)
