"""What stands between a connection and its server, and what may therefore outlive a transaction."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from psycopg import generators, pq
from psycopg.abc import PQGen
from psycopg.errors import error_from_result

from freehold.errors import PoolerUnfit
from freehold.kernel.template import read_sql

PACKAGE = "freehold.runtime"
IN_TRANSACTION = pq.TransactionStatus.INTRANS
FAILED = pq.ExecStatus.FATAL_ERROR
REFUSED = b"08P01"
"""What PgBouncer answers to a BEGIN that its mode forbids, before it closes the connection."""


@dataclass(frozen=True, slots=True)
class PoolerFacts:
    """What a physical connection leads to.

    Parameters
    ----------
    pooled
        Whether the server's process may change from one transaction to the next.
    prepared_statements
        Whether a statement prepared in one transaction can be run in a later one: always so without a pooler, and where
        the pooler keeps track of them (PgBouncer from 1.21 on, with max_prepared_statements above 0).
    """

    pooled: bool = False
    prepared_statements: bool = True


def recognise(pgconn: pq.abc.PGconn) -> PQGen[PoolerFacts]:
    """Find out what an idle connection leads to; in four round trips, without a pooler in three.

    ``connection.wait(recognise(connection.pgconn))``, with ``await`` before it under asyncio. The connection is idle
    again afterwards, and nothing of the examination is left on the server.

    Raises
    ------
    PoolerUnfit
        A transaction does not hold: the pooler is in statement mode.
    psycopg.Error
        The connection failed otherwise.
    """
    name = b"freehold_pooler_" + secrets.token_hex(8).encode()
    yield from _begin(pgconn)
    pgconn.send_prepare(name, b"SELECT 1")
    yield from _answer(pgconn)
    pid, as_named = yield from _look(pgconn, name)
    if as_named:
        pgconn.send_query(b"DEALLOCATE " + name)
        yield from _answer(pgconn)
    pgconn.send_query(b"ROLLBACK")
    yield from _answer(pgconn)
    pooled = pid != pgconn.backend_pid
    return PoolerFacts(pooled, prepared_statements=not (pooled and as_named))


def _begin(pgconn: pq.abc.PGconn) -> PQGen[None]:
    pgconn.send_query(b"BEGIN")
    results = yield from generators.execute(pgconn)
    if results[-1].status == FAILED:
        if results[-1].error_field(pq.DiagnosticField.SQLSTATE) == REFUSED:
            raise _statement_mode()
        raise error_from_result(results[-1])
    _still_inside(pgconn)


def _look(pgconn: pq.abc.PGconn, name: bytes) -> PQGen[tuple[int, bool]]:
    """The server's process, and whether it knows the statement by the name that libpq gave it."""
    pgconn.send_query_params(read_sql(PACKAGE, "read_prepared").encode(), [name])
    result = yield from _answer(pgconn)
    _still_inside(pgconn)
    pid, known = result.get_value(0, 0), result.get_value(0, 1)
    assert pid is not None
    return int(pid), known == b"t"


def _answer(pgconn: pq.abc.PGconn) -> PQGen[pq.abc.PGresult]:
    result: pq.abc.PGresult = (yield from generators.execute(pgconn))[-1]
    if result.status == FAILED:
        raise error_from_result(result)
    return result


def _still_inside(pgconn: pq.abc.PGconn) -> None:
    if pgconn.transaction_status != IN_TRANSACTION:
        raise _statement_mode()


def _statement_mode() -> PoolerUnfit:
    return PoolerUnfit(
        "A transaction does not hold on this address: a pooler in statement mode stands before the server",
        detail="Each statement may reach another process, so neither a tenant's context nor a rollback would hold.",
        hint="Set pool_mode = transaction in the pooler, or give an address that leads to the server itself.",
    )


__all__ = ["PoolerFacts", "recognise"]
