"""What the runtime does on every pooled connection: learn its backend, drop dead ones, and type what goes wrong."""

from __future__ import annotations

import time
from typing import Any, NoReturn

import psycopg
import sqlalchemy as sa
from sqlalchemy.engine import ExceptionContext

from freehold.errors import FreeholdError
from freehold.kernel.template import read_sql
from freehold.runtime.commits import commit_inside, detached_inside
from freehold.runtime.context import Backend
from freehold.runtime.exchange import Command
from freehold.runtime.faults import Faults
from freehold.runtime.link import Link
from freehold.runtime.pooler import recognise
from freehold.runtime.waits import Waits

PACKAGE = "freehold.runtime"
BACKEND = Command(read_sql(PACKAGE, "read_backend").encode())
PATIENCE = 3
"""Seconds to ask a server for the reason why it refused a connection."""


def watch(engine: sa.Engine, waits: Waits, faults: Faults) -> None:
    """Put the runtime's hooks on an engine."""

    def learn(raw: Any, record: Any) -> None:
        try:
            _learn(record.driver_connection, waits)
        except BaseException:
            # SQLAlchemy forgets a connection whose first hook fails, and leaves it open.
            raw.close()
            raise
        faults.watch(record.driver_connection)

    def translate(context: ExceptionContext) -> None:
        original = context.original_exception
        if isinstance(original, psycopg.Error) and context.connection is not None:
            link: Any = None if context.connection.invalidated else context.connection.connection.driver_connection
            raise_typed_only(original, link, faults)

    sa.event.listen(engine, "connect", learn)
    sa.event.listen(engine, "checkout", _refuse_dead)
    sa.event.listen(engine, "checkin", _release)
    sa.event.listen(engine, "commit", _guard_commit)
    sa.event.listen(engine, "handle_error", translate)


def _learn(link: Link, waits: Waits) -> None:
    """What a new connection leads to: its server's process and clock, and whether a pooler stands in between."""
    pooler = waits.drive(link, recognise(link.pgconn))
    link.statements.enabled = pooler.prepared_statements
    if not pooler.prepared_statements:
        link.prepare_threshold = None
    before = time.time()
    (answer,) = waits.drive(link, link.send([BACKEND]))
    middle = (before + time.time()) / 2
    pid, clock = (int(answer.get_value(0, column) or 0) for column in range(2))
    # A pooler may change the backend at the next transaction.
    link.backend = Backend(0 if pooler.pooled else pid, clock - int(middle * 1_000_000))


def _refuse_dead(raw: Any, record: Any, fairy: Any) -> None:
    """Drop a connection that the server has closed while nobody used it, and those that are older, unasked."""
    if record.driver_connection.dead:
        raise sa.exc.InvalidatePoolError


def _release(raw: Any, record: Any) -> None:
    link: Link | None = record.driver_connection
    if link is not None:
        link.forget()


def _guard_commit(connection: sa.Connection) -> None:
    link: Any = connection.connection.driver_connection
    if link is None:
        raise detached_inside()
    if link.held:
        raise commit_inside()
    link.refuse_failed()


def fault_of(error: psycopg.Error, link: Link | None, faults: Faults) -> FreeholdError | None:
    """Freehold's error for what the server or libpq said; None for what only the application itself can read."""
    return faults.fault(error) if link is None else faults.of(error, link)


def raise_typed_only(error: psycopg.Error, link: Link | None, faults: Faults) -> None:
    """Raise Freehold's error where there is one, and leave the rest to SQLAlchemy."""
    found = fault_of(error, link, faults)
    if found is not None:
        raise found from error


def raise_typed(error: psycopg.Error, link: Link | None, faults: Faults) -> NoReturn:
    """Raise Freehold's error for what the server or libpq said, and else the driver's own."""
    found = fault_of(error, link, faults)
    if found is None:
        raise error
    raise found from error
