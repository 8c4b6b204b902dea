"""What the runtime does on every pooled connection: learn its backend, drop dead ones, and type what goes wrong."""

from __future__ import annotations

import time
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.pq import ConnStatus, PipelineStatus
from sqlalchemy.engine import ExceptionContext

from freehold.errors import CommitInside, FreeholdError
from freehold.kernel.template import read_sql
from freehold.runtime.context import Backend
from freehold.runtime.driver import Link
from freehold.runtime.exchange import is_dead
from freehold.servers.faults import is_storage_fault, translate

PACKAGE = "freehold.runtime"
READ_ONLY_TRANSACTION = "25006"
READ_ONLY = "freehold_read_only"
PATIENCE = 3
"""Seconds to ask a server for the reason why it refused a connection."""


def watch(engine: sa.Engine) -> None:
    """Put the runtime's hooks on an engine."""
    sa.event.listen(engine, "connect", _learn_backend)
    sa.event.listen(engine, "checkout", _refuse_dead)
    sa.event.listen(engine, "checkin", _release)
    sa.event.listen(engine, "commit", _guard_commit)
    sa.event.listen(engine, "handle_error", _translate)


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
    record.driver_connection.backend = Backend(pid if direct else 0, server - int(middle * 1_000_000))


def _refuse_dead(raw: Any, record: Any, fairy: Any) -> None:
    """Drop a connection that the server has closed while nobody used it, and those that are older, unasked."""
    if is_dead(record.driver_connection.pgconn):
        raise sa.exc.InvalidatePoolError


def _release(raw: Any, record: Any) -> None:
    link: Link | None = record.driver_connection
    if link is not None:
        link.held = False


def _guard_commit(connection: sa.Connection) -> None:
    link: Any = connection.connection.driver_connection
    if link.held:
        raise CommitInside(
            "COMMIT inside the transaction's block",
            hint="The block commits when it ends; nothing inside it may.",
        )
    link.refuse_failed()


def _translate(context: ExceptionContext) -> None:
    original = context.original_exception
    if isinstance(original, psycopg.Error) and context.connection is not None:
        raise_typed(original, read_only=context.connection.info.get(READ_ONLY, False))


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


def give_back(link: Link, fairy: Any) -> None:
    """Give a connection back to its pool, which rolls back what is open; one that cannot be used is dropped."""
    link.held = False
    if link.pgconn.status == ConnStatus.OK and link.pgconn.pipeline_status == PipelineStatus.OFF:
        fairy.close()
    else:
        fairy.invalidate()
        fairy.close()
