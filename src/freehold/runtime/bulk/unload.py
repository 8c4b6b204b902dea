"""COPY out of a table or query, under the policies, as rows, text or Arrow batches, while the server still sends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import sqlalchemy as sa
from psycopg import sql

from freehold.errors import InputError
from freehold.runtime.bulk.query import written_out
from freehold.runtime.bulk.source import arrow_module
from freehold.runtime.bulk.wire import Wire

Format = Literal["rows", "csv", "text", "arrow"]
BLOCK = 1 << 18
"""Bytes in a block of text, at least."""


def copy_out(wire: Wire, statement: Any, dialect: sa.Dialect, *, form: Format = "rows") -> Iterator[Any]:
    """Give what a table or query holds, piece by piece; memory does not grow with the result.

    COPY is used for all forms: under row security it is allowed in this direction, it needs no cursor on the server,
    and its text is what pyarrow parses at speed. Read it to the end: leaving it early cancels the query, and the
    transaction can then only be rolled back.

    Parameters
    ----------
    statement
        A table or a query; its values travel as literals (see :func:`freehold.runtime.bulk.query.written_out`).
    form
        ``rows``: tuples of Python values. ``csv``, ``text``: blocks of bytes in COPY's formats, whole rows each, as
        ``copy_in`` takes the latter. ``arrow``: ``pyarrow.RecordBatch`` of at most 50,000 rows; numeric without a
        precision, uuid, json, enumerations and unknown types come as text.

    Raises
    ------
    InputError
        The statement is no query, or a value has no form in Arrow (``infinity``, a year before 1).
    """
    if form not in _OPTIONS:
        raise InputError(f"{form!r} is no form for rows", hint=f"Choose one of {', '.join(_OPTIONS)}.")
    query = written_out(wire, statement, dialect)
    copy = sql.Composed([sql.SQL("COPY ("), query, sql.SQL(") TO STDOUT"), _OPTIONS[form]])
    if form in {"csv", "text"}:
        return _blocks(wire.receive(copy))
    columns = wire.describe(sql.Composed([sql.SQL("SELECT * FROM ("), query, sql.SQL(") AS query LIMIT 0")]))
    if form == "rows":
        return wire.receive(copy, [column.type_code for column in columns])
    batches: Iterator[Any] = arrow_module("batches").batches(columns, wire.driver, wire.receive(copy))
    return batches


def _blocks(messages: Iterator[Any]) -> Iterator[bytes]:
    held, size = [], 0
    for message in messages:
        held.append(message)
        size += len(message)
        if size >= BLOCK:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


_OPTIONS = {
    "rows": sql.SQL(""),
    "csv": sql.SQL(" (FORMAT csv)"),
    "text": sql.SQL(" (FORMAT text)"),
    "arrow": sql.SQL(" (FORMAT csv)"),
}
