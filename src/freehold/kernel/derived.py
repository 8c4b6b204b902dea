"""What tables that rooms derive from another one have in common: columns that follow its columns."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from freehold.kernel.names import Sql, ddl, ident, idents, joined
from freehold.kernel.objects import Column

_CONSTANT = re.compile(r"('(?:[^']|'')*'|[-+]?[0-9.]+|true|false|null)(::[\w\". ]+)?", re.IGNORECASE)


def followed(column: Column, table: str, *, required: bool, reason: str) -> Column:
    """A column of a derived table that holds what this one held: no identity, no generation but a virtual one."""
    virtual = column.generated == "v"
    return replace(
        column,
        table=table,
        not_null=required,
        # A constant default fills the derived rows as it fills the rows, when both tables gain the column.
        default=column.default if virtual or _constant(column) else "",
        identity="",
        identity_options="",
        generated="v" if virtual else "",
        comment="",
        room="",
        reason=reason,
    )


def _constant(column: Column) -> bool:
    return not column.generated and bool(_CONSTANT.fullmatch(column.default))


def copied(columns: Iterable[Column]) -> tuple[str, ...]:
    """The columns that a derived row copies: all but virtual ones, which are computed again."""
    return tuple(column.column for column in columns if column.generated != "v")


def listed(names: Iterable[str], prefix: str = "") -> Sql:
    """Names as a list, each with the prefix where one is given."""
    names = tuple(names)
    return joined(ddl("{}.{}", ident(prefix), ident(name)) for name in names) if prefix else idents(names)


def matched(left: str, right: str, pairs: Iterable[tuple[str, str]]) -> Sql:
    """The condition that the columns of two aliases are equal, pair by pair."""
    return joined(
        (ddl("{}.{} = {}.{}", ident(left), ident(a), ident(right), ident(b)) for a, b in pairs),
        " AND ",
    )
