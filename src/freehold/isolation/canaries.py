"""Two tenants that live in production: planted once by ordinary writes, then attacked with their committed rows."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
from psycopg import sql

from freehold.isolation.attacks import ROOM
from freehold.isolation.catalog import PACKAGE
from freehold.isolation.known import Known, Name
from freehold.kernel.observe import Connection
from freehold.kernel.prove import Outcome, Verdict
from freehold.kernel.template import read_sql
from freehold.kernel.witness import Witnesses

TIMEOUT = "SET LOCAL statement_timeout = '10s'"
REFUSED = "42501"
Pair = tuple[str, str]


def plant(connection: Connection, known: Known, tables: Sequence[Name], canaries: Pair) -> tuple[Name, ...]:
    """Write a row of each canary into every table where it has none; gives the tables that took none.

    Constraints and triggers hold. A row that needs more than can be made up is for the application to write.

    Parameters
    ----------
    connection
        In autocommit mode, as a superuser.
    tables
        The owned tables of the application's own metadata.
    canaries
        The two tenants.
    """
    refused: set[Name] = set()
    for number, tenant in enumerate(canaries):
        waiting = [table for table in tables if not _has(connection, known, table, tenant)]
        while waiting:
            left = [table for table in waiting if not _write(connection, known, table, tenant, number)]
            if len(left) == len(waiting):
                refused.update(left)
                break
            waiting = left  # what refers to a row that is there now is tried again
    return tuple(sorted(refused))


def attack(
    administrator: Connection, application: Connection, known: Known, canaries: Pair, *, role: str = ""
) -> list[Verdict]:
    """Attack each canary's committed rows as the other one, and roll back.

    Parameters
    ----------
    administrator
        Issues the contexts; in autocommit mode.
    application
        The application's own login, or the administrator's connection with a ``role`` to take; in autocommit mode.
    role
        The role to take; empty for the login's own.
    """
    return [
        _struck(administrator, application, known, table, pair, role)
        for table in sorted(known.owned)
        for pair in (canaries, canaries[::-1])
    ]


def _struck(
    administrator: Connection, application: Connection, known: Known, table: Name, pair: Pair, role: str
) -> Verdict:
    started = time.monotonic()
    who = role or application.info.user
    promise = f"{who} as the canary {pair[0]} reaches no row of the canary {pair[1]} in {'.'.join(table)}"
    if _has(administrator, known, table, pair[1]):
        outcome, detail = _tried(application, known, table, pair, role, _token(administrator, application, pair[0]))
    else:
        outcome, detail = Outcome.NOT_RUN, "the other canary has no row in it: write one with the application"
    return Verdict(ROOM, f"table {'.'.join(table)}", promise, outcome, detail, time.monotonic() - started)


def _tried(
    application: Connection, known: Known, table: Name, pair: Pair, role: str, token: str
) -> tuple[Outcome, str]:
    with application.transaction(force_rollback=True):
        application.execute(TIMEOUT)
        if role:
            application.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))
        application.execute(_statement("bind_token"), {"token": token})
        findings = list(_findings(application, known, table, pair))
    leaks = [text for outcome, text in findings if outcome is Outcome.BROKEN]
    missed = [text for outcome, text in findings if outcome is Outcome.NOT_RUN]
    if leaks:
        return Outcome.BROKEN, "; ".join(leaks)
    return (Outcome.NOT_RUN if missed else Outcome.HELD), "; ".join(missed or [text for _, text in findings])


def _findings(application: Connection, known: Known, table: Name, pair: Pair) -> Iterator[tuple[Outcome, str]]:
    """What reading, updating and deleting met; each is undone before the next."""
    values = {"own": pair[0], "other": pair[1]}
    for name in ("strike_read", "strike_update", "strike_delete"):
        word = name.removeprefix("strike_")
        try:
            with application.transaction(force_rollback=True):
                cursor = application.execute(_on(name, table, known.owned[table]), values)
                row = cursor.fetchone() if cursor.description else None
                reached = bool(row[1]) if row else cursor.rowcount > 0
        except psycopg.Error as error:
            if application.broken:
                raise
            outcome = Outcome.HELD if error.sqlstate == REFUSED else Outcome.NOT_RUN
            yield outcome, f"{word}: SQLSTATE {error.sqlstate}"
        else:
            yield (Outcome.BROKEN, f"{word} reached a row") if reached else (Outcome.HELD, f"{word} reached none")


def _has(connection: Connection, known: Known, table: Name, tenant: str) -> bool:
    values = {"own": tenant, "other": tenant}
    row = connection.execute(_on("strike_read", table, known.owned[table]), values).fetchone()
    return bool(row and row[0])


def _write(connection: Connection, known: Known, table: Name, tenant: str, number: int) -> bool:
    """Whether a table took a row with made-up values."""
    row: dict[str, Any] = {**Witnesses(connection).made_up(table, number), known.owned[table]: tenant}
    columns = sql.SQL(", ").join(map(sql.Identifier, row))
    text = _statement("plant_canary").format(table=sql.Identifier(*table), columns=columns)
    try:
        with connection.transaction():
            connection.execute(_statement("bind_token"), {"token": _token(connection, connection, tenant)})
            connection.execute(text, {"row": json.dumps(row)})
            connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except psycopg.Error:
        if connection.broken:
            raise
        return False
    return True


def _token(connection: Connection, bearer: Connection, tenant: str) -> str:
    """A context that the administrator signs for the backend of the connection that bears it."""
    values = {"tenant": tenant, "pid": bearer.info.backend_pid}
    row = connection.execute(_statement("issue_token"), values).fetchone()
    return str(row[0]) if row else ""


def _on(name: str, table: Name, column: str) -> sql.Composed:
    return _statement(name).format(table=sql.Identifier(*table), column=sql.Identifier(column))


def _statement(name: str) -> sql.SQL:
    return sql.SQL(read_sql(PACKAGE, name))
