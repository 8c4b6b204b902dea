"""Every change leaves an entry, in its transaction, whatever the statement; hidden values and foreign ones stay out."""

from __future__ import annotations

import psycopg
import pytest
import sqlalchemy as sa

from freehold.errors import AuditAppendOnly, DeclarationError, FreeholdError
from freehold.operations import plan_layer, prove_layer
from freehold.rooms.audit import Audit
from freehold.rooms.roles.credentials import set_password
from freehold.servers.faults import translate

from .conftest import Built
from .layer import ONE, TWO, Company, Payment, Rate, Refund


def test_everything_holds_and_nothing_is_left_to_plan(built: Built) -> None:
    assert plan_layer(built.connection, built.layer.declared).steps == ()
    wrong = [v for v in prove_layer(built.connection, built.layer.declared) if v.verdict != "held"]
    assert [v for v in wrong if v.room == "audit"] == []


def test_the_application_is_named_with_what_it_did(built: Built) -> None:
    db = built.connect()
    with db.transaction(tenant=ONE, actor="ann") as session:
        session.add_all([Payment(id=2, amount=7, card="4222"), Refund(payment_id=2)])
        session.flush()
        session.execute(sa.update(Payment).where(Payment.id == 2).values(amount=8, card="4333"))
        session.execute(sa.delete(Payment).where(Payment.id == 2))
    with pytest.raises(ZeroDivisionError), db.transaction(tenant=ONE, actor="ann") as session:
        session.add(Payment(id=9, amount=1))
        session.flush()
        raise ZeroDivisionError
    db.dispose()
    key, one = {"tenant_id": str(ONE), "id": 2}, str(ONE)
    found = [row for row in built.entries() if row[1] == "ann"]
    made = {**key, "amount": 7, "card": "hidden", "notes": None}
    assert found[0] == (one, "ann", "shop.payment", "INSERT", key, None, made)
    assert found[2] == (
        one,
        "ann",
        "shop.payment",
        "UPDATE",
        key,
        {"amount": 7, "card": "hidden"},
        {"amount": 8, "card": "hidden"},
    )
    assert {(row[2], row[3]) for row in found[3:]} == {("shop.payment", "DELETE"), ("shop.refund", "DELETE")}
    assert len(found) == 5, "a cascade is recorded, and nothing of what was rolled back"


def test_every_kind_of_statement(built: Built) -> None:
    run = built.connection.execute
    with built.connection.cursor() as cursor, cursor.copy("COPY shop.rate FROM STDIN") as copy:
        copy.write("USD\t2\nGBP\t3\n")
    run(
        "MERGE INTO shop.rate AS r USING (VALUES ('USD', 5), ('CHF', 6)) AS v(code, rate) ON r.code = v.code"
        " WHEN MATCHED THEN UPDATE SET rate = v.rate WHEN NOT MATCHED THEN INSERT VALUES (v.code, v.rate)"
    )
    run("INSERT INTO shop.rate VALUES ('CHF', 7) ON CONFLICT (code) DO UPDATE SET rate = excluded.rate")
    run("UPDATE shop.rate SET code = 'ZAR' WHERE code = 'GBP'")
    run("UPDATE shop.rate SET rate = rate WHERE false")
    run("TRUNCATE shop.rate")
    rates = [(row[3], (row[4] or {}).get("code"), row[5], row[6]) for row in built.entries() if row[2] == "shop.rate"]
    assert [row[:2] for row in rates[1:3]] == [("INSERT", "USD"), ("INSERT", "GBP")]
    assert ("UPDATE", "USD", {"rate": 2}, {"rate": 5}) in rates
    assert ("UPDATE", "CHF", {"rate": 6}, {"rate": 7}) in rates
    assert ("UPDATE", "GBP", {"code": "GBP", "rate": 3}, None) in rates, "a changed key is two entries"
    assert ("UPDATE", "ZAR", None, {"code": "ZAR", "rate": 3}) in rates
    assert rates[-1][0] == "TRUNCATE"


def test_administration_is_recorded_without_the_text_of_statements(built: Built) -> None:
    built.connection.execute("CREATE TABLE shop.extra (secret text DEFAULT 'hunter2')")
    built.connection.execute("CREATE TEMPORARY TABLE passing (id integer)")
    built.connection.execute("ALTER TABLE shop.payment DISABLE ROW LEVEL SECURITY")
    built.connection.execute("CREATE POLICY p ON shop.extra USING (true)")
    built.connection.execute(f"GRANT SELECT ON shop.extra TO {built.name}_ro".encode())
    built.connection.execute("DROP TABLE shop.extra")
    kinds = {(kind, row[2], row[3]) for kind in ("ddl", "policy", "grant") for row in built.entries(kind)}
    assert ("ddl", "table shop.extra", "CREATE TABLE") in kinds
    assert ("ddl", "table shop.payment", "ALTER TABLE") in kinds
    assert ("policy", "policy p on shop.extra", "CREATE POLICY") in kinds
    assert any(kind == "grant" and action == "GRANT" for kind, _, action in kinds)
    assert ("ddl", "table shop.extra", "DROP TABLE") in kinds
    whole = str(built.connection.execute("SELECT a FROM freehold.audit AS a").fetchall())
    assert "hunter2" not in whole
    assert "4111" not in whole
    assert "passing" not in whole


def test_entries_are_only_added(built: Built) -> None:
    for statement in ("DELETE FROM", "TRUNCATE"):
        with pytest.raises(psycopg.Error) as refused:
            built.connection.execute(f"{statement} freehold.audit".encode())
        assert isinstance(translate(refused.value), AuditAppendOnly)


def test_a_forged_context_stops_the_write(built: Built) -> None:
    with pytest.raises(psycopg.Error) as refused, built.connection.transaction():
        built.connection.execute("SELECT set_config('freehold.context', 'forged', true)")
        built.connection.execute("UPDATE shop.rate SET rate = 9")
    assert refused.value.sqlstate == "FH002"


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Audit(Payment, hide={Company: ["id"]}),
        lambda: Audit(Payment, hide={Payment: ["id"]}),
        lambda: Audit(Payment, hide={Payment: ["gone"]}),
        lambda: Audit(sa.Table("log", sa.MetaData(), sa.Column("id", sa.Integer))),
        lambda: Audit(Rate, sealed_within="soon"),
    ],
)
def test_declarations_that_cannot_be(wrong: object) -> None:
    with pytest.raises(DeclarationError) as refused:
        wrong()  # type: ignore[operator]
    assert isinstance(refused.value, FreeholdError)
    assert refused.value.hint
    assert TWO


def test_what_freehold_does_is_recorded(built: Built) -> None:
    set_password(built.connection, f"{built.name}_app_a", "correct horse")
    entries = built.connection.execute(
        "SELECT kind, object, action, after FROM freehold.audit WHERE kind IN ('plan', 'role') ORDER BY id"
    ).fetchall()
    (kind, _, action, told), password = entries
    assert (kind, action) == ("plan", "apply")
    assert f"create role {built.name}_app_a" in told["cluster"], "the server tells nobody of a new role"
    assert told["steps"] > 10
    assert password == ("role", f"{built.name}_app_a", "password", {})
    assert "SCRAM" not in str(built.connection.execute("SELECT a FROM freehold.audit AS a").fetchall())
