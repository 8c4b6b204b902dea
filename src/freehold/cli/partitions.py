"""The command that shows partitions, makes the ones that come next, and retires those past their time."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from freehold.cli.options import Json, on_project
from freehold.cli.project import Connection, Project
from freehold.cli.render import answers, note, print_json, watching
from freehold.errors import InputError
from freehold.events import Listener
from freehold.kernel.periods import Cut
from freehold.operations import apply_new_tables
from freehold.rooms.history import ROOM as HISTORY
from freehold.rooms.history import History
from freehold.rooms.partitions import ROOM, Partitioned
from freehold.rooms.partitions.export import Exported
from freehold.rooms.partitions.runtime import partitions_of, retire

Cuts = Partitioned | Cut
Maintain = Annotated[
    bool, typer.Option("--maintain", help="Make the periods that are missing, and retire those past their time.")
]


@on_project
def partitions(project: Project, maintain: Maintain = False, json: Json = False) -> None:
    """Show the partitions of each table; with --maintain, bring them up to date.

    Run it with --maintain from a scheduler, several times within the periods that are made ahead. Two at once are
    harmless, and one that is cut short is finished by the next.
    """
    declared = [*project.layer.of_type(Partitioned), *_histories(project)]
    if not declared:
        raise InputError("The layer declares no partitioned table", hint="Add Partitioned(...) to it, and apply.")
    with project.connection() as connection, watching() as listener:
        done = _maintain(project, connection, declared, listener) if maintain else {}
        shown = [_shown(connection, each) for each in declared]
    if json:
        print_json({**done, "tables": shown})
        return
    for what, names in done.items():
        note(f"{len(names)} {what}", quiet=False)
    for table in shown:
        answers().print(f"{table['table']}: {len(table['partitions'])} partitions", markup=False)
        for part in table["partitions"]:
            state = "  waits to be dropped" if part["detached"] or part["pending"] else ""
            text = f"  {part['name']}  {part['bound'] or 'detached'}  {part['bytes']:,} bytes{state}"
            answers().print(text, markup=False)


def _histories(project: Project) -> list[Cut]:
    return [cut for each in project.layer.of_type(History) if (cut := each.cut)]


def _maintain(
    project: Project, connection: Connection, declared: list[Cuts], listener: Listener
) -> dict[str, list[Any]]:
    made = [
        step
        for room in (ROOM.name, HISTORY.name)
        for step in apply_new_tables(connection, project.declared, room, cache=project.cache, listener=listener).steps
    ]
    retired = [found for each in declared for found in retire(connection, each, listener=listener)]
    return {
        "made": [step.key.name[1] for step in made if step.key.kind == "table"],
        "dropped": [found for found in retired if isinstance(found, str)],
        "exported": [asdict(found) for found in retired if isinstance(found, Exported)],
    }


def _shown(connection: Connection, declaration: Cuts) -> dict[str, Any]:
    return {
        "table": declaration.title,
        "partitions": [asdict(partition) for partition in partitions_of(connection, declaration)],
    }


def register(app: typer.Typer, epilog: str) -> None:
    """Add the command."""
    app.command(epilog=epilog)(partitions)
