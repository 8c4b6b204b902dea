"""SQL text that is composed, never concatenated: quoted identifiers, quoted literals, and templates that hold them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256
from typing import LiteralString, NewType

from sqlalchemy.dialects.postgresql.base import RESERVED_WORDS

Sql = NewType("Sql", str)
"""SQL text made of this code base's literals, of quoted identifiers and literals, and of the catalog's own text."""

RESERVED = RESERVED_WORDS | {
    "collation",
    "concurrently",
    "current_schema",
    "system_user",
    "lateral",
    "tablesample",
    "authorization",
    "binary",
    "cross",
    "freeze",
    "full",
    "ilike",
    "inner",
    "is",
    "isnull",
    "join",
    "left",
    "like",
    "natural",
    "notnull",
    "outer",
    "overlaps",
    "right",
    "similar",
    "verbose",
}
"""Words that PostgreSQL takes as names only in quotes; SQLAlchemy's list lacks some."""

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")


def ident(name: str) -> Sql:
    """Quote one identifier where PostgreSQL needs it quoted."""
    if _PLAIN.fullmatch(name) and name not in RESERVED:
        return Sql(name)
    return Sql('"' + name.replace('"', '""') + '"')


def qualified(*names: str) -> Sql:
    """Quote the parts of a qualified name and join them with dots."""
    return Sql(".".join(ident(name) for name in names if name))


def idents(names: Iterable[str]) -> Sql:
    """Quote identifiers and join them with commas."""
    return Sql(", ".join(ident(name) for name in names))


def literal(value: str) -> Sql:
    """Quote a string constant; backslashes are safe under either setting of ``standard_conforming_strings``."""
    quoted = "'" + value.replace("'", "''") + "'"
    return Sql("E" + quoted.replace("\\", "\\\\") if "\\" in value else quoted)


def joined(parts: Iterable[Sql], separator: LiteralString = ", ") -> Sql:
    """Join SQL texts."""
    return Sql(separator.join(parts))


def ddl(template: LiteralString, *parts: Sql, **named: Sql) -> Sql:
    """Fill a template whose holes take SQL text only.

    >>> ddl("ALTER TABLE {} ENABLE ROW LEVEL SECURITY", qualified("retail", "order"))
    'ALTER TABLE retail."order" ENABLE ROW LEVEL SECURITY'
    """
    return Sql(template.format(*parts, **named))


def trusted(text: str) -> Sql:
    """Take SQL text from the catalog, from SQLAlchemy's compiler or from a ``.sql`` file of the project."""
    return Sql(text)


LONGEST = 45
"""Bytes of a name that a room makes: Citus adds a shard's number to the names of constraints and indexes."""


def shortened(name: str, limit: int = LONGEST) -> str:
    """A name within the limit in bytes; a longer one is cut and told apart by a digest.

    >>> shortened("customer_history")
    'customer_history'
    >>> shortened("a_table_with_a_very_long_name_that_no_constraint_can_carry_history")
    'a_table_with_a_very_long_name_that_no_cc810ac'
    """
    data = name.encode()
    if len(data) <= limit:
        return name
    return data[: limit - 7].decode(errors="ignore") + sha256(data).hexdigest()[:7]
