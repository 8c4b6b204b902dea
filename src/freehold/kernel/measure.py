"""What a plan would meet in the live data: rows that violate a new constraint, and rows that a step would lose."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psycopg
from psycopg import sql

from freehold.errors import DataViolates
from freehold.kernel.budget import (
    BATCHED_BYTES_PER_SECOND,
    REWRITE_BYTES_PER_SECOND,
    SCAN_BYTES_PER_SECOND,
    LockBudget,
)
from freehold.kernel.names import Sql, ddl, ident, joined, qualified, trusted
from freehold.kernel.objects import Change, Column, Constraint, Effort, Index, Key, Lock, Object, Stage
from freehold.kernel.observe import Catalog, Connection
from freehold.kernel.plan import Plan, Step
from freehold.kernel.template import read_sql

COUNT_TIMEOUT = "15s"
SAMPLE = 5
"""Violating rows that an error shows."""

_UNIQUE_INDEX = re.compile(
    r"CREATE UNIQUE INDEX .* USING btree \((?P<keys>.+?)\)"
    r"(?: INCLUDE \([^)]*\))?(?P<nulls> NULLS NOT DISTINCT)?(?: WITH \([^)]*\))?(?: WHERE (?P<where>.+))?"
)
"""As pg_get_indexdef writes it. Parentheses are balanced there, so the shortest match that fits the whole is right."""
_ORDER = re.compile(r"(?: \w+_ops)?(?: DESC)?(?: NULLS (?:FIRST|LAST))?$")
_FOREIGN = re.compile(r"FOREIGN KEY \((?P<columns>[^)]*)\) REFERENCES (?P<table>[^(]+)\((?P<referred>[^)]*)\)")


def sizes_of(connection: Connection) -> dict[str, int]:
    """Each table's bytes, by its quoted, qualified name."""
    rows = connection.execute(sql.SQL(read_sql("freehold.kernel", "read_sizes"))).fetchall()
    return {str(qualified(schema, table)): size for schema, table, size in rows}


def measured(connection: Connection, live: Catalog, budget: LockBudget) -> Catalog:
    """The live state with the size of each table, and which of them are too large to be written while writes wait."""
    rows = connection.execute(sql.SQL(read_sql("freehold.kernel", "read_sizes"))).fetchall()
    sizes = {Key("table", (schema, table)): size for schema, table, size in rows}
    heavy = frozenset(key for key, size in sizes.items() if size > budget.heavy_bytes)
    return replace(live, bytes=sizes, heavy=heavy)


def refuse_violations(
    connection: Connection, plan: Plan, desired: Catalog, live: Catalog, filled: frozenset[Key] = frozenset()
) -> None:
    """Look for live rows that a new constraint would refuse.

    Parameters
    ----------
    filled
        Columns that get their values before anything is required of them.

    Raises
    ------
    DataViolates
        Names each constraint, the number of rows, and some of them.
    """
    with _counting(connection):
        asked = [step for step in plan.steps if step.key not in filled]
        found = [text for step in asked for text in _violations(connection, step, desired, live)]
    if found:
        raise DataViolates(
            f"Live rows violate {len(found)} of the constraints that would be added; nothing was changed",
            detail="\n".join(dict.fromkeys(found)),
            hint="Mend or move these rows, then plan again.",
        )


@contextmanager
def _counting(connection: Connection) -> Iterator[None]:
    """A room's CHECK that says by an error what it refuses answers false while rows are counted."""
    connection.execute("SET freehold.counting = 'on'")
    try:
        yield
    finally:
        if not connection.broken:
            connection.execute("RESET freehold.counting")


def _violations(connection: Connection, step: Step, desired: Catalog, live: Catalog) -> Iterator[str]:
    item = desired.objects.get(step.key)
    query = None
    if isinstance(item, Constraint) and not _is_valid(live.objects.get(step.key)) and _can_be_asked(item, live):
        query = _violating(item)
    elif isinstance(item, Index) and step.key not in live.objects and item.table_key in live.objects:
        query = _shared_keys(item)
    elif isinstance(item, Column):
        query = _missing_values(item, live.objects.get(step.key), live)
    if query:
        rows = _asked(connection, query)
        if rows:
            shown = ", ".join(json.dumps(row[1], default=str) for row in rows[:SAMPLE])
            yield f"{item.key if item else step.key}: {rows[0][0]} rows, such as {shown}"


