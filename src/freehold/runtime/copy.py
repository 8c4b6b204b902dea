"""COPY into a table under row security: staged in a temporary table, then inserted under the policies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

import psycopg
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.util import await_

STAGE = "freehold_copy"


def copy_in(
    connection: sa.Connection,
    table: sa.Table,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]] | Iterable[bytes],
    *,
    tenant_column: str = "",
    skip_conflicts: bool = False,
) -> int:
    """Load rows by COPY and give how many were stored.

    PostgreSQL refuses COPY FROM on a table under row security, so the rows go to a temporary table of the same column
    types first. Memory does not grow with the input.

    Parameters
    ----------
    columns
        The columns of each row, by their names in the database. Where the tenant column is not among them, the
        context's tenant fills it.
    rows
        Sequences of Python values, or blocks of bytes in COPY's text format.
    skip_conflicts
        Leave out rows that a unique key already has (ON CONFLICT DO NOTHING).
    """
    target = sql.Identifier(*(part for part in (table.schema, table.name) if part))
    names = [sql.Identifier(name) for name in columns]
    stage = sql.Identifier("pg_temp", STAGE)
    _run(connection, _CREATE.format(stage=sql.Identifier(STAGE), names=sql.SQL(", ").join(names), target=target))
    _write(connection, _COPY.format(stage=stage, names=sql.SQL(", ").join(names)), rows)
    fill = bool(tenant_column) and tenant_column not in columns
    into = [sql.Identifier(tenant_column), *names] if fill else names
    chosen = [_TENANT, *names] if fill else names
    stored = _run(
        connection,
        _INSERT.format(
            target=target,
            into=sql.SQL(", ").join(into),
            chosen=sql.SQL(", ").join(chosen),
            stage=stage,
            conflict=_SKIP if skip_conflicts else sql.SQL(""),
        ),
    )
    _run(connection, _DROP.format(stage=stage))
    return stored


_CREATE = sql.SQL("CREATE TEMPORARY TABLE {stage} ON COMMIT DROP AS SELECT {names} FROM {target} WITH NO DATA")
_COPY = sql.SQL("COPY {stage} ({names}) FROM STDIN")
_TENANT = sql.SQL("(SELECT freehold.tenant_v1())")
_INSERT = sql.SQL("INSERT INTO {target} ({into}) SELECT {chosen} FROM {stage}{conflict}")
_SKIP = sql.SQL(" ON CONFLICT DO NOTHING")
_DROP = sql.SQL("DROP TABLE {stage}")


def _run(connection: sa.Connection, statement: sql.Composed) -> int:
    driver: Any = connection.connection.driver_connection
    return connection.exec_driver_sql(statement.as_string(driver)).rowcount


def _write(connection: sa.Connection, statement: sql.Composed, rows: Iterable[Any]) -> None:
    driver = connection.connection.driver_connection
    if isinstance(driver, psycopg.AsyncConnection):
        await_(_write_async(driver, statement, rows))
        return
    with cast("psycopg.Connection[Any]", driver).cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            if isinstance(row, bytes):
                copy.write(row)
            else:
                copy.write_row(row)


async def _write_async(driver: psycopg.AsyncConnection[Any], statement: sql.Composed, rows: Iterable[Any]) -> None:
    async with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            if isinstance(row, bytes):
                await copy.write(row)
            else:
                await copy.write_row(row)
