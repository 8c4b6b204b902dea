"""What an amount of money refuses, for the ORM and for raw SQL, and how amounts are added up."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from freehold import Amount, Database, DataLayer, total
from freehold.errors import CheckViolated
from freehold.operations import plan_layer
from freehold.testing.layers import LayerDatabase

from .layer import Invoice


def euros(text: str) -> Amount:
    return Amount(Decimal(text), "EUR")


def test_the_plan_is_settled(freehold_database: LayerDatabase, freehold_layer: DataLayer) -> None:
    with freehold_database.admin() as admin:
        plan = plan_layer(admin, freehold_layer.declared)
    assert (plan.steps, plan.strangers) == ((), ())


def test_an_amount_is_stored_and_read_as_a_value(db: Database, who: dict[str, Any]) -> None:
    with db.transaction(**who) as session:
        session.add_all([Invoice(id=1, due=euros("12.50"), received=euros("2.50")), Invoice(id=2, due=euros("1"))])
    with db.transaction(**who) as session:
        first, second = session.scalars(sa.select(Invoice).order_by(Invoice.id)).all()
        assert (first.due - (first.received or euros("0")), second.received) == (euros("10.00"), None)
        first.received = None
    with db.transaction(**who) as session:
        found = session.scalars(sa.select(Invoice).where(Invoice.due == euros("12.50"))).one()
        assert (found.received, found.paid, found.paid_currency) == (None, None, None)


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"currency": "QQQ"}, "invoice_total_currency"),
        ({"currency": "eur"}, "invoice_total_currency"),
        ({"currency": "KWD"}, "invoice_total_currency"),
        ({"currency": "E"}, "invoice_total_currency"),
        ({"total": Decimal("NaN")}, "invoice_total_finite"),
        ({"paid": Decimal(1), "paid_currency": "GBP"}, "invoice_paid_currency"),
        ({"paid": Decimal(1)}, "invoice_paid_whole"),
        ({"paid_currency": "EUR"}, "invoice_paid_whole"),
    ],
)
def test_what_is_no_amount_is_refused(
    db: Database, who: dict[str, Any], values: dict[str, Any], constraint: str
) -> None:
    row = {"id": 1, "total": Decimal(1), "currency": "EUR", **values}
    with pytest.raises(CheckViolated) as caught, db.transaction(**who) as session:
        session.add(Invoice(**row))
    assert (caught.value.constraint, caught.value.table) == (constraint, "shop.invoice")
    with db.core(**who) as tx:
        assert tx.execute(sa.select(sa.func.count()).select_from(Invoice)).scalar_one() == 0


def test_a_scale_of_three_takes_a_currency_with_thousandths(freehold_database: LayerDatabase) -> None:
    with freehold_database.admin() as admin:
        admin.execute("INSERT INTO shop.tariff (id, price, currency) VALUES (1, 1.234, 'KWD'), (2, NULL, NULL)")
        with pytest.raises(psycopg.errors.CheckViolation) as caught:
            admin.execute("INSERT INTO shop.tariff (id, price, currency) VALUES (3, 1, 'CLF')")
    assert caught.value.diag.constraint_name == "tariff_price_currency"


def test_sums_are_of_one_currency_each(db: Database, who: dict[str, Any]) -> None:
    with db.transaction(**who) as session:
        for number, currency in enumerate(("EUR", "USD", "EUR", "JPY")):
            session.add(Invoice(id=number, due=Amount(Decimal("1.10"), currency)))
    with db.core(**who) as tx:
        query = total(Invoice.total, Invoice.currency)
        sums = {Amount(row.amount, row.currency) for row in tx.execute(query.where(Invoice.id < 3))}
        grouped = tx.execute(total(Invoice.total, Invoice.currency, Invoice.id % 2)).all()
        nothing = tx.execute(total(Invoice.paid, Invoice.paid_currency)).all()
    assert sums == {euros("2.20"), Amount(Decimal("1.10"), "USD")}
    assert {tuple(row) for row in grouped} == {
        (Decimal("2.20"), "EUR", 0),
        (Decimal("1.10"), "USD", 1),
        (Decimal("1.10"), "JPY", 1),
    }
    assert nothing == []
