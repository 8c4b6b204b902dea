"""What the room needs in the database: the table into which a drill writes its ticks."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.kernel.model import Model
from freehold.kernel.objects import Column, Constraint, Object, Schema, Table, TableFacts
from freehold.kernel.room import Scope
from freehold.rooms.backup.declare import Backup

SCHEMA = "freehold"
TICKS = "drill_tick"


def compile_backup(declaration: Backup, model: Model) -> Iterator[Object]:
    """The table of ticks. The archive's settings are the server's own: see ``archive_settings``."""
    reason = "a restore drill marks the moments before and after its target"
    yield Schema(schema=SCHEMA, reason="Freehold's own functions and tables")
    columns = tuple(
        Column(schema=SCHEMA, table=TICKS, column=name, type=kind, not_null=True, default=default, reason=reason)
        for name, kind, default in (
            ("drill", "uuid", ""),
            ("tick", "integer", ""),
            ("made_at", "timestamp with time zone", "pg_catalog.clock_timestamp()"),
        )
    )
    facts = TableFacts(role="state", application=frozenset())
    yield Table(schema=SCHEMA, table=TICKS, columns=columns, facts=facts, reason=reason)
    yield Constraint(
        schema=SCHEMA,
        table=TICKS,
        constraint="drill_tick_pkey",
        type="p",
        definition="PRIMARY KEY (drill, tick)",
        columns=("drill", "tick"),
        reason=reason,
    )


def scope_backup(declaration: Backup, model: Model) -> Iterator[Scope]:
    """Rights on the table of ticks."""
    yield Scope("grant", ("table", SCHEMA, TICKS))
    yield Scope("trigger", (SCHEMA, TICKS))
