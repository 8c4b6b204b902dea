"""The command that attacks: prove."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from freehold.cli.isolation import print_ledger
from freehold.cli.junit import write_junit
from freehold.cli.options import Json, Status, on_project
from freehold.cli.project import Project
from freehold.cli.render import answers, note, print_json, watching
from freehold.errors import InputError
from freehold.kernel.prove import Outcome, Verdict
from freehold.operations import prove_canaries, prove_isolation, prove_layer
from freehold.rooms.tenancy import Tenancy
from freehold.servers import connect

What = Annotated[
    str | None,
    typer.Argument(metavar="[tenancy]", help="'tenancy' walks every exit of tenants' rows: the isolation ledger."),
]
Rooms = Annotated[list[str] | None, typer.Option("--room", help="Only this room's promises; may be repeated.")]
Canary = Annotated[
    bool, typer.Option("--canaries", help="Attack the tenancy's two canary tenants alone; plants them where absent.")
]
Login = Annotated[
    str,
    typer.Option(
        "--as", help="With --canaries: URL of the application's login; its password from PGPASSWORD or a passfile."
    ),
]
Junit = Annotated[Path | None, typer.Option("--junit", help="Write the verdicts as JUnit XML into this file.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Name the promises that held, too.")]
NoRecord = Annotated[bool, typer.Option("--no-record", help="Keep no evidence in the database.")]


@on_project
def prove(
    project: Project,
    what: What = None,
    room: Rooms = None,
    canaries: Canary = False,
    login: Login = "",
    junit: Junit = None,
    verbose: Verbose = False,
    no_record: NoRecord = False,
    json: Json = False,
) -> None:
    """Attack the live database and keep the verdicts as evidence for a week.

    Every attack is rolled back. Exit status 0: all held; 1: a promise is broken; 2: not every probe could run.
    The ledger ends with 1 as well where an exit is unknown.
    """
    if what is not None:
        _prove_ledger(project, what, room, junit=junit, verbose=verbose, record=not no_record, json=json)
    if canaries:
        verdicts = _prove_canaries(project, login, record=not no_record)
    else:
        declared = project.declared
        rooms = _known(room or [], {probe.room for probe in declared.probes})
        with project.connection() as connection, watching() as listener:
            verdicts = prove_layer(connection, declared, rooms=rooms, record=not no_record, listener=listener)
    if junit:
        write_junit(junit, verdicts)
    if json:
        print_json([verdict.as_dict() for verdict in verdicts])
    else:
        _print_verdicts(verdicts, verbose)
    raise typer.Exit(_status(verdicts))


def _prove_ledger(
    project: Project,
    what: str,
    room: Sequence[str] | None,
    *,
    junit: Path | None,
    verbose: bool,
    record: bool,
    json: bool,
) -> None:
    if what != "tenancy" or room:
        raise InputError(
            f"There is no ledger of {what!r}" if not room else "A ledger is of every room",
            hint="Write freehold prove tenancy; one room's promises alone: freehold prove --room NAME.",
        )
    declared = project.declared
    accepted = {name: why for tenancy in project.layer.of_type(Tenancy) for name, why in tenancy.exits.items()}
    with project.connection() as connection, watching() as listener:
        ledger = prove_isolation(connection, declared, accepted=accepted, record=record, listener=listener)
    if junit:
        write_junit(junit, ledger.verdicts())
    if json:
        print_json(ledger.as_dict())
    else:
        print_ledger(ledger, verbose)
    raise typer.Exit(Status.BROKEN if ledger.failing else _status(ledger.promises))


def _prove_canaries(project: Project, login: str, *, record: bool) -> list[Verdict]:
    declared = next((t.canaries for t in project.layer.of_type(Tenancy) if t.canaries), None)
    if declared is None:
        raise InputError("The tenancy declares no canaries", hint="Write Tenancy(..., canaries=Canaries(one, two)).")
    pair = (declared.one, declared.two)
    with ExitStack() as stack:
        connection = stack.enter_context(project.connection())
        application = stack.enter_context(connect(login, autocommit=True)) if login else None
        verdicts, refused = prove_canaries(connection, project.declared, pair, application, record=record)
    for table in refused:
        note(f"{'.'.join(table)} took no made-up row: write one for each canary with the application")
    return verdicts


def _known(asked: Sequence[str], rooms: set[str]) -> Sequence[str]:
    for name in asked:
        if name not in rooms:
            raise InputError(
                f"The layer has no probes of a room {name!r}", hint=f"Rooms with probes: {', '.join(sorted(rooms))}."
            )
    return asked


def _status(verdicts: Sequence[Verdict]) -> Status:
    found = {verdict.verdict for verdict in verdicts}
    if Outcome.BROKEN in found:
        return Status.BROKEN
    return Status.COULD_NOT_RUN if Outcome.NOT_RUN in found or not verdicts else Status.DONE


def _print_verdicts(verdicts: Sequence[Verdict], verbose: bool) -> None:
    console = answers()
    for room in dict.fromkeys(verdict.room for verdict in verdicts):
        for verdict in (v for v in verdicts if v.room == room and (verbose or v.verdict is not Outcome.HELD)):
            console.print(f"{verdict.verdict.upper()}  {room}: {verdict.promise}", markup=False)
            console.print(f"        {verdict.subject}: {verdict.detail}", markup=False)
    console.print(_table(verdicts))
    if not verdicts:
        note("The layer declares nothing that could be proved")


def _table(verdicts: Sequence[Verdict]) -> Table:
    table = Table("room", *(Outcome), box=None, show_footer=True)
    for room in dict.fromkeys(verdict.room for verdict in verdicts):
        mine = [verdict.verdict for verdict in verdicts if verdict.room == room]
        table.add_row(room, *(str(mine.count(kind)) for kind in Outcome))
    for column, kind in zip(table.columns[1:], Outcome, strict=True):
        column.justify = "right"
        column.footer = str(sum(verdict.verdict is kind for verdict in verdicts))
    return table


def register(app: typer.Typer, epilog: str) -> None:
    """Add the command."""
    app.command(epilog=epilog)(prove)
