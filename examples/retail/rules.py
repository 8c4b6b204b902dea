"""What an input line is: a sale, a credit, a stock adjustment, or nothing the business has a rule for."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID, uuid5

UNKNOWN_COUNTRY = "Unspecified"
_TENANTS = UUID("5d0c7bb6-4b0e-5a3e-9a39-7e1f6f1b8d10")
_ORDER_NO = re.compile(r"[0-9]{1,15}")
_LIMIT = 10_000_000


class Line(NamedTuple):
    """One line of the input as it came; ``line_no`` counts from 1 over the whole file."""

    line_no: int
    invoice_no: str | None
    stock_code: str | None
    description: str | None
    quantity: Decimal | None
    invoiced_at: datetime | None
    unit_price: Decimal | None
    customer_no: Decimal | None
    country: str | None


class Kind(StrEnum):
    """What a line becomes."""

    ORDER = "order"
    CREDIT = "credit"
    ADJUSTMENT = "adjustment"


class Reason(StrEnum):
    """Why a line is kept in quarantine."""

    MISSING_FIELD = "missing field"
    MISSING_COUNTRY = "missing country"
    NOT_STORABLE = "text the database cannot hold"
    NOT_A_NUMBER = "not a finite number"
    FRACTIONAL_QUANTITY = "fractional quantity"
    ZERO_QUANTITY = "zero quantity"
    TOO_LARGE = "too large"
    BAD_CUSTOMER = "customer number is not a positive whole number"
    BAD_DOCUMENT = "document number of no known kind"
    BAD_DEBT = "bad-debt adjustment"
    NEGATIVE_PRICE = "negative price"
    SUB_PENNY = "price below a penny"
    POSITIVE_CREDIT = "credit of a positive quantity"
    NEGATIVE_SALE = "sale of a negative quantity"
    SERVICE_ADJUSTMENT = "stock adjustment of a service"


class Family(StrEnum):
    """What kind of thing a stock code stands for."""

    GOODS = "goods"
    VOUCHER = "voucher"
    CARRIAGE = "carriage"
    DISCOUNT = "discount"
    FEE = "fee"
    MANUAL = "manual"
    SAMPLE = "sample"


SERVICES = {
    "POST": Family.CARRIAGE,
    "DOT": Family.CARRIAGE,
    "C2": Family.CARRIAGE,
    "D": Family.DISCOUNT,
    "AMAZONFEE": Family.FEE,
    "BANK CHARGES": Family.FEE,
    "CRUK": Family.FEE,
    "B": Family.FEE,
    "M": Family.MANUAL,
    "S": Family.SAMPLE,
}

CASH, RECEIVABLE = 1000, 1100
ACCOUNTS = {CASH: "cash sales", RECEIVABLE: "receivables"}
REVENUE = {
    Family.GOODS: 4000,
    Family.VOUCHER: 2100,
    Family.CARRIAGE: 4100,
    Family.DISCOUNT: 4200,
    Family.FEE: 6000,
    Family.MANUAL: 4900,
    Family.SAMPLE: 4300,
}


def chart() -> dict[int, str]:
    """Every account by number."""
    return ACCOUNTS | {number: family.value for family, number in REVENUE.items()}


def tenant_of(country: str) -> UUID:
    """The tenant's key, a function of the name alone, so that a loader never looks across tenants."""
    return uuid5(_TENANTS, country)


def branch(country: str | None) -> str:
    """The branch that keeps a line; a line without a country goes to the one the source itself calls Unspecified."""
    name = (country or "").replace("\0", "\N{REPLACEMENT CHARACTER}").strip()
    return name or UNKNOWN_COUNTRY


def product_code(stock_code: str) -> str:
    """One article, one code: the source writes ``85123A`` and ``85123a`` for the same thing."""
    return stock_code.strip().upper()


def family_of(code: str) -> Family:
    """The family of a product code."""
    if code.startswith("GIFT_"):
        return Family.VOUCHER
    return SERVICES.get(code, Family.GOODS)


def is_stocked(family: Family) -> bool:
    """Whether the family lies on a shelf."""
    return family in (Family.GOODS, Family.VOUCHER)


def is_priced(line: Line) -> bool:
    """Whether a line makes its document more than a stock clerk's note: money, or a customer."""
    return line.customer_no is not None or (line.unit_price is not None and line.unit_price != 0)


def document_number(invoice_no: str) -> int:
    """The number of an order, credit note or adjustment."""
    return int(invoice_no.removeprefix("C"))


def classify(line: Line, priced: bool) -> Kind | Reason:
    """Say what a line is; total, so that no line of any input is lost.

    Parameters
    ----------
    line
        The line as it came.
    priced
        Whether some line of the same document ``is_priced``. A document without money and without a customer is a
        stock clerk's note (found, damaged, thrown away); a line for nothing on a priced one is a gift.
    """
    return _unusable(line) or _out_of_range(line) or _kind(line, priced)


def _unusable(line: Line) -> Reason | None:
    no, code, quantity, price = line.invoice_no, line.stock_code, line.quantity, line.unit_price
    if not no or not code or not code.strip() or quantity is None or price is None or line.invoiced_at is None:
        return Reason.MISSING_FIELD
    if not line.country or not line.country.strip():
        return Reason.MISSING_COUNTRY
    if "\0" in no or "\0" in code or "\0" in line.country or (line.description and "\0" in line.description):
        return Reason.NOT_STORABLE
    if not quantity.is_finite() or not price.is_finite():
        return Reason.NOT_A_NUMBER
    return None


def _out_of_range(line: Line) -> Reason | None:
    quantity, price, customer = line.quantity, line.unit_price, line.customer_no
    assert quantity is not None
    assert price is not None
    if abs(quantity) >= _LIMIT or abs(price) >= _LIMIT:
        return Reason.TOO_LARGE
    if quantity != int(quantity):
        return Reason.FRACTIONAL_QUANTITY
    if not quantity:
        return Reason.ZERO_QUANTITY
    if customer is not None and not _is_customer(customer):
        return Reason.BAD_CUSTOMER
    return None


def _is_customer(number: Decimal) -> bool:
    return number.is_finite() and 0 < number < 2**62 and number == int(number)


def _kind(line: Line, priced: bool) -> Kind | Reason:
    no, quantity, price = line.invoice_no, line.quantity, line.unit_price
    assert no is not None
    assert quantity is not None
    assert price is not None
    credit = no[0] == "C"
    if not _ORDER_NO.fullmatch(no, 1 if credit else 0):
        return Reason.BAD_DEBT if no[0] == "A" else Reason.BAD_DOCUMENT
    if price < 0:
        return Reason.NEGATIVE_PRICE
    if price * 100 % 1:
        return Reason.SUB_PENNY
    if credit:
        return Kind.CREDIT if quantity < 0 else Reason.POSITIVE_CREDIT
    if priced:
        return Kind.ORDER if quantity > 0 else Reason.NEGATIVE_SALE
    return _adjustment(line)


def _adjustment(line: Line) -> Kind | Reason:
    assert line.stock_code is not None
    stocked = is_stocked(family_of(product_code(line.stock_code)))
    return Kind.ADJUSTMENT if stocked else Reason.SERVICE_ADJUSTMENT
