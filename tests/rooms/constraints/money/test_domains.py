"""What each domain lets in and keeps out, and what its errors say."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from freehold import Amount, CountryCode, Database, restore, versions_of
from freehold.errors import CheckViolated, DeclarationError
from freehold.kernel.dialect import DIALECT
from freehold.rooms.constraints import PositiveMoney
from freehold.testing.layers import LayerDatabase

from .layer import Customer, Invoice

LONG = "a" * 63
VALID: dict[str, tuple[Any, ...]] = {
    "email": (
        "ann@example.org",
        "o'hara+tag@sub.example.co",
        "a@b",
        "#%{}|~=?^_`/*!$&'@x-y.z",
        f"{LONG}b@{LONG}.{LONG}.{'a' * 61}",
    ),
    "country": ("DE", "XK"),
    "currency": ("EUR", "XXX"),
    "language": (
        "de",
        "zh-yue-HK",
        "sr-Latn-RS",
        "SL-rozaj-biske-1994",
        "en-u-ca-gregory-x-private",
        "x-whatever",
        "i-klingon",
        "I-Klingon",
        "sgn-BE-FR",
        "art-lojban",
        "zh-min-nan",
        "qaa",
        "abcd",
        "es-419",
    ),
    "discount": (Decimal(0), Decimal(100), Decimal("12.3456789"), 7),
    "credit": (Decimal("0.01"), Decimal("9999999999.99")),
    "page": ("a", "the-best-of-2026", LONG),
    "phone": ("+4930123456", "+12", "+123456789012345"),
}
INVALID: dict[str, tuple[Any, ...]] = {
    "email": (
        "",
        "ann",
        "@example.org",
        "ann@",
        "ann@-x.org",
        "ann@x..org",
        "a b@x.org",
        "ann@x.org\n",
        "änn@x.org",
        f"{LONG}bc@x.org",
        f"{LONG}b@{LONG}.{LONG}.{'a' * 62}",
        f"a@{LONG}b",
    ),
    "country": ("de", "DEU", "D", "D1", "DE ", "ÄÖ", ""),
    "currency": ("eur", "EU", "EURO", "E R"),
    "language": (
        "",
        "d",
        "de_DE",
        "de-",
        "-de",
        "de--at",
        "en-a",
        "en-x",
        "x",
        "x-",
        "i-unknown",
        "abcdefghi",
        "de-abcdefghi",
        "dé",
        "İ-klingon",
        "i-Klingon ",
        "de\n",
    ),
    "discount": (Decimal("-0.01"), Decimal("100.01"), Decimal("NaN"), Decimal("Infinity")),
    "credit": (Decimal(0), Decimal(-1), Decimal("NaN"), Decimal("0.004")),
    "page": ("", "-a", "a-", "a--b", "A", "a_b", "a b", "ä", LONG + "a", "a\n"),
    "phone": ("4930123456", "+0301234", "+1", "+1234567890123456", "+49 30 1234", "+٤٩٣٠", ""),
}
NAMES = {
    "email": "email_address",
    "country": "country_code",
    "currency": "currency_code",
    "language": "language_tag",
    "discount": "percentage",
    "credit": "positive_money_12_2",
    "page": "slug",
    "phone": "e164",
}


@pytest.mark.parametrize("column", VALID)
def test_what_is_valid_is_stored_as_it_is(db: Database, who: dict[str, Any], column: str) -> None:
    with db.transaction(**who) as session:
        session.add_all([Customer(id=number, **{column: value}) for number, value in enumerate(VALID[column])])
    with db.core(**who) as tx:
        found = tx.execute(sa.select(sa.column(column)).select_from(Customer).order_by(Customer.id)).scalars().all()
    assert tuple(found) == VALID[column]


@pytest.mark.parametrize(("column", "value"), [(column, value) for column in INVALID for value in INVALID[column]])
def test_what_is_not_is_refused(freehold_database: LayerDatabase, column: str, value: Any) -> None:
    with freehold_database.admin() as admin, admin.transaction(force_rollback=True):
        kind = sa.inspect(Customer).columns[column].type.compile(DIALECT)
        with pytest.raises(psycopg.errors.CheckViolation) as caught:
            admin.execute(b"SELECT %s::" + kind.encode(), (value,))
    assert caught.value.diag.constraint_name == f"{NAMES[column]}_check"


@pytest.mark.parametrize("column", INVALID)
def test_an_error_names_the_domain_and_the_only_column(db: Database, who: dict[str, Any], column: str) -> None:
    value = INVALID[column][-1]
    with pytest.raises(CheckViolated) as caught, db.transaction(**who) as session:
        session.add(Customer(id=1, **{column: value}))
    error, only = caught.value, column not in {"country", "currency"}
    assert (error.constraint, error.table, error.columns) == (
        f"{NAMES[column]}_check",
        "shop.customer" if only else "",
        (column,) if only else (),
    )
    assert f"domain shop.{NAMES[column]}" in error.detail
    assert not value or str(value) not in str(error)


def test_a_message_for_users_is_that_of_the_column(db: Database, who: dict[str, Any]) -> None:
    with pytest.raises(CheckViolated) as caught, db.core(**who) as tx:
        tx.execute(sa.insert(Customer).values(tenant_id=who["tenant"], id=1, email="nobody"))
    assert caught.value.message == "That is no e-mail address."


def test_a_search_for_what_is_invalid_finds_nothing(db: Database, who: dict[str, Any]) -> None:
    with db.transaction(**who) as session:
        session.add(Customer(id=1, email="ann@example.org", country="DE", discount=Decimal(5), page="one"))
    with db.core(**who) as tx:
        for condition in (
            Customer.email == "nobody",
            Customer.country.in_(["Germany"]),
            Customer.discount > Decimal(500),
            Customer.email.like("%@nowhere"),
        ):
            assert tx.execute(sa.select(Customer.id).where(condition)).all() == []
        computed = tx.execute(sa.select(Customer.page + "-two", Customer.discount * 100)).one()
        assert tuple(computed) == ("one-two", Decimal(500))


def test_history_and_soft_deletion_keep_the_values(db: Database, who: dict[str, Any]) -> None:
    with db.transaction(**who) as session:
        session.add(Customer(id=1, email="ann@example.org", discount=Decimal(5), credit=Decimal(9)))
        session.add(Invoice(id=1, due=Amount(Decimal(5), "EUR")))
    with db.transaction(**who) as session:
        customer, invoice = session.get_one(Customer, (who["tenant"], 1)), session.get_one(Invoice, (who["tenant"], 1))
        customer.email, invoice.due = "bob@example.org", Amount(Decimal(6), "USD")
    with db.transaction(**who) as session:
        session.delete(session.get_one(Customer, (who["tenant"], 1)))
        session.delete(session.get_one(Invoice, (who["tenant"], 1)))
    with db.transaction(**who) as session:
        restore(session, Customer, (who["tenant"], 1))
        restore(session, Invoice, (who["tenant"], 1))
    with db.transaction(**who) as session:
        assert session.get_one(Customer, (who["tenant"], 1)).email == "bob@example.org"
        assert session.get_one(Invoice, (who["tenant"], 1)).due == Amount(Decimal(6), "USD")
        versions, amounts = versions_of(Customer), versions_of(Invoice)
        assert set(session.scalars(sa.select(versions.email))) >= {"ann@example.org", "bob@example.org"}
        assert set(session.scalars(sa.select(amounts.currency))) >= {"EUR", "USD"}


def test_a_domain_is_made_where_the_metadata_is_or_where_it_is_told() -> None:
    table = sa.Table("a", sa.MetaData(schema="shop"), sa.Column("b", CountryCode), sa.Column("c", CountryCode("lists")))
    kinds = [column.type.compile(DIALECT) for column in table.columns]
    assert kinds == ["shop.country_code", "lists.country_code"]
    assert table.c.b.type.python_type is str


@pytest.mark.parametrize(("precision", "scale"), [(0, 0), (1001, 2), (2, 3), (5, -1)])
def test_digits_that_no_number_has(precision: int, scale: int) -> None:
    with pytest.raises(DeclarationError) as caught:
        PositiveMoney(precision, scale)
    assert caught.value.hint
