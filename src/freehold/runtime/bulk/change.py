"""Set-based changes from many rows: upsert by a unique key, and MERGE on any columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, cast

import psycopg
import sqlalchemy as sa
from psycopg import sql

from freehold.errors import ConfigError, InputError
from freehold.kernel.template import read_sql
from freehold.runtime.bulk.load import Stage, staged
from freehold.runtime.bulk.source import Rows, source_of
from freehold.runtime.bulk.target import PACKAGE, Target, read_target
from freehold.runtime.bulk.wire import Wire
from freehold.runtime.literal import Written

Matched = Literal["update", "delete", "nothing"]
NotMatched = Literal["insert", "nothing"]
_UNEQUAL = frozenset({"json", "xml", "point"})
"""Types without an equality operator; they are compared as text."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What became of ``read`` rows of input."""

    read: int
    inserted: int = 0
    updated: int = 0
    deleted: int = 0

    @property
    def unchanged(self) -> int:
        """Rows of the input that changed nothing: already there in the same form, or none of the asked for cases."""
        return max(0, self.read - self.inserted - self.updated - self.deleted)


def upsert(
    wire: Wire,
    table: sa.Table,
    rows: Rows,
    *,
    key: Sequence[str],
    update: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    changed: bool = True,
    tenant_column: str = "",
) -> Changed:
    """Insert rows, or update those that a unique key already has; safe beside others that write the same keys.

    Parameters
    ----------
    key
        The columns of a unique constraint or index; a tenant column need not be named.
    update
        The columns to update, empty for none; all that are given beside the key where it is None.
    columns
        As in :func:`freehold.runtime.bulk.load.copy_in`.
    changed
        Leave rows alone that have the same values already; False writes them anew.

    Raises
    ------
    InputError
        A key comes twice in the input, no unique constraint has these columns, or the input does not fit the table.
    """
    with _prepared(wire, table, rows, columns, tenant_column, key, update) as (stage, keys, updated):
        before = _counts(wire, stage.target)
        action = _do_update(stage.target, updated, changed) if updated else sql.SQL("NOTHING")
        statement = _UPSERT.format(**stage.holes, key=_names(keys), action=action)
        try:
            total = wire.run(statement)
        except psycopg.errors.InvalidColumnReference as error:
            raise InputError(
                f"No unique constraint of the table has exactly the columns {', '.join(keys)}",
                hint="Name the columns of a unique constraint or index, or use merge_rows().",
            ) from error
        inserted, deleted = _counts(wire, stage.target, before)
        # A row that lost a race counts as inserted and deleted.
        return Changed(stage.rows, inserted - deleted, total - (inserted - deleted))


def merge_rows(
    wire: Wire,
    table: sa.Table,
    rows: Rows,
    *,
    on: Sequence[str],
    matched: Matched = "update",
    not_matched: NotMatched = "insert",
    update: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    changed: bool = True,
    tenant_column: str = "",
) -> Changed:
    """Update, delete or insert by MERGE, matching on any columns.

    Two transactions that insert the same key at once are not reconciled: one of them fails with a unique violation.
    Where that can happen, :func:`upsert` is the right call.

    Raises
    ------
    InputError
        The columns of ``on`` come twice in the input, nothing is asked for, or the input does not fit the table.
    """
    if not_matched == "nothing" and (matched == "nothing" or (matched == "update" and update == ())):
        raise InputError(
            "A merge that neither touches matched rows nor inserts others does nothing", hint="Say what to do."
        )
    with _prepared(wire, table, rows, columns, tenant_column, on, update) as (stage, keys, updated):
        before = _counts(wire, stage.target)
        wire.run(_ANALYZE.format(stage=stage.holes["stage"]))
        arms = [_matched(stage.target, matched, updated, changed), _not_matched(stage.names, not_matched)]
        given = [
            sql.SQL("{} AS {}").format(v, sql.Identifier(n)) for n, v in zip(stage.names, stage.values, strict=True)
        ]
        total = wire.run(
            _MERGE.format(
                target=stage.target.name,
                given=sql.SQL(", ").join(given),
                stage=stage.holes["stage"],
                on=_all(_EQUAL, keys),
                arms=sql.SQL("").join(arms),
            )
        )
        inserted, deleted = _counts(wire, stage.target, before)
        if matched == "delete":
            return Changed(stage.rows, inserted, 0, total - inserted)
        # A row that an update moved to another partition counts as deleted there and inserted here.
        return Changed(stage.rows, inserted - deleted, total - (inserted - deleted))


