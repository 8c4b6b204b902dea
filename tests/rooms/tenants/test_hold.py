"""Rows that the law keeps: nobody deletes them, sets them free, or erases their tenant."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from freehold import LegalHold, Masked
from freehold.errors import DeclarationError, RowHeld, TenantHeld, UnknownColumn
from freehold.rooms.tenants.erase import erase_tenant
from freehold.runtime.faults import Faults

from .conftest import HELD, Built
from .layer import ONE, TWO, Base, Company, Currency, Customer, Invoice, layer


def make_young(built: Built) -> None:
    """One invoice was issued today."""
    built.connection.execute("UPDATE shop.invoice SET issued_on = current_date WHERE number = 'I1'")


def rows(built: Built) -> int:
    """All invoices."""
    row = built.connection.execute("SELECT count(*) FROM shop.invoice").fetchone()
    assert row
    return int(row[0])


@HELD
@pytest.mark.parametrize(
    "deed",
    [
        "DELETE FROM shop.invoice",
        "TRUNCATE shop.invoice",
        "UPDATE shop.invoice SET issued_on = '1999-01-01' WHERE number = 'I1'",
    ],
)
def test_a_held_row_stays(built: Built, deed: str) -> None:
    make_young(built)
    with pytest.raises(psycopg.Error) as refused:
        built.connection.execute(deed.encode())
    assert refused.value.sqlstate == "FH110"
    fault = Faults(Base.metadata.tables.values()).fault(refused.value)
    assert isinstance(fault, RowHeld)
    assert "tax law" in fault.detail
    assert rows(built) == 10


@HELD
def test_a_row_whose_time_has_passed_may_go(built: Built) -> None:
    make_young(built)
    built.connection.execute("DELETE FROM shop.invoice WHERE number <> 'I1'")
    built.connection.execute("UPDATE shop.invoice SET amount = 0, issued_on = issued_on - 1")
    assert rows(built) == 1


@HELD
def test_a_row_without_a_date_is_held(built: Built) -> None:
    built.connection.execute("UPDATE shop.invoice SET issued_on = NULL WHERE number = 'I2'")
    with pytest.raises(psycopg.Error) as refused:
        built.connection.execute("DELETE FROM shop.invoice WHERE number = 'I2'")
    assert refused.value.sqlstate == "FH110"


@HELD
def test_an_erase_meets_the_hold_and_deletes_nothing(built: Built) -> None:
    make_young(built)
    with pytest.raises(TenantHeld, match=r"1 rows of shop\.invoice: tax law") as refused:
        erase_tenant(built.connection, built.layer.declared, str(ONE))
    assert refused.value.hint
    assert rows(built) == 10
    done = erase_tenant(built.connection, built.layer.declared, str(TWO))
    assert done.deleted["shop.invoice"] == 5, "the hold is one tenant's"


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda: LegalHold(Invoice), "gives no reason"),
        (lambda: LegalHold(Invoice, because="law", keep="10 years"), "but not both"),
        (lambda: LegalHold(Invoice, because="law", keep="soon", since="issued_on"), "is not a duration"),
        (lambda: layer("l", LegalHold(Currency, because="law")).declared, "No tenant owns"),
        (lambda: layer("l", Masked(Customer, id=None)).declared, "its key"),
    ],
)
def test_a_declaration_that_makes_no_sense(make: Any, what: str) -> None:
    with pytest.raises(DeclarationError, match=what) as refused:
        make()
    assert refused.value.hint


def test_a_column_that_is_not_there() -> None:
    with pytest.raises(UnknownColumn):
        Masked(Company, phone=None)
