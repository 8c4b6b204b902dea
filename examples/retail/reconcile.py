"""The reckoning: what the tables hold against what the file holds, by tenant, in lines and in pennies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
from examples.retail.reader import Input, exact
from examples.retail.rules import CASH, RECEIVABLE, branch, tenant_of
from examples.retail.statements import run

from freehold import Database


@dataclass(frozen=True, slots=True)
class Totals:
    """Lines, and quantity times price over those whose product is a number."""

    lines: int = 0
    money: Decimal = Decimal(0)

    def __add__(self, other: Totals) -> Totals:
        return Totals(self.lines + other.lines, self.money + other.money)


@dataclass(frozen=True, slots=True)
class Held:
    """What a tenant's tables hold.

    ``traded`` is orders less credits, ``held`` the money in quarantine, ``booked`` what the ledger's cash and
    receivables say; ``unbalanced`` counts ledger entries, ``mismatched`` products whose stock is not the sum of its
    movements.
    """

    loaded: int
    quarantined: int
    traded: Decimal
    held: Decimal
    booked: Decimal
    unbalanced: int
    mismatched: int


@dataclass(frozen=True, slots=True)
class Account:
    """One tenant's side of the reckoning."""

    country: str
    expected: Totals
    found: Held

    def faults(self) -> Iterator[str]:
        """What does not add up, a sentence each."""
        found = self.found
        lines = found.loaded + found.quarantined
        money = found.traded + found.held
        if lines != self.expected.lines:
            yield f"{self.country}: {self.expected.lines} lines came, {lines} are there"
        if money != self.expected.money:
            yield f"{self.country}: {self.expected.money} came, {money} is there"
        if found.booked != found.traded:
            yield f"{self.country}: {found.traded} traded, {found.booked} booked"
        if found.unbalanced:
            yield f"{self.country}: {found.unbalanced} ledger entries do not balance"
        if found.mismatched:
            yield f"{self.country}: the stock of {found.mismatched} products is not the sum of its movements"


@dataclass(frozen=True, slots=True)
class Reckoning:
    """Every tenant's account."""

    accounts: tuple[Account, ...]

    @property
    def faults(self) -> list[str]:
        """All that does not add up; empty where nothing was lost."""
        return [fault for account in self.accounts for fault in account.faults()]

    @property
    def expected(self) -> Totals:
        """The whole file."""
        return sum((account.expected for account in self.accounts), Totals())

    @property
    def found(self) -> Totals:
        """All tables together."""
        return sum((_totals(account.found) for account in self.accounts), Totals())


def _totals(found: Held) -> Totals:
    return Totals(found.loaded + found.quarantined, found.traded + found.held)


def reconcile(db: Database, path: Path) -> Reckoning:
    """Hold a database into which one file was loaded against that file, tenant by tenant."""
    accounts = [Account(country, totals, held(db, country)) for country, totals in sorted(expected(path).items())]
    return Reckoning(tuple(accounts))


def expected(path: Path) -> dict[str, Totals]:
    """Lines and money of each country of the file; equal lines are counted first, so that decimals cost little."""
    found: dict[str, Totals] = {}
    for batch in Input(path).batches():
        columns = batch.select(["Country", "Quantity", "UnitPrice"])
        groups = columns.group_by(columns.column_names).aggregate([([], "count_all")])
        for country, totals in _money(groups):
            found[country] = found.get(country, Totals()) + totals
    return found


def _money(groups: pa.Table) -> Iterator[tuple[str, Totals]]:
    for row in groups.to_pylist():
        quantity, price, lines = (row[name] for name in ("Quantity", "UnitPrice", "count_all"))
        product = Decimal("nan") if quantity is None or price is None else exact(quantity) * exact(price)
        yield branch(row["Country"]), Totals(lines, product * lines if product.is_finite() else Decimal(0))


def held(db: Database, country: str) -> Held:
    """What the tables hold for one country, read under its own tenant."""
    tenant = tenant_of(country)
    with db.transaction(tenant=tenant, actor="retail-reckoning", read_only=True) as session:
        row = run(session, "read_totals", tenant=tenant, cash=CASH, receivable=RECEIVABLE).one()
    return Held(**row._mapping)
