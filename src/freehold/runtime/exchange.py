"""One message of several commands to the server, and its results: the wire of the fast path and of a folded BEGIN."""

from __future__ import annotations

import select
from collections.abc import Sequence
from typing import NamedTuple

import psycopg
from psycopg import pq
from psycopg.abc import Buffer, PQGen
from psycopg.errors import error_from_result
from psycopg.waiting import Wait

FATAL = pq.ExecStatus.FATAL_ERROR
ABORTED = pq.ExecStatus.PIPELINE_ABORTED
SYNC = pq.ExecStatus.PIPELINE_SYNC
OK = pq.ConnStatus.OK
PREPARED_MAX = 200
"""Prepared statements that one connection keeps; the oldest is closed first."""

PLAN_CHANGED = b"0A000"
"""Among other things, a prepared statement whose result would now have other columns."""

UNPREPARED = b"26000"
"""A prepared statement is not there: somebody has sent DEALLOCATE, or EXECUTE with a name of their own.

To close one that is not there is no error, so that the two need not be told apart."""

_Key = tuple[bytes, tuple[int, ...]]
_Asked = tuple[_Key, bytes] | None
"""What a result is for: a statement to keep under its name, or None for a command's answer."""
CLOSED: _Asked = ((b"", ()), b"")


class Command(NamedTuple):
    """One statement with its parameters as the protocol carries them.

    Parameters
    ----------
    text
        The statement, its parameters written ``$1``, ``$2``, ...
    parameters
        A value a parameter, None for NULL.
    types
        The parameters' type oids; empty lets the server infer them from the statement's casts.
    formats
        0 (text) or 1 (binary) a parameter; None for text throughout.
    """

    text: bytes
    parameters: Sequence[Buffer | None] = ()
    types: tuple[int, ...] = ()
    formats: Sequence[int] | None = None


class Statements:
    """The prepared statements that one connection holds, by text and parameter types."""

    __slots__ = ("_count", "_names", "_outdated", "enabled")

    def __init__(self) -> None:
        self.enabled = True
        self._count = 0
        self._names: dict[_Key, bytes] = {}
        self._outdated: list[bytes] = []

    def name(self, key: _Key) -> bytes | None:
        """The name under which the server knows a statement."""
        return self._names.get(key)

    def new_name(self) -> bytes:
        """A name that this connection has not used."""
        self._count += 1
        return b"freehold_%d" % self._count

    def keep(self, key: _Key, name: bytes) -> None:
        """Remember what the server has prepared."""
        self._names[key] = name

    def surplus(self) -> bytes | None:
        """A name to be closed: an outdated one, or the oldest where there are too many, which is forgotten."""
        if self._outdated:
            return self._outdated.pop()
        if len(self._names) <= PREPARED_MAX:
            return None
        return self._names.pop(next(iter(self._names)))

    def outdate(self) -> None:
        """Prepare them all anew at their next use: the server does not carry out one of them, or knows none."""
        self._outdated.extend(self._names.values())
        self._names.clear()

    def clear(self) -> None:
        """Forget them all: the server has."""
        self._names.clear()
        self._outdated.clear()


def exchange(
    pgconn: pq.abc.PGconn, statements: Statements, commands: Sequence[Command]
) -> PQGen[list[pq.abc.PGresult]]:
    """Send the commands as one message and give a result for each, up to the first that failed.

    The last result may be an error; commands after it did not run and have none. An exception means that the
    connection was lost before the answer was whole.
    """
    pgconn.enter_pipeline_mode()
    asked = _write(pgconn, statements, commands)
    pgconn.pipeline_sync()
    while pgconn.flush() != 0:
        # Nothing is ready where an interrupt has ended the wait.
        if ((yield Wait.RW) or 0) & Wait.R:
            pgconn.consume_input()
    results: list[pq.abc.PGresult] = []
    failed = False
    while True:
        try:
            while pgconn.is_busy():
                while not (yield Wait.R):
                    pass
                pgconn.consume_input()
        except psycopg.OperationalError:
            # The server may have said why before it closed.
            if not any(result.status == FATAL for result in results):
                raise
            break
        result = pgconn.get_result()
        if result is None:
            if pgconn.status != OK:
                raise psycopg.OperationalError("the connection is lost")
            continue
        status = result.status
        if status == SYNC:
            break
        failed = failed or status == FATAL
        results.append(result)
    if pgconn.status == OK:
        pgconn.exit_pipeline_mode()
    if len(asked) == len(commands) and not failed:
        return results
    return _answers(statements, asked, results)


def _write(pgconn: pq.abc.PGconn, statements: Statements, commands: Sequence[Command]) -> list[_Asked]:
    """Write every command; gives what each result to come is for."""
    asked: list[_Asked] = []
    while (surplus := statements.surplus()) is not None:
        pgconn.send_close_prepared(surplus)
        asked.append(CLOSED)
    new: dict[_Key, bytes] = {}
    for command in commands:
        parameters = command.parameters or None
        if not statements.enabled:
            pgconn.send_query_params(command.text, parameters, command.types or None, command.formats)
        else:
            key = (command.text, command.types)
            name = statements.name(key) or new.get(key)
            if name is None:
                name = new[key] = statements.new_name()
                pgconn.send_prepare(name, command.text, command.types or None)
                asked.append((key, name))
            pgconn.send_query_prepared(name, parameters, command.formats)
        asked.append(None)
    return asked


def _answers(
    statements: Statements, asked: Sequence[_Asked], results: Sequence[pq.abc.PGresult]
) -> list[pq.abc.PGresult]:
    answers: list[pq.abc.PGresult] = []
    for prepared, result in zip(asked, results, strict=False):
        if result.status == FATAL:
            state = result.error_field(pq.DiagnosticField.SQLSTATE)
            if state in {PLAN_CHANGED, UNPREPARED}:
                statements.outdate()
            return [*answers, result]
        if result.status == ABORTED:
            break
        if prepared is None:
            answers.append(result)
        elif prepared is not CLOSED:
            statements.keep(*prepared)
    return answers


def raise_failed(results: Sequence[pq.abc.PGresult], encoding: str) -> None:
    """Raise psycopg's error for the result that failed, if one did."""
    if results and results[-1].status == FATAL:
        raise error_from_result(results[-1], encoding=encoding)


def listen(pgconn: pq.abc.PGconn) -> select.poll:
    """What tells whether a connection has something to be read."""
    poller = select.poll()
    poller.register(pgconn.socket, select.POLLIN)
    return poller


def is_dead(pgconn: pq.abc.PGconn, poller: select.poll) -> bool:
    """Whether the server has closed the connection already, without asking it: the end of its stream can be read."""
    try:
        while pgconn.status == OK and poller.poll(0):
            pgconn.consume_input()
    except psycopg.OperationalError:
        return True
    return pgconn.status != OK
