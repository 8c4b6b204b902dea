"""What a connection leads to is found out by acts: a server, a pooler, or one that keeps no transaction together."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager

import psycopg
import pytest

from freehold.errors import PoolerUnfit
from freehold.runtime.pooler import PoolerFacts, recognise
from freehold.servers import OwnedServer, Pooler, pooler_for
from freehold.servers.pooler import PoolMode
from freehold.testing.database import Database
from freehold.testing.servers import missing_pooler


def keeps_statements(pooler: Pooler) -> bool:
    """Whether this PgBouncer is one that follows prepared statements: since 1.21 it has a setting for it."""
    return any(row["key"] == "max_prepared_statements" and row["value"] != "0" for row in pooler.show("CONFIG"))


def facts(database: Database) -> PoolerFacts:
    with database.connect() as connection:
        found = connection.wait(recognise(connection.pgconn))
        assert connection.pgconn.transaction_status == psycopg.pq.TransactionStatus.IDLE
        return found


def own(server: OwnedServer, mode: PoolMode) -> AbstractContextManager[Pooler]:
    if reason := missing_pooler():
        pytest.skip(reason)
    return pooler_for(server, mode=mode, pool_size=2)


def test_a_server_is_no_pooler(database: Database) -> None:
    assert facts(database) == PoolerFacts(pooled=False, prepared_statements=True)


def test_a_pooler_is_recognised(pooler: Pooler, pooled: Database) -> None:
    assert facts(pooled) == PoolerFacts(pooled=True, prepared_statements=keeps_statements(pooler))


def test_the_fact_tells_what_happens_to_statements(pooler: Pooler, pooled: Database) -> None:
    """Prepared by one client and run by it after another has had its server connection."""
    found = facts(pooled)
    clients = [pooled.connect(autocommit=True) for _ in range(8)]
    failed = 0
    for _ in range(3):
        for client in clients:
            try:
                client.execute("SELECT %s::int", (1,), prepare=True)
            except (psycopg.errors.DuplicatePreparedStatement, psycopg.errors.InvalidSqlStatementName):
                failed += 1
    assert found.prepared_statements == (failed == 0)
    for client in clients:
        client.close()


def test_the_same_under_asyncio(pooled: Database) -> None:
    async def ask() -> PoolerFacts:
        async with await psycopg.AsyncConnection.connect(pooled.conninfo()) as connection:
            return await connection.wait(recognise(connection.pgconn))

    assert asyncio.run(ask()).pooled


def test_nothing_is_left_on_the_server(pooled: Database, database: Database) -> None:
    for place in (pooled, database):
        with place.connect(autocommit=True) as connection:
            connection.wait(recognise(connection.pgconn))
            rows = connection.execute("SELECT name FROM pg_prepared_statements", prepare=False).fetchall()
            assert [name for (name,) in rows if name.startswith("freehold")] == []


def test_session_mode_is_safe(server: OwnedServer, database: Database) -> None:
    with own(server, "session") as pooler:
        assert facts(Database(pooler, database.name)).pooled


def test_statement_mode_is_refused(server: OwnedServer, database: Database) -> None:
    with own(server, "statement") as pooler, pytest.raises(PoolerUnfit, match="statement mode"):
        facts(Database(pooler, database.name))


def test_a_server_that_ends_is_no_statement_mode(own_server: OwnedServer) -> None:
    with own_server.connect() as connection:
        own_server.stop(mode="immediate")
        with pytest.raises(psycopg.OperationalError):
            connection.wait(recognise(connection.pgconn))
