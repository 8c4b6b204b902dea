"""What a refused statement means: a typed error by SQLSTATE and the server's source, in the application's own words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from time import monotonic

import psycopg
import sqlalchemy as sa

from freehold import errors
from freehold.errors import ConstraintViolated, FreeholdError, StatementFailed
from freehold.events import Listener, ignore
from freehold.runtime.constraints import Constraints, Known
from freehold.runtime.deadlock import Deadlocks, Tables
from freehold.runtime.link import Link
from freehold.runtime.watchdog import Watchdog
from freehold.servers.faults import translate
from freehold.storage import is_storage_fault

READ_ONLY_TRANSACTION = "25006"
STATEMENT = "Compare the statement with the tables: names, types and rights. freehold plan tells what is not applied."
RUN_AGAIN = "Run the transaction again from its start; db.run(...) does it by itself."

PROCEDURAL = "P0"
"""The class of what PL/pgSQL raises, by RAISE without an SQLSTATE among others."""
RAISED = "exec_stmt_raise"
"""The server's function behind RAISE."""

CONSTRAINTS: Mapping[str, tuple[type[ConstraintViolated], str]] = {
    "23505": (errors.UniqueViolated, "Another row of {table} has the same {columns}"),
    "23503": (errors.ForeignKeyViolated, "{columns} of {table} refers to a row that is not there, or is still in use"),
    "23001": (errors.ForeignKeyViolated, "{columns} of {table} still refers to the row"),
    "23514": (errors.CheckViolated, "A row of {table} does not satisfy {constraint}"),
    "23502": (errors.NotNullViolated, "A row of {table} needs a value for {columns}"),
    "23P01": (errors.ExclusionViolated, "A row of {table} conflicts with another one in {columns}"),
    "FH042": (errors.RestoreConflict, "A live row of {table} has taken the {columns} of the deleted one"),
    "FH043": (errors.ParentMissing, "What {columns} of the deleted row of {table} refers to is not there"),
    "FH110": (errors.RowHeld, "The law keeps a row of {table} that was to be given up"),
    "FH100": (errors.KeyChanged, "A row of {table} keeps its key, by which its past is found"),
    "FH090": (errors.TransitionRefused, "{columns} of {table} may not become what it was to become"),
    "FH091": (errors.OutOfBalance, "A group of rows of {table} does not sum to zero"),
    "FH092": (errors.LimitReached, "No more rows of {table} are allowed here"),
    "FH093": (errors.DerivedRefused, "{columns} of {table} is derived, and is not written by hand"),
    "FH094": (errors.DerivedRefused, "{table} is what {columns} is derived from, and is not truncated"),
    "FH095": (errors.DerivedRefused, "{columns} of {table} is derived, and would not be a finite number"),
}
"""Class and sentence of each kind of constraint."""

VALUES: Mapping[str, tuple[type[StatementFailed], str]] = {
    "22003": (errors.NumericOutOfRange, "A number is too large for its type"),
    "22001": (errors.StringTooLong, "A text is longer than its column allows"),
    "22P02": (errors.TextInvalid, "A text is not a valid value of the type that it is used as"),
    "22007": (errors.TextInvalid, "A text is not a valid date or time"),
    "22008": (errors.TextInvalid, "A date or time is out of range"),
    "22021": (errors.TextInvalid, "A text holds a character that the database's encoding does not have"),
    "22P05": (errors.TextInvalid, "A text holds a character that cannot be stored"),
}

DOCUMENTS = frozenset({"FH050", "FH051"})
"""What a schema of documents refuses."""

