"""The command that reviews any database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from freehold.assess import Area, Review, Severity, assess
from freehold.assess.page import as_page
from freehold.cli.options import Json, Status
from freehold.cli.render import answers, note, print_json
from freehold.files import write_text
from freehold.servers import connect

Url = Annotated[str, typer.Argument(help="URL of the database.")]
Html = Annotated[Path | None, typer.Option("--html", help="Write a page that prints well.")]
FailOn = Annotated[Severity | None, typer.Option("--fail-on", help="Exit with 1 where something as bad is found.")]
STYLES = {Severity.HIGH: "bold red", Severity.MEDIUM: "yellow", Severity.LOW: "cyan", Severity.NOTE: "dim"}


def review(url: Url, html: Html = None, fail_on: FailOn = None, json: Json = False) -> None:
    """Review any database from its catalog: what is wrong, how that shows, what mends it, what would have prevented it.

    It only reads. It needs no project.
    """
    with connect(url, autocommit=True) as connection:
        found = assess(connection)
    if html is not None:
        write_text(html, as_page(found), "The page")
    if json:
        print_json(found.as_dict())
    else:
        _print(found)
    bad = list(Severity)[: list(Severity).index(fail_on) + 1] if fail_on else []
    raise typer.Exit(Status.BROKEN if any(finding.severity in bad for finding in found.findings) else Status.DONE)


def _print(found: Review) -> None:
    console = answers()
    for area in Area:
        findings = found.of(area)
        if findings:
            console.print(f"\n{area.capitalize()}", style="bold", markup=False)
        for finding in findings:
            head = f"{finding.severity.upper():<7} {finding.check.code} {finding.subject}: {finding.check.title}"
            console.print(head, style=STYLES[finding.severity], markup=False)
            console.print(f"        {finding.evidence}", markup=False)
            if finding.mend:
                console.print(f"        do: {finding.mend}", markup=False)
    counts = found.counts()
    told = ", ".join(f"{counts[severity]} {severity}" for severity in Severity)
    console.print(f"\n{found.database}, PostgreSQL {found.server_version}: {told}", markup=False)
    for check, reason in found.not_looked_at:
        note(f"not looked at: {check.code} {check.title}: {reason}")


def register(app: typer.Typer, epilog: str) -> None:
    """Add the command."""
    app.command("assess", epilog=epilog)(review)
