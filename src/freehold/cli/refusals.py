"""The command that shows what log-only guards would have refused."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from psycopg.errors import UndefinedTable

from freehold.cli.options import Json, Status, on_project
from freehold.cli.project import Connection, Project
from freehold.cli.render import answers, note, print_json
from freehold.errors import InputError
from freehold.kernel.declare import name_of
from freehold.rooms.tenancy import Tenancy
from freehold.rooms.tenancy.refusals import Refusal, clear_refusals, list_unheld, read_refusals

Hours = Annotated[int, typer.Option("--hours", min=1, help="How far back to look.")]
Most = Annotated[int, typer.Option("--most", min=1, help="How many to show, the newest first.")]
Clear = Annotated[bool, typer.Option("--clear", help="Forget what was noted, after it was shown.")]


@on_project
def refusals(project: Project, hours: Hours = 168, most: Most = 50, clear: Clear = False, json: Json = False) -> None:
    """Show which statements the guards of Tenancy(log_only=...) would have refused, or hidden rows from.

    Exit status 0: none was noted; 1: some were. A session notes a statement once an hour, so that one which was mended
    may be seen until its hour is over. On standbys and in read-only transactions the note goes to the server's log.
    """
    tables = [".".join(name_of(each)) for t in project.layer.of_type(Tenancy) for each in t.log_only]
    if not tables:
        raise InputError("No guard of the layer only logs", hint="Write Tenancy(..., log_only={Entity: 'the reason'}).")
    with project.connection() as connection:
        found = _read(connection, hours, most)
        unheld = list_unheld(connection)
        cleared = clear_refusals(connection) if clear else 0
    if json:
        print_json({"log_only": tables, "refusals": [_plain(each) for each in found], "not_held": unheld})
    else:
        _print(found, unheld, tables, hours)
        note(f"{cleared} notes cleared", quiet=not clear)
    raise typer.Exit(Status.BROKEN if found else Status.DONE)


def _read(connection: Connection, hours: int, most: int) -> list[Refusal]:
    try:
        return read_refusals(connection, hours=hours, most=most)
    except UndefinedTable as absent:
        raise InputError("The guards that only log are not in this database yet", hint="freehold apply") from absent


def _plain(refusal: Refusal) -> dict[str, object]:
    return {**asdict(refusal), "first_at": str(refusal.first_at), "last_at": str(refusal.last_at)}


def _print(found: list[Refusal], unheld: list[str], tables: list[str], hours: int) -> None:
    for each in found:
        who = f"{each.role} ({each.application})" if each.application else each.role
        answers().print(f"{each.relation}  {each.command} {each.told}", markup=False)
        answers().print(f"    {each.last_at:%Y-%m-%d %H:%M}, in {each.hours} hours, by {who}", markup=False)
        answers().print(f"    {' '.join(each.statement.split())}", markup=False)
    answers().print(
        f"{len(found) or 'no'} kinds of statement in {hours} hours on {', '.join(sorted(tables))}", markup=False
    )
    for role in unheld:
        note(f"{role} is connected, and row security does not hold it: nothing that it does is noted")


def register(app: typer.Typer, epilog: str) -> None:
    """Add the command."""
    app.command(epilog=epilog)(refusals)
