"""The twelve consistency conditions of clause 3.3.2: a query each for the rows against it, and a row to break it."""

from __future__ import annotations

from typing import Any

import psycopg

from freehold.kernel.template import read_sql
from torture.tpcc.load import PACKAGE, SIZE, Size

NUMBERS = range(1, 13)


def broken(connection: psycopg.Connection[Any], size: Size = SIZE) -> dict[int, list[Any]]:
    """The conditions that do not hold, each with some of the rows against it."""
    found: dict[int, list[Any]] = {}
    with connection.transaction():
        for number in NUMBERS:
            query = read_sql(PACKAGE, f"condition_{number:02}")
            rows = connection.execute(query, {"delivered": size.delivered}).fetchmany(3)
            if rows:
                found[number] = rows
    return found


def seen_when_broken(connection: psycopg.Connection[Any], number: int, size: Size = SIZE) -> bool:
    """Whether a condition that holds is red after one row was changed against it; the change is undone."""
    if number in broken(connection, size):
        return False
    with connection.transaction(force_rollback=True):
        changed = connection.execute(read_sql(PACKAGE, f"break_{number:02}")).rowcount
        return changed > 0 and number in broken(connection, size)
