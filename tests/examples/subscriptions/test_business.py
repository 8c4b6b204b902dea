"""The load's books are right, every promise holds over its rows, and each wrong number would be seen."""

from __future__ import annotations

import pytest
from examples.subscriptions import books, business
from examples.subscriptions.models import Invoice, Subscription
from sqlalchemy import select

from freehold import History, changes_of
from freehold.errors import DerivedRefused, TransitionRefused
from freehold.operations import apply_layer, plan_layer, prove_layer

from .conftest import Business

BREAKS = {
    "UPDATE subscriptions.posting SET amount = amount * 2 WHERE account_code = '1200'": "receivables",
    "UPDATE subscriptions.invoice SET status = 'issued' WHERE status = 'paid'": "money is there",
    "UPDATE subscriptions.invoice SET total = total + 1": "sum of its lines",
    "UPDATE subscriptions.usage_event SET units = units + 2000000": "used beyond",
    "UPDATE subscriptions.invoice SET number = number + 1000": "without a gap",
    "UPDATE subscriptions.account SET seats = 0": "without a seat",
    "DELETE FROM subscriptions.entitlement": "entitled to",
}
"""What is done to every account, one after the other, and the rule that must see it."""


def test_books_and_promises(business: Business) -> None:
    assert business.tally.done["bill"] == business.tally.refused["bill, invoice_month_uq"]
    tenants = [customer.tenant for customer in business.load.customers]
    db = business.connect()
    assert books.faults(db, tenants) == []
    assert books.missing(db, tenants, business.tally) == []
    db.dispose()
    with business.place.connect(autocommit=True) as connection:
        apply_layer(
            connection, business.layer.declared, weaker_guard="a test"
        )  # rights on a cloned database are not cloned
        assert plan_layer(connection, business.layer.declared).steps == ()
        verdicts = prove_layer(connection, business.layer.declared)
    assert [verdict for verdict in verdicts if verdict.verdict != "held"] == []


def test_every_rule_of_the_books_sees_what_breaks_it(business: Business, subtests: pytest.Subtests) -> None:
    tenants = [customer.tenant for customer in business.load.customers]
    db = business.connect()
    with business.place.connect(autocommit=True) as connection:
        for harm, rule in BREAKS.items():
            with subtests.test(rule):
                with connection.transaction():
                    connection.execute("SET LOCAL session_replication_role = 'replica'")
                    connection.execute(harm.encode())
                assert any(rule in fault for fault in books.faults(db, tenants))
    db.dispose()


def test_what_no_code_can_do(business: Business) -> None:
    customer = business.load.customers[0]
    db = business.connect()
    with pytest.raises(TransitionRefused), db.transaction(**customer.acting) as session:
        session.scalars(select(Invoice).where(Invoice.status == "paid").limit(1)).one().status = "draft"
    with pytest.raises(DerivedRefused), db.transaction(**customer.acting) as session:
        session.scalars(select(Invoice).limit(1)).one().total += 1
    with db.transaction(read_only=True, **customer.acting) as session:
        one = session.scalars(select(Subscription).limit(1)).one()
        assert changes_of(session, Subscription, (customer.tenant, one.id))[0].actor == customer.acting["actor"]
    db.dispose()
    assert any(business.layer.of_type(History))


def test_contacts_are_found_by_their_address(business: Business) -> None:
    customer = business.load.customers[0]
    db = business.connect()
    db.run(business_add, "Ada", "Ada@example.org", **customer.acting)
    with db.transaction(read_only=True, **customer.acting) as session:
        assert found(session, "ada@EXAMPLE.org") == ["Ada"]
        assert found(session, "eve@example.org") == []
    db.dispose()


business_add, found = business.add_contact, business.find_contacts
