"""Amounts as values: exact, of one currency, rounded only where it is said."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold import Amount
from freehold.errors import AmountInvalid, CurrencyMismatch

EURO, DOLLAR = Amount(Decimal("1.005"), "EUR"), Amount(Decimal(1), "USD")
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**40), max_value=10**40, places=12)


@given(NUMBERS, NUMBERS, NUMBERS)
def test_sums_and_products_are_exact(first: Decimal, second: Decimal, factor: Decimal) -> None:
    with localcontext(prec=200):
        total, product = first + second, (first - second) * factor
    with localcontext(prec=3):
        left, right = Amount(first, "EUR"), Amount(second, "EUR")
        assert left + right == Amount(total, "EUR")
        assert (left - right) * factor == factor * left - factor * right == Amount(product, "EUR")
        assert -left == left * -1


@pytest.mark.parametrize("compute", [lambda: EURO + DOLLAR, lambda: EURO - DOLLAR])
def test_currencies_are_not_mixed(compute: Callable[[], Amount]) -> None:
    with pytest.raises(CurrencyMismatch) as caught:
        compute()
    assert caught.value.hint


def test_rounding_is_said() -> None:
    assert EURO.rounded(2, ROUND_HALF_UP) == Amount(Decimal("1.01"), "EUR")
    assert EURO.rounded(2, ROUND_HALF_EVEN) == Amount(Decimal("1.00"), "EUR")
    assert (EURO * 1000).rounded(-1, ROUND_HALF_EVEN) == Amount(Decimal(1000), "EUR")


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: EURO.rounded(2, "up"),
        lambda: EURO.rounded(2000, ROUND_HALF_UP),
        lambda: EURO * Decimal("Infinity"),
        lambda: EURO * Decimal("1E-3000") + EURO,
        lambda: EURO + Amount(Decimal("1E+3000"), "EUR"),
        lambda: Amount(Decimal("NaN"), "EUR"),
        lambda: Amount(Decimal("-Infinity"), "EUR"),
        lambda: Amount(1.5, "EUR"),  # type: ignore[arg-type]
        lambda: Amount(Decimal(1), "eur"),
        lambda: Amount(Decimal(1), "EUR\n"),
        lambda: Amount(Decimal(1), None),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_amount(wrong: Callable[[], Amount]) -> None:
    with pytest.raises(AmountInvalid) as caught:
        wrong()
    assert caught.value.hint


@pytest.mark.parametrize("factor", [1.5, True, "2", EURO])
def test_what_is_no_factor(factor: Any) -> None:
    with pytest.raises(TypeError):
        EURO * factor


@pytest.mark.parametrize("other", [1, Decimal(0)])
@pytest.mark.parametrize("compute", [lambda a, b: a + b, lambda a, b: a - b, lambda a, b: b + a])
def test_a_number_has_no_currency_and_is_not_added(compute: Callable[[Any, Any], object], other: Any) -> None:
    with pytest.raises(TypeError):
        compute(EURO, other)