TRANSACTIONS: Mapping[str, tuple[type[FreeholdError], str, str]] = {
    "40001": (errors.SerializationFailed, "A concurrent transaction came in between", RUN_AGAIN),
    "40P01": (errors.Deadlock, "Two transactions waited for each other, and this one was ended", RUN_AGAIN),
    "55P03": (
        errors.LockNotAvailable,
        "A lock did not become free in time",
        "Find out who holds it: a long transaction, or a change of the table's form. Then run again.",
    ),
    "25P03": (
        errors.IdleTimeout,
        "The transaction was idle for longer than its workload allows",
        "Do other work before or after the transaction, or give the workload a longer idle_timeout.",
    ),
    "25P04": (
        errors.TransactionTimeout,
        "The transaction takes longer than its workload allows",
        "Do less in one transaction, or give the workload a longer transaction_timeout.",
    ),
    "53300": (
        errors.TooManyConnections,
        "The server takes no further connections",
        "Put a pooler in front, make pools smaller, or raise max_connections.",
    ),
}


class Faults:
    """Tells what a psycopg error means to an application with these tables.

    No text holds a value: neither message nor detail repeats the server's ``DETAIL``, which names the rows' values. The
    psycopg error stays behind as ``__cause__``, and a log that prints it in full prints the server's words as well; for
    tables under row security the server itself leaves the values out of them.

    The classes do not inherit from SQLAlchemy's: the same fault is the same class whether the ORM, the fast path or the
    raw connection met it, and a ``DBAPIError`` would carry the statement's parameters in its text.

    Parameters
    ----------
    tables
        The application's tables.
    tenant_columns
        The tenant's column of each tenant-owned table, which errors never name.
    listener
        Told of deadlocks and of dead peers.
    """

    def __init__(
        self,
        tables: Iterable[sa.Table],
        tenant_columns: Mapping[sa.Table, str] | None = None,
        listener: Listener = ignore,
    ) -> None:
        known = tuple(tables)
        self._constraints = Constraints.of(known, tenant_columns or {})
        self._deadlocks = Deadlocks(Tables(known), listener)
        self._watchdog = Watchdog(listener)

    def watch(self, link: Link) -> None:
        """Look after a connection that has learned its backend: a dead server is noticed, a deadlock is explained."""
        self._deadlocks.watch(link)
        self._watchdog.watch(link)

    def of(self, error: psycopg.Error, link: Link) -> FreeholdError | None:
        """The error to raise from what happened on this connection; see :meth:`fault`."""
        # On the fast path the error is judged while the connection still counts as busy.
        waited = link.waited if link.busy_since is None else monotonic() - link.busy_since
        found = self.fault(
            error,
            read_only=link.read_only_transaction,
            waited=waited,
            statement_timeout=link.statement_timeout,
            peer_dead=link.peer_dead,
        )
        if isinstance(found, errors.Deadlock):
            advice = self._deadlocks.tell(error, link).advice
            return errors.Deadlock(found.message, hint=f"{found.hint} {advice}".strip())
        return found

    def fault(
        self,
        error: psycopg.Error,
        *,
        read_only: bool = False,
        waited: float | None = None,
        statement_timeout: float | None = None,
        peer_dead: str = "",
    ) -> FreeholdError | None:
        """The error to raise from this one; None for what only the application itself can read, such as its RAISE.

        Parameters
        ----------
        read_only
            Whether the transaction was begun as a read-only one.
        waited, statement_timeout
            Seconds that the statement ran and was allowed to, where known: the server gives a cancelled statement and
            one that took too long the same SQLSTATE.
        peer_dead
            Why the watchdog ended the connection, if it did.
        """
        state = error.sqlstate or ""
        if peer_dead and not state:
            return errors.PeerDead(
                "The server, or the way to it, is dead",
                detail=f"The watchdog ended the connection: {peer_dead}",
                hint="Run again: what was not committed is rolled back.",
            )
        if state in DOCUMENTS:
            return _document(error)
        if state == "23514" and error.diag.source_function == "ExecFindPartition":
            return _no_partition(error)
        if state in CONSTRAINTS:
            return self._violated(error)
        if state in TRANSACTIONS:
            return _of_transaction(error)
        if state == "57014":
            return _cancelled(waited, statement_timeout)
        if state == READ_ONLY_TRANSACTION:
            return _read_only(error, read_only=read_only)
        return _of_server(error) or _of_statement(error)

    def _violated(self, error: psycopg.Error) -> ConstraintViolated:
        state = error.sqlstate or ""
        kind, sentence = CONSTRAINTS[state]
        known = self._constraints.find(error.diag)
        return kind(
            known.message or _sentence(sentence, known),
            detail=_named(known) + _declared(error),
            hint="" if known.message else "Correct the values; what is already stored was not changed.",
            sqlstate=state,
            constraint=known.constraint,
            table=known.table,
            columns=known.columns,
        )


