"""A table's columns: as attributes of a class, or as columns of a plain table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from freehold.adopt.source import Group, Node, Text, call, written
from freehold.adopt.types import Typed, typed
from freehold.kernel.objects import Column
from freehold.kernel.stable import stable

_BIND = re.compile(r"(?<![:\w\\]):[\w$]|\\:")
"""What SQLAlchemy takes for a parameter in a text, or for one that was escaped."""

_OPTION = re.compile(r"START WITH (-?\d+) INCREMENT BY (-?\d+) MINVALUE (-?\d+) MAXVALUE (-?\d+) CACHE (\d+)( CYCLE)?")


_NUMBERS = frozenset({"int", "float", "Decimal", "Any"})
"""Values that SQLAlchemy would let the server count, in a primary key of one column."""


@dataclass(frozen=True)
class KeyColumn:
    """What a column is to the primary key: written at the column, and its only column."""

    written: bool = False
    alone: bool = False


def sql_text(text: str) -> Node:
    """SQL as SQLAlchemy passes it on: colons in it are no parameters."""
    return call("sa.literal_column" if _BIND.search(text) else "sa.text", Text(stable(text)))


def check_text(text: str) -> Node:
    """SQL where SQLAlchemy takes a plain text for SQL."""
    return sql_text(text) if _BIND.search(text) else Text(stable(text))


@dataclass(frozen=True)
class ColumnWriter:
    """Writes columns.

    Parameters
    ----------
    own
        Enums and domains by the catalog's text for them.
    raw
        Names of columns whose type is told in the server's words.
    """

    own: Mapping[str, Typed]
    raw: frozenset[tuple[str, ...]] = frozenset()

    def attribute(self, column: Column, name: str, key: KeyColumn, foreign: Node | None) -> str:
        """The lines of a class."""
        found = self._typed(column)
        annotation = f"Mapped[{found.python}]" if column.not_null else f"Mapped[{_optional(found.python)}]"
        items: list[Node] = [] if name == column.column else [Text(column.column)]
        if not found.implied or foreign is not None:
            items.append(found.sqlalchemy)
        if foreign is not None:
            items.append(foreign)
        items += _generated(column)
        made = call("mapped_column", *items, **_named(column, found, key))
        if not made.items:
            return f"{name}: {annotation}"
        return written(made, 4, f"{name}: {annotation} = ")

    def column(self, column: Column) -> Group:
        """A column of a plain table."""
        found = self._typed(column)
        named = _named(column, found, KeyColumn())
        named["nullable"] = "False" if column.not_null else None
        return call("sa.Column", Text(column.column), found.sqlalchemy, *_generated(column), **named)

    def _typed(self, column: Column) -> Typed:
        collation = column.collation.replace('"', "")
        return typed(column.type, self.own, collation, raw=column.name in self.raw)


def _optional(python: str) -> str:
    return python if python == "Any" else f"{python} | None"


def _generated(column: Column) -> Iterator[Node]:
    if column.generated:
        stored = "True" if column.generated == "s" else "False"
        yield call("sa.Computed", check_text(column.default), persisted=stored)
    elif column.identity:
        yield call("sa.Identity", **_identity(column))


def _identity(column: Column) -> dict[str, Node | None]:
    always: dict[str, Node | None] = {"always": "True"} if column.identity == "a" else {}
    match = _OPTION.match(column.identity_options)
    if match is None:
        return always
    start, increment, minimum, maximum, cache, cycle = match.groups()
    return {
        **always,
        "start": start,
        "increment": increment,
        "minvalue": minimum,
        "maxvalue": maximum,
        "cache": cache,
        "cycle": "True" if cycle else None,
    }


def _named(column: Column, found: Typed, key: KeyColumn) -> dict[str, Node | None]:
    default = column.default if not column.generated and not column.identity else ""
    counts = key.alone and found.python in _NUMBERS and not default and not column.identity
    return {
        "primary_key": "True" if key.written else None,
        "nullable": str(not column.not_null) if found.python == "Any" else None,
        "autoincrement": "False" if counts else None,
        "server_default": sql_text(default) if default else None,
        "comment": Text(column.comment) if column.comment else None,
    }
