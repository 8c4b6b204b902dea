"""A statement as one text with its values inside, for COPY, which takes no parameters."""

from __future__ import annotations

from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql

from freehold.errors import InputError
from freehold.runtime.bulk.wire import Wire


def written_out(wire: Wire, statement: Any, dialect: sa.Dialect) -> sql.Composable:
    """The text of a query, in which psycopg has put every value as a literal.

    The values are quoted by libpq for this connection's encoding and never by us. They stand in the server's log and in
    pg_stat_activity for as long as the query runs.

    Raises InputError for what is not a query.
    """
    query = statement.select() if isinstance(statement, sa.Table) else statement
    if not getattr(query, "is_select", False) and not getattr(query, "_is_text_clause", False):
        raise InputError("Only a table or a query can be copied out", hint="Give a model, a table or a select().")
    compiled: Any = query.compile(dialect=dialect)
    # The list of an IN leaves its name for one of each value.
    state = compiled.construct_expanded_state()
    values, processors = dict(state.parameters), {**compiled._bind_processors, **state.processors}
    for name in values.keys() & processors.keys():
        values[name] = processors[name](values[name])
    driver: Any = wire.driver
    kind: Any = psycopg.AsyncClientCursor if isinstance(driver, psycopg.AsyncConnection) else psycopg.ClientCursor
    return sql.SQL(kind(driver).mogrify(state.statement, values))
