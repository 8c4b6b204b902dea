"""Canary tenants: planted once by ordinary writes, attacked under the application's own login, and seen red."""

from __future__ import annotations

import pytest

from freehold import Canaries
from freehold.errors import DeclarationError
from freehold.kernel.prove import Outcome, Verdict
from freehold.operations import prove_canaries
from freehold.rooms.roles.credentials import set_password
from tests.isolation.conftest import NAME, Retail

PAIR = ("aaaaaaaa-0000-5000-8000-000000000001", "bbbbbbbb-0000-5000-8000-000000000002")
PLANTED = ("retail.country", "retail.customer", "retail.customer_order", "retail.credit_note")
SECRET = "correct horse battery staple"


def found(verdicts: list[Verdict], outcome: Outcome) -> set[str]:
    """The tables with that outcome."""
    return {verdict.subject.removeprefix("table ") for verdict in verdicts if verdict.verdict is outcome}


def count(retail: Retail) -> int:
    row = retail.connection.execute("SELECT count(*) FROM retail.customer").fetchone()
    return int(row[0]) if row else 0


def test_canaries_are_planted_once_and_held_apart(retail: Retail) -> None:
    before = count(retail)
    verdicts, refused = prove_canaries(retail.connection, retail.declared, PAIR)
    assert found(verdicts, Outcome.BROKEN) == set()
    assert set(PLANTED) <= found(verdicts, Outcome.HELD)
    assert ("retail", "ledger_entry") in refused
    assert "retail.ledger_entry" in found(verdicts, Outcome.NOT_RUN)
    again, _ = prove_canaries(retail.connection, retail.declared, PAIR)
    assert [v.verdict for v in again] == [v.verdict for v in verdicts]
    assert count(retail) == before + 2


def test_the_application_attacks_with_its_own_login(retail: Retail) -> None:
    set_password(retail.connection, f"{NAME}_app_a", SECRET)
    with retail.database.connect(user=f"{NAME}_app_a", password=SECRET, autocommit=True) as application:
        verdicts, _ = prove_canaries(retail.connection, retail.declared, PAIR, application)
    assert set(PLANTED) <= found(verdicts, Outcome.HELD)
    assert all(f"{NAME}_app_a as the canary" in verdict.promise for verdict in verdicts)


@pytest.mark.parametrize("command", ["SELECT", "UPDATE", "DELETE"])
def test_a_loosened_policy_is_seen(retail: Retail, command: str) -> None:
    prove_canaries(retail.connection, retail.declared, PAIR)
    retail.run("CREATE POLICY reading ON retail.customer_order FOR SELECT USING (true)")
    if command != "SELECT":
        retail.run(f"CREATE POLICY loose ON retail.customer_order FOR {command} USING (true)")
    verdicts, _ = prove_canaries(retail.connection, retail.declared, PAIR)
    assert found(verdicts, Outcome.BROKEN) == {"retail.customer_order"}
    details = [verdict.detail for verdict in verdicts if verdict.verdict is Outcome.BROKEN]
    assert all(f"{command.lower().replace('select', 'read')} reached a row" in detail for detail in details)


def test_attacks_leave_nothing(retail: Retail) -> None:
    prove_canaries(retail.connection, retail.declared, PAIR)
    retail.run("ALTER TABLE retail.credit_note DISABLE ROW LEVEL SECURITY")
    verdicts, _ = prove_canaries(retail.connection, retail.declared, PAIR)
    assert found(verdicts, Outcome.BROKEN) == {"retail.credit_note"}
    row = retail.connection.execute("SELECT count(*) FROM retail.credit_note").fetchone()
    assert row == (2,)


@pytest.mark.parametrize("pair", [("", "b"), ("a", ""), ("a", "a")])
def test_canaries_are_two(pair: tuple[str, str]) -> None:
    with pytest.raises(DeclarationError, match="two tenants"):
        Canaries(*pair)
