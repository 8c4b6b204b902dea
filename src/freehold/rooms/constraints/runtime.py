"""Mending a derived column that is not what its source adds up to, beside those who write."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from freehold.errors import InputError, TransactionBusy
from freehold.kernel.template import read_sql
from freehold.rooms.constraints.declare_derived import Kept

Connection = psycopg.Connection[Any]
PACKAGE = __package__ or ""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How far a rebuild has come.

    Parameters
    ----------
    seen
        Parents looked at.
    mended
        Parents whose column was not what it should be.
    last
        The key of the last parent, as texts: what ``after=`` takes to go on from here.
    """

    seen: int = 0
    mended: int = 0
    last: tuple[str, ...] = ()


def rebuild(
    connection: Connection,
    declaration: Kept,
    *,
    batch: int = 1000,
    after: tuple[str, ...] = (),
    progress: Callable[[Rebuilt], None] | None = None,
) -> Rebuilt:
    """Make a derived column what its source adds up to, in short transactions beside those who write.

    Parents are looked at in the order of their keys. Those that are wrong and free are mended together; for one that
    somebody writes just then it waits while it holds no other, so that it is never part of a deadlock.

    Parameters
    ----------
    connection
        Of a role that may act as the layer's owner, with no transaction open.
    declaration
        The ``Derived`` or ``Counter`` whose column is mended.
    batch
        Parents a transaction, at least 1.
    after
        The ``last`` of an earlier call that was interrupted; from the beginning where it is empty.
    progress
        Told after each batch, when it is committed.

    Raises
    ------
    InputError
        The batch is smaller than 1.
    TransactionBusy
        A transaction is open on the connection; nothing is done.

    >>> rebuild(connection, Derived(Account, "balance", sum=Entry.amount))  # doctest: +SKIP
    """
    if batch < 1:
        raise InputError(f"A batch of {batch} parents is none", hint="Give a number from 1.")
    if connection.info.transaction_status is not TransactionStatus.IDLE:
        raise TransactionBusy(
            "A rebuild makes transactions of its own, and one is open on the connection",
            hint="Commit or roll back first, or give a connection in autocommit mode.",
        )
    done = Rebuilt(last=after)
    while True:
        seen, last, wrong = _find(connection, declaration, done.last, batch)
        if not seen:
            return done
        _mend(connection, declaration, wrong)
        done = replace(done, seen=done.seen + seen, mended=done.mended + len(wrong), last=tuple(last))
        if progress:
            progress(done)


def _find(
    connection: Connection, declaration: Kept, after: tuple[str, ...], batch: int
) -> tuple[int, list[str], list[list[str]]]:
    given = {"after": json.dumps(after) if after else None, "batch": batch}
    found = _run(connection, "find_underived", declaration, given)
    return found[0], found[1], found[2]


def _mend(connection: Connection, declaration: Kept, wrong: list[list[str]]) -> None:
    """Those that are free together, and then each that was not."""
    if not wrong:
        return
    left = _run(connection, "mend_derived", declaration, {"keys": json.dumps(wrong), "waits": False})[0]
    for key in left:
        _run(connection, "mend_derived", declaration, {"keys": json.dumps([key]), "waits": True})


def _run(connection: Connection, verb: str, declaration: Kept, given: dict[str, Any]) -> Any:
    """One transaction; what it reads after it waited must be newer than what it read before."""
    query = sql.SQL(read_sql(PACKAGE, f"call_{verb}")).format(function=sql.Identifier(*declaration.function(verb)))
    with connection.transaction():
        connection.execute(read_sql(PACKAGE, "read_committed"))
        return connection.execute(query, given).fetchone()