def _no_partition(error: psycopg.Error) -> errors.PartitionMissing:
    table = ".".join(part for part in (error.diag.schema_name, error.diag.table_name) if part)
    return errors.PartitionMissing(
        f"{table or 'A table'} has no partition for the row: it is too old, or too far ahead",
        hint="Correct the time, or run freehold partitions --maintain, which makes the periods that are declared.",
        sqlstate=error.sqlstate or "",
        table=table,
    )


def _document(error: psycopg.Error) -> errors.DocumentInvalid:
    """The detail is a pointer and a keyword, in words of the schema alone; only FH050 knows the column."""
    diag, deep = error.diag, error.sqlstate == "FH051"
    pointer, _, keyword = (diag.message_detail or "").rpartition(" ")
    keyword = "depth" if deep else keyword
    where = ".".join(part for part in (diag.schema_name, diag.table_name, diag.column_name) if part)
    return errors.DocumentInvalid(
        f"A document{f' in {where}' if where else ''} violates its schema at {pointer or 'its root'}: {keyword}",
        hint="Correct the document; what is already stored was not changed.",
        sqlstate=error.sqlstate or "",
        constraint=diag.constraint_name or "",
        table=".".join(part for part in (diag.schema_name, diag.table_name) if part),
        columns=(diag.column_name,) if diag.column_name else (),
        pointer=pointer,
        keyword=keyword,
    )


def _sentence(sentence: str, known: Known) -> str:
    return sentence.format(
        table=known.table or "a table",
        columns=", ".join(known.columns) or known.constraint or "a column",
        constraint=known.constraint or "a condition",
    )


def _declared(error: psycopg.Error) -> str:
    """What a rule of ours adds, which is words of its declaration and no value of a row."""
    detail = error.diag.message_detail or ""
    return f": {detail}" if detail and (error.sqlstate or "").startswith("FH") else ""


def _named(known: Known) -> str:
    columns = ", ".join(known.columns)
    parts = (
        ("constraint", known.constraint),
        ("domain", known.domain),
        ("table", known.table),
        ("columns", columns),
    )
    return ", ".join(f"{what} {name}" for what, name in parts if name)


def _of_transaction(error: psycopg.Error) -> FreeholdError:
    kind, message, hint = TRANSACTIONS[error.sqlstate or ""]
    if issubclass(kind, errors.TransactionConflict) and is_recovery_conflict(error):
        kind, message = errors.ReplicaConflict, "The replica had to replay what the transaction was still reading"
    return kind(f"{message} (SQLSTATE {error.sqlstate})", hint=hint)


def is_recovery_conflict(error: psycopg.Error) -> bool:
    """Whether a standby cancelled the transaction to go on replaying.

    The server gives it the SQLSTATE of a serialization failure or a deadlock; only interrupts come from this file.
    """
    return error.sqlstate in {"40001", "40P01"} and Path(error.diag.source_file or "").name == "postgres.c"


def _cancelled(waited: float | None, limit: float | None) -> FreeholdError:
    if waited is not None and limit and waited >= limit:
        return errors.StatementTimeout(
            f"A statement took longer than {limit:g} s, which its workload allows (SQLSTATE 57014)",
            hint="Look at its plan, do less in one statement, or give the workload a longer statement_timeout.",
        )
    unknown = waited is None or limit is None
    also = ", or took longer than its workload allows" if unknown else ""
    return errors.QueryCancelled(
        f"A statement was cancelled{also} (SQLSTATE 57014)", hint="The server's log says who asked for it."
    )


