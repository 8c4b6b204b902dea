"""How far sequences are, read as tables are: the server's function for it takes ROW EXCLUSIVE on each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from freehold.kernel.names import Sql, ddl, joined, literal, qualified
from freehold.kernel.template import read_sql

Connection = psycopg.Connection[Any]
Row = tuple[str | None, str, str, str]
AT_ONCE = 500
"""Sequences that one statement reads."""
NEAR, VERY_NEAR = 0.5, 0.75
"""Shares of a sequence's numbers that are used, from which on it is worth a word, and an urgent one."""


class Standing(NamedTuple):
    """A sequence: how far it goes, how far it is, and the narrow key that draws from it."""

    name: Sql
    highest: int
    ends: bool
    narrow_key: str | None
    last: int


def near_their_end(connection: Connection) -> Iterator[Row]:
    """Sequences of which most numbers are used."""
    for each in _standings(connection):
        if each.ends and each.last > NEAR * each.highest:
            severity = "high" if each.last > VERY_NEAR * each.highest else None
            yield severity, each.name, f"{each.last:,} of {each.highest:,} numbers are used", ""


def narrow_keys(connection: Connection) -> Iterator[Row]:
    """Keys of two or four bytes that a sequence fills."""
    for each in _standings(connection):
        if each.narrow_key:
            severity = "medium" if each.last > NEAR * each.highest else None
            yield severity, each.narrow_key, f"its sequence goes to {each.highest:,} and stands at {each.last:,}", ""


READERS: dict[str, Callable[[Connection], Iterator[Row]]] = {
    "narrow_key": narrow_keys,
    "sequence_near_its_end": near_their_end,
}
"""Checks that are no single query."""


def _standings(connection: Connection) -> Iterator[Standing]:
    listed = connection.execute(sql.SQL(read_sql(__package__ or "", "list_sequences"))).fetchall()
    for start in range(0, len(listed), AT_ONCE):
        part = listed[start : start + AT_ONCE]
        query = joined((_one(schema, name) for schema, name, *_ in part), " UNION ALL ")
        last = dict(connection.execute(sql.SQL(query), prepare=False).fetchall())
        for schema, name, highest, ends, narrow_key in part:
            place = qualified(schema, name)
            yield Standing(place, highest, ends, narrow_key, last[place])


def _one(schema: str, name: str) -> Sql:
    place = qualified(schema, name)
    return ddl("SELECT {}, CASE WHEN is_called THEN last_value ELSE 0 END FROM {}", literal(place), place)