def _asked(connection: Connection, query: Sql) -> list[Any]:
    try:
        return connection.execute(sql.SQL(query)).fetchall()
    except psycopg.ProgrammingError:
        # About what the same plan makes, or what the login may not read: the server will judge it when it is added.
        return []


def _is_valid(constraint: Object | None) -> bool:
    """Whether the live rows are known to keep it; one whose validation failed before is asked about again."""
    return isinstance(constraint, Constraint) and constraint.validated


def _can_be_asked(constraint: Constraint, live: Catalog) -> bool:
    """Whether the table and every constrained column are there already."""
    columns = (Key("column", (*constraint.table_key.name, column)) for column in constraint.columns)
    return constraint.table_key in live.objects and all(key in live.objects for key in columns)


def _missing_values(column: Column, before: Any, live: Catalog) -> Sql | None:
    """Rows without a value in a column that becomes required, or that is new, required and has no default."""
    if not column.not_null or column.table_key not in live.objects:
        return None
    if isinstance(before, Column):
        absent = None if before.not_null else ddl("{} IS NULL", ident(column.column))
    else:
        absent = None if column.default or column.identity else ddl("true")
    return _select(column.schema, column.table, absent) if absent else None


def _violating(constraint: Constraint) -> Sql | None:
    """A query for the rows that violate a constraint; exclusion constraints are left to the server."""
    if constraint.type == "c":
        condition = trusted(constraint.definition.removeprefix("CHECK ").removesuffix(" NO INHERIT"))
        return _select(constraint.schema, constraint.table, ddl("NOT {}", condition))
    if constraint.type in "pu":
        return _duplicates(constraint)
    return _orphans(constraint) if constraint.type == "f" else None


def _shared_keys(index: Index) -> Sql | None:
    """A query for rows that a unique index would find equal; None for an index that is not unique."""
    match = _UNIQUE_INDEX.fullmatch(index.definition)
    if not match:
        return None
    keys = [_ORDER.sub("", key) for key in _top_level(match["keys"])]
    names = joined(ddl("{} AS {}", trusted(key), ident(key.strip('"()'))) for key in keys)
    nulls = "" if match["nulls"] else f"num_nulls({', '.join(keys)}) = 0 AND "
    inner = ddl(
        "SELECT {}, count(*) AS rows FROM {} WHERE {}{} GROUP BY {} HAVING count(*) > 1",
        names,
        qualified(index.schema, index.table),
        trusted(nulls),
        trusted(match["where"] or "true"),
        trusted(", ".join(map(str, range(1, len(keys) + 1)))),
    )
    return ddl("SELECT sum(t.rows) OVER (), to_jsonb(t) FROM ({}) AS t LIMIT {}", inner, trusted(str(SAMPLE)))


def _top_level(text: str) -> Iterator[str]:
    """The parts between commas that stand in no parentheses and in no literal or quoted name."""
    depth, quote, begin = 0, "", 0
    for at, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        elif sign in "()":
            depth += 1 if sign == "(" else -1
        elif sign == "," and not depth:
            yield text[begin:at].strip()
            begin = at + 1
    yield text[begin:].strip()


def _select(schema: str, table: str, condition: Sql) -> Sql:
    return ddl(
        "SELECT count(*) OVER (), to_jsonb(t) FROM {} AS t WHERE {} LIMIT {}",
        qualified(schema, table),
        condition,
        trusted(str(SAMPLE)),
    )


def _duplicates(constraint: Constraint) -> Sql:
    columns = joined(ident(name) for name in constraint.columns)
    plain = ddl("num_nulls({}) = 0", columns)
    inner = ddl(
        "SELECT {}, count(*) AS rows FROM {} WHERE {} GROUP BY {} HAVING count(*) > 1",
        columns,
        qualified(constraint.schema, constraint.table),
        plain if "NULLS NOT DISTINCT" not in constraint.definition else Sql("true"),
        columns,
    )
    return ddl("SELECT sum(t.rows) OVER (), to_jsonb(t) FROM ({}) AS t LIMIT {}", inner, trusted(str(SAMPLE)))


