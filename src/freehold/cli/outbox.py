"""The command that shows what waits in the outbox, and gives dead letters another try."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from psycopg.rows import dict_row

from freehold.cli.keyring import query
from freehold.cli.options import Json, on_project
from freehold.cli.project import Connection, Project
from freehold.cli.render import answers, note, print_json
from freehold.errors import InputError
from freehold.rooms.outbox import Outbox
from freehold.runtime.targets import as_like

BATCH = 10_000
"""Delivered messages that one statement purges."""

Topic = Annotated[str, typer.Option("--topic", help="Only topics of this pattern, in which * stands for any text.")]
Ids = Annotated[list[int] | None, typer.Option("--id", help="With --requeue: only this dead letter; repeatable.")]
Requeue = Annotated[bool, typer.Option("--requeue", help="Give the dead letters another try.")]
Purge = Annotated[bool, typer.Option("--purge", help="Remove delivered messages that are past their time.")]
Most = Annotated[int, typer.Option("--most", help="How many dead letters to show, the newest first.")]


@on_project
def outbox(
    project: Project,
    topic: Topic = "*",
    requeue: Requeue = False,
    ids: Ids = None,
    purge: Purge = False,
    most: Most = 20,
    json: Json = False,
) -> None:
    """Show what waits in the outbox and its dead letters; with --requeue, give those another try.

    A dead letter is a message that its target refused, or did not take in as many tries as the relay makes.
    """
    if not any(project.layer.of_type(Outbox)):
        raise InputError("The layer declares no outbox", hint="Add Outbox() to it, and apply.")
    if ids and not requeue:
        raise InputError("--id names dead letters to requeue", hint="Give --requeue too.")
    chosen = {"topic": as_like(topic), "ids": ids or None, "most": most}
    with project.connection() as connection:
        done = {"requeued": _requeue(connection, chosen)} if requeue else {}
        done |= {"purged": _purge(connection)} if purge else {}
        state, dead = _rows(connection, "read_outbox", {})[0], _rows(connection, "list_dead_letters", chosen)
    if json:
        shown = [{key: str(value) if key.endswith("_at") else value for key, value in row.items()} for row in dead]
        print_json({**done, **state, "dead_letters": shown})
        return
    _print(done, state, dead)


def _rows(connection: Connection, name: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query(name), parameters).fetchall()


def _requeue(connection: Connection, chosen: dict[str, Any]) -> int:
    row = connection.execute(query("requeue_messages"), chosen).fetchone()
    assert row is not None
    return int(row[0])


def _purge(connection: Connection) -> int:
    purged = 0
    while row := connection.execute(query("purge_messages"), {"batch": BATCH}).fetchone():
        purged += row[0]
        if row[0] < BATCH:
            break
    return purged


def _print(done: dict[str, int], state: dict[str, Any], dead: list[dict[str, Any]]) -> None:
    for what, count in done.items():
        note(f"{count} {what}", quiet=False)
    line = "{waiting} waiting (the oldest for {oldest_seconds:.0f} s), {in_delivery} in delivery, {dead} dead"
    answers().print(line.format(**state), markup=False)
    for row in dead:
        text = "{id}  {topic}  of {owner}  after {attempts} tries  {dead_at:%Y-%m-%d %H:%M:%S}  {last_error}"
        answers().print(text.format(**{**row, "owner": row["owner"] or "nobody"}), markup=False)


def register(app: typer.Typer, epilog: str) -> None:
    """Add the command."""
    app.command(epilog=epilog)(outbox)
