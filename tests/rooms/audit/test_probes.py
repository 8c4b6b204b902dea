"""Each promise of the room is seen held, then broken by a sabotage, then held again."""

from __future__ import annotations

import pytest
from psycopg import sql

from .conftest import Built

T = "shop.payment"
RECORDED = f"an update of {T} leaves an entry that names who made it, for whom, in which row"
ARMED = f"every kind of statement on {T} is recorded"
THERE = "the event triggers that record administration are there and enabled"
LEFT = "a new table and a granted right leave entries"
SEALED = "no entry waits for a seal longer than 1 hour"


def test_everything_holds(built: Built) -> None:
    assert built.unheld() == []


@pytest.mark.parametrize("verb", ["insert", "update", "delete", "truncate"])
def test_a_disabled_trigger(built: Built, verb: str) -> None:
    built.connection.execute(f"ALTER TABLE {T} DISABLE TRIGGER freehold_audit_{verb}".encode())
    assert built.unheld() == ([RECORDED, ARMED] if verb == "update" else [ARMED])
    built.connection.execute(f"ALTER TABLE {T} ENABLE TRIGGER freehold_audit_{verb}".encode())
    assert built.unheld() == []


@pytest.mark.parametrize(("event", "broken"), [("ddl_command_end", [THERE, LEFT]), ("sql_drop", [THERE])])
def test_a_disabled_event_trigger(built: Built, event: str, broken: list[str]) -> None:
    built.connection.execute(f"ALTER EVENT TRIGGER freehold_audit_{event} DISABLE".encode())
    assert built.unheld() == broken
    built.connection.execute(f"ALTER EVENT TRIGGER freehold_audit_{event} ENABLE".encode())
    assert built.unheld() == []


@pytest.mark.parametrize(
    ("right", "verb"),
    [("SELECT", "read"), ("INSERT", "add to"), ("UPDATE", "change"), ("DELETE", "remove from"), ("TRUNCATE", "empty")],
)
def test_a_right_of_the_application(built: Built, right: str, verb: str) -> None:
    role = sql.Identifier(f"{built.name}_rw")
    for table in ("audit", "audit_seal"):
        name = sql.Identifier("freehold", table)
        built.connection.execute(sql.SQL("GRANT {} ON {} TO {}").format(sql.SQL(right), name, role))
        assert built.unheld() == [f"the application cannot {verb} freehold.{table}"]
        built.connection.execute(sql.SQL("REVOKE {} ON {} FROM {}").format(sql.SQL(right), name, role))
    assert built.unheld() == []


def test_tables_that_are_no_longer_append_only(built: Built) -> None:
    for table in ("audit", "audit_seal"):
        built.connection.execute(f"ALTER TABLE freehold.{table} DISABLE TRIGGER freehold_append_only_delete".encode())
        assert built.unheld() == [f"nobody changes what is recorded in freehold.{table} by a plain statement"]
        built.connection.execute(f"ALTER TABLE freehold.{table} ENABLE TRIGGER freehold_append_only_delete".encode())


def test_a_function_that_names_somebody_else(built: Built) -> None:
    (text,) = built.connection.execute(
        "SELECT pg_get_functiondef('shop.audit_update_payment_v1()'::regprocedure)"
    ).fetchone() or ("",)
    built.connection.execute(text.replace("who, which, 'data'", "'nobody', which, 'data'").encode())
    assert built.unheld() == [RECORDED]
    built.connection.execute(text.encode())
    assert built.unheld() == []


def test_entries_that_wait_too_long_for_a_seal(built: Built) -> None:
    built.meddle("UPDATE freehold.audit SET at = at - interval '2 hours' WHERE id = 1")
    assert built.unheld() == [SEALED]
    built.seal()
    assert built.unheld() == []
