"""How SQLAlchemy writes what the models say: with schemas in full, and with percent signs as they are."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg, PGIdentifierPreparer_psycopg
from sqlalchemy.sql.util import ClauseAdapter

from freehold.errors import DeclarationError
from freehold.kernel.names import RESERVED, Sql, trusted

IDENTIFIER_LIMIT = 63
"""Bytes of an identifier that PostgreSQL keeps (NAMEDATALEN - 1); it cuts longer ones without an error."""


class _Preparer(PGIdentifierPreparer_psycopg):
    """Quotes what PostgreSQL wants quoted; what has no schema is in ``public``, for the search path is empty."""

    reserved_words = RESERVED

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.schema_for_object = _schema_of


def _schema_of(item: Any) -> str:
    return "" if isinstance(item, sa.Alias) else item.schema or "public"


class _Dialect(PGDialect_psycopg):
    """The parameter style decides whether percent signs are doubled; nothing here has parameters."""

    preparer = _Preparer


DIALECT = _Dialect(paramstyle="named")  # type: ignore[no-untyped-call]
DDL = DIALECT.ddl_compiler(DIALECT, None)  # type: ignore[arg-type]
TYPES = DIALECT.type_compiler_instance


def over_row(value: Any, table: sa.Table, column: sa.Column[Any]) -> Sql:
    """A constant, or an expression over a table's columns, as SQL text over a row ``t`` of the table."""
    if not isinstance(value, sa.sql.ClauseElement):
        value = sa.literal(value, column.type)
    row = table.alias("t")
    # Inside a SELECT from the table its subqueries are correlated as in any other.
    query = sa.select(ClauseAdapter(row).traverse(value).label("v")).select_from(row)
    text = str(query.compile(dialect=DIALECT, compile_kwargs={"literal_binds": True}))
    return trusted(text.removeprefix("SELECT ").rpartition(" AS v \nFROM ")[0])


def bare(name: str | None) -> str:
    """A name as SQLAlchemy's naming conventions make it, without quotes."""
    text = str(name or "")
    return text[1:-1].replace('""', '"') if text.startswith('"') else text


def checked(name: str, table: str) -> str:
    """The name, if PostgreSQL keeps all of it.

    Raises
    ------
    DeclarationError
        It would be cut.
    """
    if len(name.encode()) > IDENTIFIER_LIMIT:
        raise DeclarationError(
            f"The name {name} on table {table} is longer than {IDENTIFIER_LIMIT} bytes",
            detail="PostgreSQL would cut it without an error.",
            hint="Give the constraint or index a shorter name, at most 45 bytes where it may run on Citus.",
        )
    return name
