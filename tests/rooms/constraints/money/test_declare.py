"""What a declaration of money must say, and what it may not contradict."""

from __future__ import annotations

import sys
from typing import Any

import pytest
import sqlalchemy as sa

from freehold import Money, current_currencies
from freehold.errors import Contradiction, DeclarationError, PackageMissing, UnknownColumn

from .layer import Invoice, Tariff, layer

TABLE = sa.Table(
    "price",
    sa.MetaData(schema="shop"),
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("float", sa.Float),
    sa.Column("integer", sa.Integer),
    sa.Column("unbound", sa.Numeric),
    sa.Column("four", sa.Numeric(12, 4)),
    sa.Column("whole", sa.Numeric(12)),
    sa.Column("as_float", sa.Numeric(12, 2, asdecimal=False)),
    sa.Column("several", sa.ARRAY(sa.Numeric(12, 2))),
    sa.Column("amount", sa.Numeric(12, 2)),
    sa.Column("currency", sa.Text),
    sa.Column("long", sa.String(10)),
    sa.Column("number", sa.Integer),
    sa.Column("label", sa.Enum("EUR", "USD", name="label")),
)


@pytest.mark.parametrize("column", ["float", "integer", "unbound", "four", "whole", "as_float", "several", "currency"])
def test_an_amount_that_is_not_exact(column: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        Money(TABLE, column)
    assert "Numeric(19, 2)" in caught.value.hint


@pytest.mark.parametrize("column", ["long", "number", "label", "amount"])
def test_a_currency_that_is_no_code(column: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        Money(TABLE, "amount", currency=column)
    assert "CHAR(3)" in caught.value.hint


@pytest.mark.parametrize("currencies", ["EUR", ("EUR", "usd"), ("",), ("EUR\n",), (978,)])
def test_codes_that_are_none(currencies: Any) -> None:
    with pytest.raises(DeclarationError) as caught:
        Money(TABLE, "amount", currencies=currencies)
    assert caught.value.hint


def test_a_column_that_is_not_there() -> None:
    for amount, currency in (("sum", "currency"), ("amount", "code"), ("", "currency")):
        with pytest.raises(UnknownColumn):
            Money(TABLE, amount, currency)


def test_the_scale_is_said_for_whole_units() -> None:
    assert "KWD" not in Money(TABLE, "whole", scale=0).codes()


def test_the_same_amount_is_declared_once() -> None:
    twice = (Money(Invoice, "total"), Money(Invoice, "total", currencies=("EUR",)))
    with pytest.raises(Contradiction):
        layer("money", *twice).declared.objects  # noqa: B018


def test_names_are_short_enough_for_a_shard() -> None:
    long = Money(Invoice, "total", currencies=("EUR",), name="n" * 60)
    names = [key.name[-1] for key in layer("money", long).declared.objects if key.kind == "constraint"]
    assert all(len(name) <= 45 for name in names if name.startswith("invoice_nn"))
    assert sum(name.startswith("invoice_nn") for name in names) == 3


def test_the_currencies_are_those_that_the_scale_can_hold() -> None:
    none, two, three = current_currencies(0), Money(Invoice, "total").codes(), Money(Tariff, "price", scale=3).codes()
    assert {"JPY", "EUR"} & set(none) == {"JPY"}
    assert {"EUR", "KWD"} & set(two) == {"EUR"}
    assert {"EUR", "JPY", "KWD", "XAU"} <= set(three) < set(current_currencies())


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "iso4217", None)
    with pytest.raises(PackageMissing) as caught:
        Money(TABLE, "amount")
    assert "freehold[money]" in caught.value.hint
    assert Money(TABLE, "amount", currencies=("USD", "EUR", "USD")).codes() == ("EUR", "USD")
