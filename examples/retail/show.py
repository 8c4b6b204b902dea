"""How the demo looks: one short block for each step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from examples.retail.layer import DAILY_REVENUE, RETENTION
from examples.retail.load import LoadResult
from examples.retail.models import Product
from examples.retail.reconcile import Reckoning
from examples.retail.rules import tenant_of
from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select

from freehold import Database, read_report
from freehold.kernel.plan import Plan
from freehold.kernel.prove import Outcome, Verdict
from freehold.kernel.room import Drill, Finding
from freehold.rooms.history import versions_of
from freehold.servers import EmbeddedServer

ACTOR = "retail-demo"
SAMPLE_COUNTRY = "Germany"
COHORTS = 6


def server(console: Console, started: EmbeddedServer) -> None:
    """Which server, and where."""
    console.print(
        f"  PostgreSQL {started.binaries.release} on 127.0.0.1:{started.port}, data in {started.data_directory}"
    )


def plan(console: Console, made: Plan) -> None:
    """How many steps each room asks for."""
    if not made.steps:
        console.print("  nothing to do: the database is as declared")
        return
    rooms = Counter(step.room or "models" for step in made.steps)
    told = ", ".join(f"{room} {count}" for room, count in rooms.most_common())
    console.print(f"  {len(made.steps)} steps: {told}")


def loaded(console: Console, result: LoadResult) -> None:
    """What became of the lines."""
    rate = result.lines / result.seconds if result.seconds else 0
    console.print(f"  {result.lines:,} lines at {rate:,.0f} a second: {result.loaded:,} loaded", end="")
    if result.already_there:
        console.print(f", {result.already_there:,} there from an earlier run", end="")
    console.print(f", {sum(result.quarantined.values()):,} in quarantine now")
    for reason, count in result.quarantined.most_common():
        console.print(f"    {count:>6,}  {reason}")


def reckoning(console: Console, found: Reckoning) -> None:
    """Lines and money, on both sides."""
    table = Table(box=None)
    for name in ("", "in the file", "in the tables"):
        table.add_column(name, justify="right" if name else "left")
    table.add_row("lines", f"{found.expected.lines:,}", f"{found.found.lines:,}")
    table.add_row("pounds", _money(found.expected.money), _money(found.found.money))
    table.add_row("tenants", str(len(found.accounts)), str(sum(account.found.loaded > 0 for account in found.accounts)))
    console.print(table)
    console.print("  books balance, stock is the sum of its movements" if not found.faults else "  it does not add up")


def _money(amount: Decimal) -> str:
    """To the last digit that is not a zero: the input has prices below a penny."""
    return f"{amount.normalize():,f}"


def product_history(console: Console, db: Database) -> None:
    """The product whose text changed most often, over the year."""
    versions: Any = versions_of(Product)
    changes = func.count(versions.description.distinct())
    most = select(versions.code).group_by(versions.code).order_by(changes.desc(), func.count().desc(), versions.code)
    with db.transaction(actor=ACTOR, read_only=True) as session:
        code = session.scalars(most.limit(1)).one()
        query = select(versions).where(versions.code == code).order_by(versions.valid_from)
        rows = [(row.list_price, row.description, row.actor) for row in session.scalars(query)]
    console.print(f"\n[bold]History of product {code}[/bold]: {len(rows)} versions")
    for price, description, actor in rows:
        console.print(f"  £{price}  {description}  (by {actor})", markup=False)


def reports(console: Console, db: Database) -> None:
    """The last days' revenue and the first cohorts of one tenant."""
    with db.transaction(tenant=tenant_of(SAMPLE_COUNTRY), actor=ACTOR) as session:
        days = sorted(read_report(session, DAILY_REVENUE).rows, key=lambda row: row.day)[-3:]
        cohorts = read_report(session, RETENTION).rows
    console.print(f"  {SAMPLE_COUNTRY}, its last days: " + ", ".join(f"{row.day} £{row.net:,}" for row in days))
    console.print(f"  {SAMPLE_COUNTRY}, customers who order again after so many months:")
    console.print(_cohorts({(row.cohort, row.months_later): row.customers for row in cohorts}))


def _cohorts(found: Mapping[tuple[date, int], int]) -> Table:
    months = sorted({cohort for cohort, _ in found})[:COHORTS]
    table = Table(box=None)
    table.add_column("first order")
    for later in range(COHORTS):
        table.add_column(f"+{later}", justify="right")
    for month in months:
        table.add_row(f"{month:%Y-%m}", *(str(found.get((month, later), 0)) for later in range(COHORTS)))
    return table


def verdicts(console: Console, found: Sequence[Verdict]) -> None:
    """How many promises of each room held."""
    table = Table("room", *Outcome, box=None)
    for room in dict.fromkeys(verdict.room for verdict in found):
        mine = Counter(verdict.verdict for verdict in found if verdict.room == room)
        table.add_row(room, *(str(mine[kind]) for kind in Outcome))
    console.print(table)


def finding(console: Console, drill: Drill, found: Finding) -> None:
    """What a drill measured."""
    console.print(f"  {'held' if found.held else 'broken'}: {drill.promise}", markup=False)
    if found.reason:
        console.print(f"  {found.reason}", markup=False)
    for name in ("rows", "tables", "guarded_tables", "rpo_seconds", "rto_seconds"):
        if name in found.figures:
            value = found.figures[name]
            console.print(f"    {name.replace('_', ' '):<16} {value:,}", markup=False)


def verdict(console: Console, faults: Sequence[str], seconds: float, home: Path) -> None:
    """The last lines: what held, and how to go on."""
    console.print()
    for fault in faults:
        console.print(f"[bold red]✗[/bold red] {fault}")
    if not faults:
        console.print("[bold green]✓ Every promise held.[/bold green]", end=" ")
    console.print(f"{seconds:.0f} s in all. The server is stopped; its data stays in {home}.")
    console.print("Look around: export FREEHOLD_LAYER=examples.retail.layer:layer; freehold up", markup=False)
