"""The example's SQL files, by name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from psycopg.sql import SQL
from sqlalchemy import CursorResult, TextClause

from freehold import Session, sql_file


@cache
def source(name: str) -> str:
    """The text of ``sql/<name>.sql``."""
    return files("examples.retail").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")


@cache
def _clause(name: str) -> TextClause:
    return sql_file("examples.retail", f"sql/{name}.sql")


def run(session: Session, name: str, /, **values: Any) -> CursorResult[Any]:
    """Run ``sql/<name>.sql`` in the session's transaction with its ``:name`` parameters bound."""
    result: CursorResult[Any] = session.connection().execute(_clause(name), values)
    return result


def copy(session: Session, name: str, *slices: bytes) -> None:
    """Send CSV through the COPY statement of ``sql/<name>.sql``."""
    with session.psycopg().cursor() as cursor, cursor.copy(SQL(source(name))) as stream:
        for part in slices:
            stream.write(part)


def as_csv(rows: Iterable[Sequence[Any]]) -> bytes:
    """Rows as CSV: text is quoted, None is nothing at all, which COPY reads as null."""
    return "".join(",".join(map(_field, row)) + "\n" for row in rows).encode()


def _field(value: Any) -> str:
    if value is None:
        return ""
    return '"' + value.replace('"', '""') + '"' if isinstance(value, str) else str(value)