@contextmanager
def _prepared(
    wire: Wire,
    table: sa.Table,
    rows: Rows,
    columns: Sequence[str] | None,
    tenant_column: str,
    key: Sequence[str],
    update: Sequence[str] | None,
) -> Iterator[tuple[Stage, list[str], list[str]]]:
    """The rows in a stage, the full key, and the columns to update; judged before and after the rows are sent."""
    target, source = read_target(wire, table, tenant_column), source_of(wire, rows, columns)
    if not target.counted:
        raise ConfigError(
            "The server does not count changed rows: track_counts is off",
            hint="Set it on again; autovacuum needs it as well.",
        )
    sent = source.prepare(target)
    names = source.names or tuple(dict.fromkeys([*key, *(update or ())]))
    whole = [tenant_column, *key] if tenant_column and tenant_column not in key else list(key)
    beside = [name for name in names if name not in whole]
    _check_names(names, key, beside if update is None else update)
    source.names = names
    with staged(wire, target, source, sent) as stage:
        _refuse_duplicates(wire, stage, key)
        yield stage, whole, beside if update is None else list(update)


def _check_names(given: Sequence[str], key: Sequence[str], update: Sequence[str]) -> None:
    if not key:
        raise InputError("The key of the rows has no column", hint="Name the columns of a unique key.")
    for name in (*key, *update):
        if name not in given:
            raise InputError(
                f"The rows have no column {name!r}, which the key or the update names", hint="Correct the name."
            )


def _refuse_duplicates(wire: Wire, stage: Stage, key: Sequence[str]) -> None:
    complete = sql.SQL(" AND ").join(sql.SQL("{} IS NOT NULL").format(sql.Identifier(name)) for name in key)
    query = _DUPLICATES.format(stage=stage.holes["stage"], key=_names(key), complete=complete)
    _, rows = wire.read(query)
    if rows[0][0]:
        raise InputError(
            f"{rows[0][0]} keys come more than once in the input; the key is {', '.join(key)}",
            hint="Reduce the input to one row a key, and say so which one wins.",
        )


def _counts(wire: Wire, target: Target, since: tuple[int, int] = (0, 0)) -> tuple[int, int]:
    """Rows inserted into and deleted from the table, by this transaction, since an earlier count."""
    table = target.name.as_string(wire.driver)
    _, rows = wire.read(Written(read_sql(PACKAGE, "read_changes")), {"table": table})
    inserted, deleted = cast("tuple[int, int]", rows[0])
    return inserted - since[0], deleted - since[1]


def _do_update(target: Target, update: Sequence[str], changed: bool) -> sql.Composable:
    fresh = sql.SQL("excluded")
    where = sql.SQL(" WHERE {}").format(_differs(target, update, fresh)) if changed else sql.SQL("")
    return sql.SQL("UPDATE SET {}{}").format(_assignments(update, fresh), where)


def _matched(target: Target, matched: Matched, update: Sequence[str], changed: bool) -> sql.Composable:
    if matched == "delete":
        return sql.SQL(" WHEN MATCHED THEN DELETE")
    if matched == "nothing" or not update:
        return sql.SQL("")
    fresh = sql.SQL("s")
    condition = sql.SQL(" AND ({})").format(_differs(target, update, fresh)) if changed else sql.SQL("")
    return sql.SQL(" WHEN MATCHED{} THEN UPDATE SET {}").format(condition, _assignments(update, fresh))


def _not_matched(names: Sequence[str], not_matched: NotMatched) -> sql.Composable:
    if not_matched == "nothing":
        return sql.SQL("")
    values = sql.SQL(", ").join(sql.SQL("s.{}").format(sql.Identifier(name)) for name in names)
    return sql.SQL(" WHEN NOT MATCHED THEN INSERT ({}) VALUES ({})").format(_names(names), values)


def _assignments(update: Sequence[str], fresh: sql.SQL) -> sql.Composed:
    return sql.SQL(", ").join(sql.SQL("{0} = {1}.{0}").format(sql.Identifier(name), fresh) for name in update)


def _differs(target: Target, update: Sequence[str], fresh: sql.SQL) -> sql.Composed:
    return sql.SQL(" OR ").join(
        (_AS_TEXT if target.columns[name].type in _UNEQUAL else _DIFFERS).format(sql.Identifier(name), fresh)
        for name in update
    )


def _all(condition: sql.SQL, names: Sequence[str]) -> sql.Composed:
    return sql.SQL(" AND ").join(condition.format(sql.Identifier(name)) for name in names)


def _names(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


_EQUAL = sql.SQL("t.{0} = s.{0}")
_DIFFERS = sql.SQL("t.{0} IS DISTINCT FROM {1}.{0}")
_AS_TEXT = sql.SQL("t.{0}::text IS DISTINCT FROM {1}.{0}::text")
_UPSERT = sql.SQL("INSERT INTO {target} AS t ({names}) SELECT {values} FROM {stage} ON CONFLICT ({key}) DO {action}")
_MERGE = sql.SQL("MERGE INTO {target} AS t USING (SELECT {given} FROM {stage}) AS s ON {on}{arms}")
_ANALYZE = sql.SQL("ANALYZE {stage}")
_DUPLICATES = sql.SQL(
    "SELECT count(*) FROM (SELECT FROM {stage} WHERE {complete} GROUP BY {key} HAVING count(*) > 1) AS twice"
)
