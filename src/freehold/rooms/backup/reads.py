"""Run the room's SQL files."""

from __future__ import annotations

from typing import Any

from psycopg import sql

from freehold.kernel.observe import Connection
from freehold.kernel.template import read_sql

PACKAGE = "freehold.rooms.backup"


def read_one(connection: Connection, name: str, **parameters: Any) -> tuple[Any, ...]:
    """The one row of ``sql/<name>.sql``."""
    row = connection.execute(sql.SQL(read_sql(PACKAGE, name)), parameters).fetchone()
    assert row is not None
    return row


def read_all(connection: Connection, name: str, **parameters: Any) -> list[tuple[Any, ...]]:
    """The rows of ``sql/<name>.sql``."""
    return connection.execute(sql.SQL(read_sql(PACKAGE, name)), parameters).fetchall()


def run(connection: Connection, name: str, **parameters: Any) -> None:
    """Run ``sql/<name>.sql``, which gives no rows."""
    connection.execute(sql.SQL(read_sql(PACKAGE, name)), parameters)
