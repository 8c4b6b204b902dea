"""What the rooms' tests do alike: build a layer without a plan, bind a context, take a role, ask a room's probes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from freehold.kernel.compile import Declared
from freehold.kernel.objects import Grant, Site
from freehold.kernel.prove import Outcome, Verdict, run_probes
from freehold.kernel.scratch import ordered

Connection = psycopg.Connection[Any]


def build(connection: Connection, declared: Declared) -> None:
    """Make every object of a layer in an empty database, with a key to sign contexts with."""
    site = Site(connection.info.dbname, connection.info.server_version, frozenset(declared.objects))
    with connection.transaction():
        connection.execute("SET LOCAL check_function_bodies = off")
        for item in ordered(declared.objects):
            empty = isinstance(item, Grant) and not item.privileges
            if item.kind == "column" or (empty and item.name[0] == "function"):
                continue
            for change in item.drop(site) if empty else item.create(site):
                for statement in change.statements:
                    connection.execute(sql.SQL(statement))
        connection.execute("SELECT freehold.add_context_key_v1('first', %s)", (b"0123456789abcdef0123456789abcdef",))


def bind(connection: Connection, tenant: UUID | str, actor: str = "ann") -> None:
    """Bind a context to the transaction."""
    connection.execute(
        "SELECT set_config('freehold.context', freehold.issue_context_v1(%s::text, %s, '1 minute'), true)",
        (str(tenant), actor),
    )


def act_as(connection: Connection, role: str) -> None:
    """Take a role for the transaction."""
    connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))


def judged(connection: Connection, declared: Declared, room: str) -> Sequence[Verdict]:
    """What a room's probes find."""
    return run_probes(connection, [probe for probe in declared.probes if probe.room == room])


def unheld(connection: Connection, declared: Declared, room: str) -> list[str]:
    """A room's promises that do not hold, or could not be tried."""
    return [found.promise for found in judged(connection, declared, room) if found.verdict is not Outcome.HELD]
