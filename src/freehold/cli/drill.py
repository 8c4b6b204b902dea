"""Commands that rehearse a disaster on a disposable server: drill."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from freehold.cli.options import Json, Status, on_project
from freehold.cli.project import Project
from freehold.cli.render import answers, print_json, watching
from freehold.errors import ConfigError, InputError
from freehold.events import Listener
from freehold.kernel.room import Drill, Finding
from freehold.operations import flat_figures, record_drill
from freehold.rooms.backup import Ground
from freehold.servers import OwnedServer

Name = Annotated[str, typer.Argument(help="The drill: restore.")]


@on_project
def drill(project: Project, name: Name, json: Json = False) -> None:
    """Rehearse a disaster on a disposable server and keep the finding as evidence.

    `drill restore` takes a base backup, restores it to a moment just passed on a throw-away server and compares it with
    what was there. It needs the server of `freehold up`. Exit status 0: held; 1: it did not; 2: it could not run.
    """
    chosen = _chosen(project, name)
    with watching() as listener:
        started = time.monotonic()
        finding = _run(project, chosen, listener)
        seconds = time.monotonic() - started
    with project.connection() as connection:
        record_drill(connection, project.declared, chosen, finding, seconds=seconds)
    if json:
        facts = {"drill": chosen.name, "room": chosen.room, "promise": chosen.promise, "held": finding.held}
        print_json({**facts, "reason": finding.reason, "seconds": round(seconds, 3), "figures": dict(finding.figures)})
    else:
        _print_finding(chosen, finding)
    raise typer.Exit(Status.DONE if finding.held else Status.BROKEN)


def _chosen(project: Project, name: str) -> Drill:
    drills = {each.name: each for each in project.declared.drills}
    if name not in drills:
        raise InputError(
            f"The layer has no drill {name!r}",
            hint=f"Drills: {', '.join(sorted(drills))}." if drills else "Declare Backup() to have the drill restore.",
        )
    return drills[name]


def _run(project: Project, chosen: Drill, listener: Listener) -> Finding:
    server = project.server
    if not isinstance(server, OwnedServer):
        raise ConfigError(
            "A drill needs a server that Freehold runs, and a URL names somebody else's",
            hint="Unset FREEHOLD_URL and start the project's own server: freehold up",
        )
    return chosen.run(Ground(server, str(project.database)), listener)


def _print_finding(chosen: Drill, finding: Finding) -> None:
    console = answers()
    console.print(f"{'HELD' if finding.held else 'BROKEN'}  {chosen.room}: {chosen.promise}", markup=False)
    if finding.reason:
        console.print(finding.reason, markup=False)
    for name, value in flat_figures(finding.figures):
        console.print(f"  {name}: {value}", markup=False)


def register(app: typer.Typer, epilog: str) -> None:
    """Add the command."""
    app.command(epilog=epilog)(drill)
