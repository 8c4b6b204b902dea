"""Freehold's own tables in the schema ``freehold``: applied plans, managed objects, evidence."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.resources import files
from typing import Any

from psycopg import sql
from psycopg.rows import dict_row

from freehold.errors import JournalDamaged
from freehold.kernel.names import trusted
from freehold.kernel.objects import Change, Key, Undo
from freehold.kernel.observe import Connection
from freehold.kernel.plan import Plan, Step
from freehold.kernel.prove import Verdict
from freehold.kernel.template import read_sql

_TABLE = re.compile(r"^CREATE TABLE freehold\.(\w+) \((.*?)^\);", re.MULTILINE | re.DOTALL)
_COLUMN = re.compile(r"^    ([a-z_]+) ", re.MULTILINE)
SCHEMA = "freehold"
VERSION = 2
WITH_BACKFILLS = 2
"""The version that began to keep the progress of backfills."""
"""The version of the journal's schema; the newest migration leads to it."""


def _query(name: str) -> sql.SQL:
    return sql.SQL(read_sql(__name__, name))


def installed_version(connection: Connection) -> int:
    """The version of the journal in the database, 0 where there is none.

    Raises
    ------
    JournalDamaged
        Some of its tables or columns are gone, or it is a newer release's.
    """
    wanted = _tables()
    found = {table: set(columns) for table, columns in connection.execute(_query("read_tables"), {"tables": [*wanted]})}
    if not found:
        return 0
    if "journal_version" not in found:
        _refuse_damage(["journal_version"])
    row = connection.execute(_query("read_highest_version")).fetchone()
    version = int(row[0]) if row else 0
    if version > VERSION:
        raise JournalDamaged(
            f"The journal in the schema freehold is of version {version}; this release knows {VERSION}",
            hint="Use the release of Freehold that applied last to this database, or a newer one.",
        )
    if version == VERSION:
        _refuse_damage([table for table in wanted if table not in found])
        _refuse_damage(
            [f"{t}.{column}" for t, columns in wanted.items() for column in columns if column not in found[t]]
        )
    return version or _refuse_damage(["every row of journal_version"])


def _tables() -> dict[str, list[str]]:
    """The journal's tables and their columns, as its schema file has them."""
    text = files(__name__).joinpath("schema.sql").read_text(encoding="utf-8")
    return {table: _COLUMN.findall(body) for table, body in _TABLE.findall(text)}


def _refuse_damage(missing: Sequence[str]) -> int:
    if missing:
        raise JournalDamaged(
            f"Freehold's journal in the schema freehold lacks {', '.join(missing)}",
            detail="It keeps applied steps, the objects that Freehold may drop, and evidence.",
            hint="Restore its tables from a backup. Or give them up: "
            f"DROP TABLE IF EXISTS {', '.join(f'freehold.{table}' for table in _tables())}; and apply again. "
            "Objects that the layer no longer declares are then strangers and stay.",
        )
    return 0


def migration_steps(installed: int) -> Iterator[Step]:
    """The steps that bring the journal to its present version."""
    for version in range(installed + 1, VERSION + 1):
        text = files(__name__).joinpath("migrations", f"{version:04}.sql").read_text(encoding="utf-8")
        yield Step(
            number=0,
            key=Key("journal", ("freehold", str(version))),
            change=Change(title=f"install version {version} of the journal", statements=(trusted(text.strip()),)),
            room="journal",
            reason="applied steps and evidence are kept in the database that they are about",
        )


def managed_keys(connection: Connection, installed: int) -> frozenset[Key]:
    """The objects that earlier plans applied."""
    if not installed:
        return frozenset()
    return frozenset(Key(kind, tuple(name)) for kind, name in connection.execute(_query("read_managed")))


def backfills(connection: Connection, installed: int) -> dict[str, bool]:
    """The backfills that were begun, and whether they came to their end."""
    return dict(connection.execute(_query("read_backfills")).fetchall()) if installed >= WITH_BACKFILLS else {}


def has_finished_plan(connection: Connection, installed: int) -> bool:
    """Whether a plan was ever applied to its end."""
    row = connection.execute(_query("has_finished_plan")).fetchone() if installed else None
    return bool(row and row[0])


