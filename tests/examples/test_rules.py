"""The rules: total, in agreement with their fast twin, and right on a line of each kind."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from examples.retail.plain import plain_sales
from examples.retail.reader import to_lines
from examples.retail.rules import Kind, Line, Reason, classify, document_number, is_priced, product_code
from examples.retail.sorting import sort_lines
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples.lines import SALE, ordinary, rows, table


@given(st.lists(rows, min_size=1, max_size=20), st.booleans())
def test_every_line_has_a_verdict_that_its_columns_can_hold(found: list[dict[str, Any]], priced: bool) -> None:
    for line in to_lines(table(found)):
        verdict = classify(line, priced)
        if isinstance(verdict, Kind):
            _fits(line)
        else:
            assert isinstance(verdict, Reason)


def _fits(line: Line) -> None:
    assert line.quantity is not None
    assert line.unit_price is not None
    assert line.quantity == int(line.quantity) != 0
    assert line.unit_price >= 0
    assert line.unit_price == round(line.unit_price, 2)
    assert abs(line.quantity * line.unit_price) < 10**14
    assert document_number(line.invoice_no or "") >= 0
    assert product_code(line.stock_code or "")
    assert "\0" not in (line.description or "")


@settings(max_examples=300)
@given(st.lists(rows, min_size=5, max_size=20))
def test_plain_sales_are_sales(found: list[dict[str, Any]]) -> None:
    batch = table(found)
    for line, plain in zip(to_lines(batch), plain_sales(batch).to_pylist(), strict=True):
        if plain:
            assert is_priced(line)
            assert classify(line, True) is Kind.ORDER


@given(st.lists(rows, min_size=1, max_size=20))
def test_sorting_loses_and_doubles_no_line(found: list[dict[str, Any]]) -> None:
    parts = sort_lines(table(found)).parts.values()
    numbers = [line.line_no for part in parts for _, line in (*part.others, *part.quarantined)]
    numbers += [number for part in parts if part.sales for number in part.sales.column("line_no").to_pylist()]
    assert sorted(numbers) == list(range(1, len(found) + 1))


def test_an_ordinary_sale_takes_the_fast_path() -> None:
    assert plain_sales(table([ordinary])).to_pylist() == [True]


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        ({}, Kind.ORDER),
        ({"unit_price": Decimal(0)}, Kind.ORDER),
        ({"customer_no": None}, Kind.ORDER),
        ({"invoice_no": "C536379", "quantity": Decimal(-1)}, Kind.CREDIT),
        ({"invoice_no": "A563185"}, Reason.BAD_DEBT),
        ({"invoice_no": "X1"}, Reason.BAD_DOCUMENT),
        ({"invoice_no": "C"}, Reason.BAD_DOCUMENT),
        ({"invoice_no": None}, Reason.MISSING_FIELD),
        ({"stock_code": " "}, Reason.MISSING_FIELD),
        ({"country": ""}, Reason.MISSING_COUNTRY),
        ({"description": "A\0B"}, Reason.NOT_STORABLE),
        ({"unit_price": Decimal("nan")}, Reason.NOT_A_NUMBER),
        ({"quantity": Decimal("0.5")}, Reason.FRACTIONAL_QUANTITY),
        ({"quantity": Decimal(0)}, Reason.ZERO_QUANTITY),
        ({"quantity": Decimal(10_000_000)}, Reason.TOO_LARGE),
        ({"customer_no": Decimal(-1)}, Reason.BAD_CUSTOMER),
        ({"customer_no": Decimal("nan")}, Reason.BAD_CUSTOMER),
        ({"unit_price": Decimal("-0.01")}, Reason.NEGATIVE_PRICE),
        ({"unit_price": Decimal("0.001")}, Reason.SUB_PENNY),
        ({"invoice_no": "C536379"}, Reason.POSITIVE_CREDIT),
        ({"quantity": Decimal(-1)}, Reason.NEGATIVE_SALE),
    ],
)
def test_verdicts_on_a_priced_document(changed: dict[str, Any], verdict: Kind | Reason) -> None:
    assert classify(SALE._replace(**changed), priced=True) is verdict


@pytest.mark.parametrize(
    ("code", "quantity", "verdict"),
    [
        ("85123A", Decimal(-10), Kind.ADJUSTMENT),
        ("85123A", Decimal(10), Kind.ADJUSTMENT),
        ("gift_0001_20", Decimal(10), Kind.ADJUSTMENT),
        ("POST", Decimal(1000), Reason.SERVICE_ADJUSTMENT),
    ],
)
def test_a_document_without_money_and_customer_is_a_stock_note(
    code: str, quantity: Decimal, verdict: Kind | Reason
) -> None:
    note = SALE._replace(stock_code=code, quantity=quantity, unit_price=Decimal(0), customer_no=None)
    assert classify(note, priced=False) is verdict
