"""What the runtime does on every physical connection: learn its backend, bind contexts, hold the door of COMMIT."""

from __future__ import annotations

import time
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.conninfo import make_conninfo
from psycopg.pq import TransactionStatus
from sqlalchemy.engine import ExceptionContext

from freehold.errors import CommitInside, CommitRefused, FreeholdError
from freehold.kernel.template import read_sql
from freehold.runtime.context import Backend, Context
from freehold.runtime.signer import Signer
from freehold.servers.faults import is_storage_fault, refused, translate

PACKAGE = "freehold.runtime"
READ_ONLY_TRANSACTION = "25006"
BACKEND = "freehold_backend"
HELD = "freehold_held"
READ_ONLY = "freehold_read_only"
PATIENCE = 3
"""Seconds to ask a server for the reason why it refused a connection."""


def watch(engine: sa.Engine) -> None:
    """Put the runtime's hooks on an engine."""
    sa.event.listen(engine, "connect", _learn_backend)
    sa.event.listen(engine, "checkin", _release)
    sa.event.listen(engine, "commit", _guard_commit)
    sa.event.listen(engine, "handle_error", _translate)


def bind(connection: sa.Connection, signer: Signer, context: Context, *, read_only: bool = False) -> None:
    """Bind a context to the transaction that just began, as a bind parameter: a literal would stand in the logs."""
    token = signer.token(context, connection.info.get(BACKEND, Backend()))
    connection.info[HELD] = True
    connection.info[READ_ONLY] = read_only
    statement = read_sql(PACKAGE, "bind_context_read_only" if read_only else "bind_context")
    connection.exec_driver_sql(statement, (token,))


def allow_commit(connection: sa.Connection) -> None:
    """Open the door for the block's own COMMIT."""
    connection.info.pop(HELD, None)


def _learn_backend(raw: Any, record: Any) -> None:
    """One query a connection: its server's process id and clock, so that contexts fit that backend and that clock."""
    cursor = raw.cursor()
    before = time.time()
    cursor.execute(read_sql(PACKAGE, "read_backend"))
    pid, server = cursor.fetchone()
    middle = (before + time.time()) / 2
    cursor.close()
    raw.rollback()
    # A pooler shows libpq a process id of its own making and may change the backend at the next transaction.
    direct = pid == record.driver_connection.info.backend_pid
    record.info[BACKEND] = Backend(pid if direct else 0, server - int(middle * 1_000_000))


def _release(raw: Any, record: Any) -> None:
    record.info.pop(HELD, None)


def _guard_commit(connection: sa.Connection) -> None:
    if connection.info.get(HELD):
        raise CommitInside(
            "COMMIT inside the transaction's block",
            hint="The block commits when it ends; nothing inside it may.",
        )
    driver: Any = connection.connection.driver_connection
    if driver.info.transaction_status == TransactionStatus.INERROR:
        # The server would answer this COMMIT with ROLLBACK and no error.
        raise CommitRefused(
            "The transaction failed earlier and cannot be committed; nothing of it is stored",
            hint="Let the error leave the block, or put the statement that may fail into begin_nested().",
        )


def _translate(context: ExceptionContext) -> None:
    original = context.original_exception
    if not isinstance(original, psycopg.Error):
        return
    if context.connection is not None:
        raise_typed(original, read_only=context.connection.info.get(READ_ONLY, False))
    elif isinstance(original, psycopg.OperationalError) and context.engine is not None:
        raise refused(original, _conninfo(context.engine.url), PATIENCE) from original


def _conninfo(url: sa.URL) -> str:
    query = {name: value if isinstance(value, str) else ",".join(value) for name, value in url.query.items()}
    return make_conninfo(**url.translate_connect_args(username="user", database="dbname"), **query)


def raise_typed(error: psycopg.Error, *, read_only: bool = False) -> None:
    """Raise Freehold's error for a refused context, a lost connection or a full disk; leave the rest to SQLAlchemy."""
    found = typed(error, read_only=read_only)
    if found is not None:
        raise found from error


def typed(error: psycopg.Error, *, read_only: bool = False) -> FreeholdError | None:
    """Freehold's error for what the application cannot be expected to handle itself, or None.

    A refused write is the server's fault only where the transaction was not begun as a ``read_only`` one.
    """
    state = error.sqlstate or ""
    gone = not state and isinstance(error, psycopg.OperationalError)
    whole_server_is = state == READ_ONLY_TRANSACTION and not read_only
    if state.startswith(("FH", "08", "57P", "53", "58")) or gone or whole_server_is or is_storage_fault(error):
        return translate(error)
    return None