def _read_only(error: psycopg.Error, *, read_only: bool) -> FreeholdError:
    if read_only:
        return errors.ReadOnly(
            "A write in a transaction that was begun as read-only",
            hint="Begin it without read_only=True, or with a workload that writes.",
            sqlstate=READ_ONLY_TRANSACTION,
        )
    told = translate(error)
    return errors.ServerReadOnly(told.message, detail=told.detail, hint=told.hint)


def _of_server(error: psycopg.Error) -> FreeholdError | None:
    """What is not the statement's fault: the context, the connection, the server's disk."""
    state = error.sqlstate or ""
    gone = not state and isinstance(error, psycopg.OperationalError)
    if state.startswith(("FH", "08", "57P", "53", "58")) or gone or is_storage_fault(error):
        return translate(error)
    return None


def _of_statement(error: psycopg.Error) -> FreeholdError | None:
    state, diag = error.sqlstate or "", error.diag
    if state == "0A000" and diag.source_function == "RevalidateCachedQuery":
        return errors.PlanChanged("A table was altered under a prepared statement", hint=RUN_AGAIN, sqlstate=state)
    if state == "42501":
        return _refused_row(error) if diag.source_function == "ExecWithCheckOptions" else translate(error)
    if state in VALUES:
        kind, message = VALUES[state]
        return kind(f"{message} (SQLSTATE {state})", detail=_where(diag), hint="Correct the value.", sqlstate=state)
    if state[:2] in {"22", "23"}:
        return errors.DataRefused(
            f"A value was refused (SQLSTATE {state})", detail=_where(diag), hint="Correct the value.", sqlstate=state
        )
    if state[:2] == "42":
        # Parse analysis names objects of the statement, and never a row's value.
        return StatementFailed(
            f"The statement was refused (SQLSTATE {state})", detail=_words(diag), hint=STATEMENT, sqlstate=state
        )
    return _of_others(error)


def _of_others(error: psycopg.Error) -> FreeholdError | None:
    """What no table above names, unless the application's own code in the database has raised it."""
    state, diag = error.sqlstate or "", error.diag
    if not state or state[:2] == PROCEDURAL or diag.source_function == RAISED:
        return None
    if state == "25P02":
        return errors.TransactionAborted(
            "A statement after one that failed (SQLSTATE 25P02)",
            hint="Roll back to a savepoint (begin_nested()) before going on, or let the error leave the transaction.",
        )
    if state[:2] == "XX":
        return errors.ServerError(
            f"The server failed in itself (SQLSTATE {state})", detail=_words(diag), hint="The server's log says more."
        )
    if state == "44000":
        return errors.DataRefused(
            "A row is not one of the view that it is written through (SQLSTATE 44000)",
            hint="Correct the values.",
            sqlstate=state,
        )
    return StatementFailed(
        f"The statement was refused (SQLSTATE {state})", detail=_words(diag), hint=STATEMENT, sqlstate=state
    )


def _refused_row(error: psycopg.Error) -> FreeholdError:
    table = error.diag.table_name
    return errors.RowRefused(
        f"A row for {f'the table {table}' if table else 'a table'} belongs to another tenant than the transaction does",
        hint="Leave the tenant's column to the runtime, or open the transaction for the row's tenant.",
        sqlstate=error.sqlstate or "",
    )


def _where(diag: psycopg.errors.Diagnostic) -> str:
    parts = (("table", diag.table_name), ("column", diag.column_name), ("type", diag.datatype_name))
    return ", ".join(f"{what} {name}" for what, name in parts if name)


def _words(diag: psycopg.errors.Diagnostic) -> str:
    return diag.message_primary or ""
