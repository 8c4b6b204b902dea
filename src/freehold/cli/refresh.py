"""The command that refreshes reports."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from freehold.cli.keyring import query
from freehold.cli.options import Json, on_project
from freehold.cli.project import Connection, Project
from freehold.cli.render import answers, note, print_json, watching
from freehold.errors import InputError
from freehold.events import Listener, ReportRefreshed
from freehold.rooms.reports import Report, refresh_all

Names = Annotated[list[str] | None, typer.Argument(metavar="[REPORT]...", help="The reports; all where none is named.")]


@dataclass(frozen=True, slots=True)
class Refreshed:
    """One report after its refresh: ``changed`` rows were inserted, updated or deleted."""

    report: str
    changed: int
    as_of: str
    seconds: float


@on_project
def refresh(project: Project, report: Names = None, json: Json = False) -> None:
    """Refresh reports for every tenant, each in one transaction: readers see the old rows or the new ones."""
    chosen = _chosen(list(project.layer.of_type(Report)), report or [])
    with project.connection() as connection, watching() as listener:
        done = [_refresh(connection, each, listener) for each in chosen]
    if json:
        print_json([{"report": r.report, "changed": r.changed, "as_of": r.as_of, "seconds": r.seconds} for r in done])
        return
    for each in done:
        text = f"{each.report}  as of {each.as_of}  {each.changed} rows changed  {each.seconds:.2f} s"
        answers().print(text, markup=False)
    note("The layer declares no report", quiet=bool(done))


def _chosen(declared: Sequence[Report], names: Sequence[str]) -> Sequence[Report]:
    by_name = {report.name: report for report in declared}
    for name in names:
        if name not in by_name:
            raise InputError(
                f"The layer declares no report {name!r}",
                hint=f"Declared: {', '.join(sorted(by_name)) or 'none'}.",
            )
    return [by_name[name] for name in names] or declared


def _refresh(connection: Connection, report: Report, listener: Listener) -> Refreshed:
    began = connection.execute(query("read_clock")).fetchone()
    assert began is not None
    started = time.monotonic()
    changed = refresh_all(connection, report)
    # All that was committed before the call is in it: its snapshot is younger.
    done = Refreshed(report.name, changed, began[0].isoformat(), round(time.monotonic() - started, 3))
    listener(ReportRefreshed(done.report, done.as_of, done.seconds))
    return done


def register(app: typer.Typer, epilog: str) -> None:
    """Add the command."""
    app.command(epilog=epilog)(refresh)
