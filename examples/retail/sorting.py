"""A batch of lines sorted by tenant and verdict, and what it says of the catalogue; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from examples.retail.plain import counted, plain_sales, price_text
from examples.retail.reader import to_lines
from examples.retail.rules import (
    Family,
    Kind,
    Line,
    Reason,
    branch,
    classify,
    family_of,
    is_priced,
    is_stocked,
    product_code,
)


@dataclass(slots=True)
class Part:
    """One tenant's lines of one batch: the plain sales as a table, the others one by one."""

    sales: pa.Table | None = None
    others: list[tuple[Kind, Line]] = field(default_factory=list)
    quarantined: list[tuple[Reason, Line]] = field(default_factory=list)

    @property
    def has_credits(self) -> bool:
        """Whether a line belongs on a credit note."""
        return any(kind is Kind.CREDIT for kind, _ in self.others)

    @property
    def loaded(self) -> int:
        """How many lines have a place in the business's tables."""
        return len(self.others) + (self.sales.num_rows if self.sales is not None else 0)


@dataclass(frozen=True, slots=True)
class ProductFact:
    """What a batch says of a product: the text and the price most of its lines carry; None where it says nothing."""

    code: str
    family: Family
    description: str | None
    list_price: Decimal | None


@dataclass(frozen=True, slots=True)
class Sorted:
    """A batch after the rules."""

    lines: int
    last_line: int
    parts: dict[str, Part]
    products: list[ProductFact]


def sort_lines(table: pa.Table) -> Sorted:
    """Apply the rules to a batch; every line is in exactly one place of exactly one part."""
    plain = plain_sales(table)
    sales = table.filter(plain)
    parts: dict[str, Part] = {}
    for country in pc.unique(sales.column("Country")).to_pylist():
        mine = sales.filter(pc.equal(sales.column("Country"), country))
        parts.setdefault(branch(country), Part()).sales = mine.combine_chunks()
    _sort_others(parts, to_lines(table.filter(pc.invert(plain))), sales)
    others = [item for part in parts.values() for item in part.others]
    return Sorted(table.num_rows, table.column("line_no")[-1].as_py(), parts, _facts(sales, others))


def _sort_others(parts: dict[str, Part], lines: list[Line], sales: pa.Table) -> None:
    priced = {line.invoice_no for line in lines if is_priced(line)}
    priced.update(pc.unique(sales.column("InvoiceNo")).to_pylist())
    for line in lines:
        part = parts.setdefault(branch(line.country), Part())
        verdict = classify(line, line.invoice_no in priced)
        if isinstance(verdict, Kind):
            part.others.append((verdict, line))
        else:
            part.quarantined.append((verdict, line))


def _facts(sales: pa.Table, others: Iterable[tuple[Kind, Line]]) -> list[ProductFact]:
    texts: dict[str, Counter[str]] = {}
    prices: dict[str, Counter[Decimal]] = {}
    for code, text, lines in counted(sales, sales.column("Description")):
        _add(texts, code, text, lines)
    for code, price, lines in counted(sales, price_text(sales)):
        _add(prices, code, Decimal(price), lines)
    for kind, line in others:
        code = product_code(line.stock_code or "")
        _add(texts, code, line.description if line.unit_price else None, 1)
        _add(prices, code, line.unit_price if kind is Kind.ORDER else None, 1)
    return [_fact(code, texts[code], prices[code]) for code in sorted(texts)]


def _add(found: dict[str, Counter[Any]], code: str, value: Any, lines: int) -> None:
    counter = found.setdefault(code, Counter())
    if value:
        counter[value] += lines


def _fact(code: str, texts: Counter[str], prices: Counter[Decimal]) -> ProductFact:
    family = family_of(code)
    return ProductFact(code, family, _most(texts), _most(prices) if is_stocked(family) else None)


def _most(counter: Counter[Any]) -> Any:
    """The commonest value; of several, the smallest, so that the answer does not depend on the order of lines."""
    return min(counter, key=lambda value: (-counter[value], value), default=None)
