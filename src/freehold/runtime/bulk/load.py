"""COPY into a table: straight where row security allows it, else through a temporary table and under the policies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa
from psycopg import pq, sql

from freehold.runtime.bulk.source import Rows, Source, source_of
from freehold.runtime.bulk.target import Target, read_target
from freehold.runtime.bulk.wire import Wire

STAGE = "freehold_copy"
IN_TRANSACTION = pq.TransactionStatus.INTRANS


def copy_in(
    wire: Wire,
    table: sa.Table,
    columns: Sequence[str] | None,
    rows: Rows,
    *,
    tenant_column: str = "",
    skip_conflicts: bool = False,
) -> int:
    """Load rows by COPY and give how many were stored.

    PostgreSQL refuses COPY FROM on a table under row security, so there the rows go to a temporary table of the same
    column types first. Memory does not grow with the input.

    Parameters
    ----------
    columns
        The columns of each row, by their names in the database; None where the rows bring their names along. Where the
        tenant column is not among them, the context's tenant fills it.
    rows
        Sequences or mappings of Python values, blocks of bytes in COPY's text format, Arrow data (pyarrow, polars, or
        whatever else has ``__arrow_c_stream__``), or an iterable of Arrow batches.
    skip_conflicts
        Leave out rows that a unique key already has (ON CONFLICT DO NOTHING).

    Raises
    ------
    InputError
        A column that the table has not, an Arrow type that does not fit its column, or a value that does not.
    """
    target, source = read_target(wire, table, tenant_column), source_of(wire, rows, columns)
    sent = source.prepare(target)
    if not source.names:
        return 0
    if not (target.guarded or target.filled(source.names) or skip_conflicts or sent):
        return wire.send(copy_statement(target.name, source), source.items())
    with staged(wire, target, source, sent) as stage:
        return wire.run(_INSERT.format(**stage.holes, conflict=_SKIP if skip_conflicts else _NOTHING))


@dataclass(frozen=True, slots=True)
class Stage:
    """Rows in the temporary table, and the pieces of statements that bring them from there into the target.

    ``names`` are the target's columns, the filled tenant column first, and ``values`` what each takes from the stage.
    """

    target: Target
    names: tuple[str, ...]
    values: tuple[sql.Composable, ...]
    rows: int

    @property
    def holes(self) -> dict[str, sql.Composable]:
        """Target, its columns, their values, and the stage."""
        return {
            "target": self.target.name,
            "names": identifiers(self.names),
            "values": sql.SQL(", ").join(self.values),
            "stage": _STAGE,
        }


@contextmanager
def staged(wire: Wire, target: Target, source: Source, sent: dict[str, str]) -> Iterator[Stage]:
    """Send the rows to a temporary table that is gone when the block or the transaction ends."""
    wire.run(_create(target, source, sent))
    try:
        yield _filled(wire, target, source, sent)
    except Exception:
        # What failed on the server has taken the table with it.
        if wire.driver.pgconn.transaction_status == IN_TRANSACTION:
            wire.run(_DROP.format(stage=_STAGE))
        raise
    wire.run(_DROP.format(stage=_STAGE))


def _create(target: Target, source: Source, sent: dict[str, str]) -> sql.Composed:
    made = [_column(name, sent.get(name)) for name in source.names]
    return _CREATE.format(stage=sql.Identifier(STAGE), columns=sql.SQL(", ").join(made), target=target.name)


def _filled(wire: Wire, target: Target, source: Source, sent: dict[str, str]) -> Stage:
    count = wire.send(copy_statement(_STAGE, source), source.items())
    fill = target.filled(source.names)
    values = [_value(target, name, name in sent) for name in source.names]
    return Stage(
        target,
        (target.tenant_column, *source.names) if fill else tuple(source.names),
        (_TENANT, *values) if fill else tuple(values),
        count,
    )


def copy_statement(into: sql.Composable, source: Source) -> sql.Composed:
    """The COPY that takes what the source gives."""
    options = sql.SQL(" (FORMAT binary)" if source.binary else "")
    return _COPY.format(into=into, names=identifiers(source.names), options=options)


def identifiers(names: Sequence[str]) -> sql.Composed:
    """The names, quoted, with commas between."""
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _column(name: str, sent: str | None) -> sql.Composable:
    if not sent:
        return sql.Identifier(name)
    return sql.SQL("NULL::{} AS {}").format(_TYPES[sent], sql.Identifier(name))


def _value(target: Target, name: str, cast: bool) -> sql.Composable:
    if not cast:
        return sql.Identifier(name)
    # The server's own spelling of the type, quoted by it.
    written = sql.SQL(target.columns[name].written)
    return sql.SQL("{}::{}").format(sql.Identifier(name), written)


_STAGE = sql.Identifier("pg_temp", STAGE)
_TENANT = sql.SQL("(SELECT freehold.tenant_v1())")
_TYPES = {"text": sql.SQL("text"), "text[]": sql.SQL("text[]")}
_CREATE = sql.SQL("CREATE TEMPORARY TABLE {stage} ON COMMIT DROP AS SELECT {columns} FROM {target} WITH NO DATA")
_COPY = sql.SQL("COPY {into} ({names}) FROM STDIN{options}")
_INSERT = sql.SQL("INSERT INTO {target} ({names}) SELECT {values} FROM {stage}{conflict}")
_SKIP = sql.SQL(" ON CONFLICT DO NOTHING")
_NOTHING = sql.SQL("")
_DROP = sql.SQL("DROP TABLE {stage}")
