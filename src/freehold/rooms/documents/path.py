"""Paths into documents: how they are written, and what a query by one looks like."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from freehold.errors import DeclarationError
from freehold.kernel.dialect import DIALECT
from freehold.kernel.names import Sql, ddl, joined, literal

_NAME = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)
TYPES: tuple[type[sa.types.TypeEngine[Any]], ...] = (
    sa.Text,
    sa.String,
    sa.SmallInteger,
    sa.Integer,
    sa.BigInteger,
    sa.Numeric,
    sa.Boolean,
    sa.Uuid,
)
"""Types to which a text is cast without asking a setting of the session, as a stored column needs."""


@dataclass(frozen=True)
class Path:
    """A path of property names, ``"address.city"``, or through one array, ``"lines[*].sku"``.

    Parameters
    ----------
    text
        Names of letters, digits, ``_`` and ``-``, joined by dots; ``[*]`` stands for every item of an array.
    kind
        ``scalar`` for comparisons of one value, ``contains`` for a value in some item.

    Raises
    ------
    DeclarationError
        The text is not a path, or not one of its kind.
    """

    text: str
    kind: Literal["scalar", "contains"] = "scalar"

    def __post_init__(self) -> None:
        names = [part for half in self.text.split("[*]") for part in half.strip(".").split(".") if half]
        stars = self.text.count("[*]")
        if not names or not all(_NAME.fullmatch(name) for name in names) or stars > 1:
            raise DeclarationError(
                f"{self.text!r} is not a path into a document",
                hint="Write names joined by dots, with [*] at most once: status, address.city, lines[*].sku.",
            )
        if bool(stars) != (self.kind == "contains"):
            raise DeclarationError(
                f"The path {self.text!r} is not one of the kind {self.kind}",
                hint="A path through [*] has kind='contains', every other kind='scalar'.",
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The names before ``[*]``, or all."""
        return tuple(self.text.partition("[*]")[0].split("."))

    @property
    def rest(self) -> tuple[str, ...]:
        """The names after ``[*]``."""
        rest = self.text.partition("[*]")[2].strip(".")
        return tuple(rest.split(".")) if rest else ()

    @property
    def array(self) -> Sql:
        """The names before ``[*]`` as an array."""
        return ddl("ARRAY[{}]", joined(literal(name) for name in self.names))

    def scalar(self, column: Sql) -> Sql:
        """The value as text, in SQL."""
        return ddl("{} #>> {}", column, self.array)

    def items(self, column: Sql) -> Sql:
        """What stands before ``[*]``, in SQL."""
        return ddl("{} #> {}", column, self.array)

    def of(self, column: Any) -> sa.ColumnElement[str]:
        """The value as text in a query, as its index has it."""
        plain = sa.type_coerce(column, JSONB())
        return plain.op("#>>", return_type=sa.Text())(sa.literal_column(self.array))

    def contains(self, column: Any, value: Any) -> sa.ColumnElement[bool]:
        """The condition that some item has a value there, as its index has it."""
        plain = sa.type_coerce(column, JSONB()).op("#>", return_type=JSONB())(sa.literal_column(self.array))
        return plain.contains(sa.literal(self.wrapped(value), JSONB()))

    def wrapped(self, value: Any) -> Any:
        """A value as the smallest array that has it at the path."""
        for name in reversed(self.rest):
            value = {name: value}
        return [value]

    def sample(self) -> Sql:
        """An array for a query that is only planned."""
        return literal(json.dumps(self.wrapped("freehold")))


@dataclass(frozen=True)
class Promoted:
    """A path whose value is a column of its own: ``into`` is a column that :func:`promote` made."""

    path: Path
    into: str


def promote(path: Path | str, kind: sa.types.TypeEngine[Any], *, of: str) -> sa.Computed:
    """What makes a stored column hold the value at a path: ``mapped_column(promote("status", sa.Text(), of="x"))``.

    Parameters
    ----------
    path
        A scalar path.
    kind
        The column's type: a text, number, boolean or uuid.
    of
        The document's column.

    Raises
    ------
    DeclarationError
        The path leads through an array, or a text is not cast to the type without settings of the session.
    """
    found = path if isinstance(path, Path) else Path(path)
    if found.kind != "scalar" or not isinstance(kind, TYPES):
        raise DeclarationError(
            f"The path {found.text!r} cannot be promoted to a column of type {kind}",
            hint="Promote a scalar path to a text, number, boolean or uuid; keep dates as text (ISO 8601 sorts well).",
        )
    return sa.Computed(promoted_expression(found, kind, of), persisted=True)


def promoted_expression(path: Path, kind: sa.types.TypeEngine[Any], of: str) -> str:
    """The expression in SQL."""
    column = sa.column(of, JSONB()).op("#>>", return_type=sa.Text())(sa.literal_column(path.array))
    whole = column if isinstance(kind, sa.String) else sa.cast(column.self_group(), kind)
    return str(whole.compile(dialect=DIALECT, compile_kwargs={"literal_binds": True}))