def _orphans(constraint: Constraint) -> Sql | None:
    match = _FOREIGN.match(constraint.definition)
    if not match:
        return None
    own = [part.strip() for part in match["columns"].split(",")]
    referred = [part.strip() for part in match["referred"].split(",")]
    pairs = joined((ddl("r.{} = t.{}", trusted(r), trusted(o)) for o, r in zip(own, referred, strict=True)), " AND ")
    nulls = joined(ddl("t.{}", trusted(name)) for name in own)
    missing = ddl("NOT EXISTS (SELECT FROM {} AS r WHERE {})", trusted(match["table"]), pairs)
    return _select(constraint.schema, constraint.table, ddl("num_nulls({}) = 0 AND {}", nulls, missing))


WAITED_FOR = frozenset({Lock.SHARE, Lock.SHARE_ROW_EXCLUSIVE, Lock.EXCLUSIVE, Lock.ACCESS_EXCLUSIVE})
"""Locks that a write waits for."""
_RATES = {Effort.SCAN: SCAN_BYTES_PER_SECOND, Effort.REWRITE: REWRITE_BYTES_PER_SECOND}


def with_estimates(plan: Plan, live: Catalog, budget: LockBudget) -> Plan:
    """The plan, its steps saying how long they may take, and which would keep writes waiting for too long."""
    sizes = {str(qualified(*key.name)): size for key, size in live.bytes.items()}
    steps = (replace(step, seconds=_seconds(step.change, sizes)) for step in plan.steps)
    return replace(plan, steps=tuple(_judged(step, budget) for step in steps))


def _seconds(change: Change, sizes: Mapping[str, int]) -> float:
    """How long a step takes beyond its catalog changes, by what it reads and writes."""
    if change.batch:
        return sizes.get(change.batch.table, 0) / BATCHED_BYTES_PER_SECOND
    tables = (on.strip() for on in change.on.split(","))
    if not change.transactional:
        return sum(sizes.get(table, 0) for table in tables) / REWRITE_BYTES_PER_SECOND
    if change.stage is Stage.VALIDATE:
        return sum(sizes.get(table, 0) for table in tables) / SCAN_BYTES_PER_SECOND
    return sum(sizes.get(on, 0) / _RATES[effort] for effort, on in change.efforts)


def _judged(step: Step, budget: LockBudget) -> Step:
    long = bool(step.change.efforts) and step.change.lock in WAITED_FOR and step.seconds > budget.hold_seconds
    return replace(step, waits=f"writes wait for about {step.seconds:,.0f} s" if long else "")


def with_losses(connection: Connection, plan: Plan) -> Plan:
    """The plan, its losing steps saying how many rows they would lose."""
    steps = tuple(_counted(connection, step) if step.change.loses else step for step in plan.steps)
    return replace(plan, steps=steps)


def _counted(connection: Connection, step: Step) -> Step:
    count = _count(connection, step.key)
    change: Change = replace(step.change, loses=f"{step.change.loses} ({count} rows)")
    return replace(step, change=change)


def _count(connection: Connection, key: Key) -> str:
    """Exactly where it can be told in time, else the planner's estimate."""
    table = qualified(*key.name[:2])
    where = ddl(" WHERE {} IS NOT NULL", ident(key.name[2])) if key.kind == "column" else Sql("")
    try:
        with connection.transaction():
            connection.execute("SELECT set_config('statement_timeout', %s, true)", (COUNT_TIMEOUT,))
            row = connection.execute(sql.SQL(ddl("SELECT count(*) FROM {}{}", table, where))).fetchone()
            return str(row[0]) if row else "0"
    except psycopg.errors.QueryCanceled:
        query = sql.SQL(read_sql("freehold.kernel", "estimate_rows"))
        row = connection.execute(query, {"table": table}).fetchone()
        return f"about {row[0]}" if row else "an unknown number of"