def steps_begun(connection: Connection, installed: int) -> frozenset[str]:
    """The titles of the steps that were applied of plans which never came to their end."""
    rows = connection.execute(_query("read_begun")).fetchall() if installed else ()
    return frozenset(title for (title,) in rows)


def begin_plan(connection: Connection, plan: Plan, *, because: str = "", approved_by: str = "") -> uuid.UUID:
    """Record that a plan begins, why guards may become weaker, and who approved it; its steps refer to the id."""
    plan_id = uuid.uuid4()
    parameters = {
        "plan_id": plan_id,
        "layer": plan.layer,
        "steps": len(plan.steps),
        "because": because,
        "approved_by": approved_by,
    }
    connection.execute(_query("insert_plan"), parameters)
    return plan_id


def record_step(connection: Connection, plan_id: uuid.UUID, step: Step) -> None:
    """Record a step in the transaction that applies it, or just after it where it cannot run in one."""
    connection.execute(
        _query("insert_step"),
        {
            "plan_id": plan_id,
            "number": step.number,
            "title": step.change.title,
            "statements": list(step.change.shown),
            "room": step.room,
            "reason": step.reason,
            "weakens": step.change.weakens,
            "loses": step.change.loses,
            "stage": str(step.change.stage),
            "final": not step.change.reversible,
            "undo": json.dumps([asdict(undo) for undo in step.change.undo]),
        },
    )


def merge_managed(connection: Connection, keys: Iterable[Key]) -> None:
    """Take objects under management; what is there stays."""
    connection.execute(_query("merge_managed"), {"objects": _as_json(keys)})


def finish_plan(connection: Connection, plan_id: uuid.UUID | None, managed: frozenset[Key]) -> None:
    """Record that a plan ended, and manage exactly what it declared."""
    with connection.transaction():
        objects = {"objects": _as_json(managed)}
        connection.execute(_query("merge_managed"), objects)
        connection.execute(_query("delete_managed"), objects)
        if plan_id:
            connection.execute(_query("finish_plan"), {"plan_id": plan_id})


@dataclass(frozen=True)
class Applied:
    """A step as the journal has it."""

    number: int
    title: str
    stage: str
    final: bool
    undo: tuple[Undo, ...]
    applied_at: datetime
    plan_id: uuid.UUID


def read_last_steps(connection: Connection) -> list[Applied]:
    """The steps of the plan that was applied last and is not undone, the last one first."""
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_query("read_last_steps")).fetchall()
    return [
        Applied(
            number=row["number"],
            title=row["title"],
            stage=row["stage"],
            final=row["final"],
            undo=tuple(Undo(**{**undo, "statements": tuple(undo["statements"])}) for undo in row["undo"]),
            applied_at=row["applied_at"],
            plan_id=row["plan_id"],
        )
        for row in rows
    ]


def finish_undo(connection: Connection, plan_id: uuid.UUID) -> None:
    """Record that a plan was taken back, and manage what was managed before it."""
    with connection.transaction():
        connection.execute(_query("restore_managed"), {"plan_id": plan_id})
        connection.execute(_query("finish_undo"), {"plan_id": plan_id})


def _as_json(keys: Iterable[Key]) -> str:
    return json.dumps([{"kind": key.kind, "name": list(key.name)} for key in keys])


def record_evidence(
    connection: Connection, verdicts: Sequence[Verdict], *, declaration: str, valid_seconds: int
) -> uuid.UUID:
    """Keep verdicts as evidence that expires; returns the run's id."""
    run_id = uuid.uuid4()
    rows = [{"number": number, **verdict.as_dict()} for number, verdict in enumerate(verdicts, 1)]
    connection.execute(
        _query("insert_evidence"),
        {
            "run_id": run_id,
            "valid_seconds": valid_seconds,
            "declaration": declaration,
            "verdicts": json.dumps(rows),
        },
    )
    return run_id


def read_evidence(connection: Connection) -> list[dict[str, Any]]:
    """The latest verdict on every promise, with its age and whether it has expired."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_query("read_evidence")).fetchall()


def read_last_plan(connection: Connection) -> dict[str, Any] | None:
    """The plan that was applied last."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_query("read_last_plan")).fetchone()
