"""Each promise of an amount of money is seen held, then broken by a sabotage, then held again."""

from __future__ import annotations

from collections.abc import Callable
from typing import LiteralString

import pytest

from freehold.kernel.prove import Outcome, Verdict
from freehold.operations import prove_layer
from freehold.testing.layers import LayerDatabase

ROWS: tuple[LiteralString, ...] = (
    "INSERT INTO shop.company (id) SELECT gen_random_uuid() FROM generate_series(1, 2)",
    "INSERT INTO shop.invoice (tenant_id, id, total, currency) SELECT id, 1, 5, 'EUR' FROM shop.company",
    "INSERT INTO shop.tariff (id, price, currency) VALUES (1, 5, 'KWD'), (2, 5, 'KWD')",
)
TOTAL, PAID, PRICE = "shop.invoice.total", "shop.invoice.paid", "shop.tariff.price"
SABOTAGES: dict[str, tuple[tuple[LiteralString, ...], set[str]]] = {
    "any currency": (
        ("ALTER TABLE shop.invoice DROP CONSTRAINT invoice_total_currency",),
        {f"{TOTAL} has its CHECKs, valid", f"{TOTAL} has no unknown currency"},
    ),
    "a stored row with an unknown currency": (
        (
            "ALTER TABLE shop.invoice DROP CONSTRAINT invoice_total_currency",
            "UPDATE shop.invoice SET currency = 'QQQ'",
            "ALTER TABLE shop.invoice ADD CONSTRAINT invoice_total_currency CHECK (currency IN ('EUR')) NOT VALID",
        ),
        {f"{TOTAL} has its CHECKs, valid", f"every {TOTAL} that is stored is an amount of money"},
    ),
    "half an amount": (
        ("ALTER TABLE shop.invoice DROP CONSTRAINT invoice_paid_whole", "UPDATE shop.invoice SET paid = 5"),
        {
            f"{PAID} has its CHECKs, valid",
            f"every {PAID} that is stored is an amount of money",
            f"{PAID} is not missing where a currency is given",
            f"{PAID} is not without a currency",
        },
    ),
    "no number": (
        ("ALTER TABLE shop.invoice DROP CONSTRAINT invoice_paid_finite",),
        {f"{PAID} has its CHECKs, valid", f"{PAID} is never NaN"},
    ),
    "a list with one more": (
        (
            "ALTER TABLE shop.tariff DROP CONSTRAINT tariff_price_currency",
            "ALTER TABLE shop.tariff ADD CONSTRAINT tariff_price_currency CHECK (currency ~ '^[A-Z]*$')",
        ),
        {f"{PRICE} has no unknown currency"},
    ),
}


def broken(place: LayerDatabase) -> set[str]:
    with place.admin() as admin:
        verdicts = prove_layer(admin, place.layer.declared, rooms=("constraints",), record=False)
    return {each.promise for each in verdicts if each.verdict is not Outcome.HELD}


@pytest.fixture
def planted(freehold_database: LayerDatabase) -> LayerDatabase:
    with freehold_database.admin() as admin:
        for statement in ROWS:
            admin.execute(statement)
    return freehold_database


def test_everything_holds(planted: LayerDatabase, prove: Callable[..., list[Verdict]]) -> None:
    prove()


@pytest.mark.parametrize("sabotage", SABOTAGES)
def test_sabotage(planted: LayerDatabase, sabotage: str) -> None:
    statements, promises = SABOTAGES[sabotage]
    assert broken(planted) == set()
    with planted.admin() as admin:
        for statement in statements:
            admin.execute(statement)
    assert broken(planted) == promises
