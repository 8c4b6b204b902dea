"""How the isolation ledger looks on a terminal: what fails first, then what is exempt and why, then the count."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from freehold.cli.render import answers
from freehold.isolation import Entry, Ledger, Standing

TOLD = (Standing.BROKEN, Standing.UNKNOWN, Standing.EXEMPT)
STYLES = {Standing.BROKEN: "bold red", Standing.UNKNOWN: "bold yellow", Standing.EXEMPT: "cyan"}


def print_ledger(ledger: Ledger, verbose: bool) -> None:
    """The lines that somebody has to read, every line where ``verbose``, and a count by kind of exit."""
    console = answers()
    for standing in Standing if verbose else TOLD:
        for entry in (each for each in ledger.entries if each.standing is standing):
            _print_entry(console, entry, verbose)
    for verdict in ledger.unheld:
        console.print(f"{verdict.verdict.upper():<8} {verdict.promise}", style="bold red", markup=False)
        console.print(f"         {verdict.subject}: {verdict.detail}", markup=False)
    console.print(_table(ledger.entries))
    held = len(ledger.promises) - len(ledger.unheld)
    told = f"{len(ledger.promises)} ways past the guard were tried besides, {held} held; {ledger.seconds:.1f} s"
    console.print(told, markup=False)
    if ledger.failing:
        console.print(f"{len(ledger.failing)} lines are not accounted for.", style="bold red", markup=False)


def _print_entry(console: Console, entry: Entry, verbose: bool) -> None:
    style = STYLES.get(entry.standing, "green")
    roles = ", ".join(entry.roles) or "nobody"
    console.print(f"{entry.standing.upper():<8} {entry.exit}  ←  {roles}", style=style, markup=False)
    console.print(f"         {entry.reason}", markup=False)
    if entry.advice:
        console.print(f"         do: {entry.advice}", markup=False)
    for probe in entry.probes if verbose else ():
        console.print(f"         · {probe}", markup=False)


def _table(entries: Iterable[Entry]) -> Table:
    """How many lines of each kind of exit have each standing."""
    lines = list(entries)
    table = Table("exit", *Standing, box=None, show_footer=True)
    for kind in dict.fromkeys(entry.kind for entry in lines):
        mine = [entry.standing for entry in lines if entry.kind == kind]
        table.add_row(kind, *(str(mine.count(standing) or "·") for standing in Standing))
    for column, standing in zip(table.columns[1:], Standing, strict=True):
        column.justify = "right"
        column.footer = str(sum(entry.standing is standing for entry in lines))
    return table
