"""Each promise is seen held, then broken by a sabotage, then held again."""

from __future__ import annotations

from uuid import uuid4

from tests.rooms.building import judged, unheld

from .conftest import Built
from .layer import ONE

KEYED = "shop.price has its key over time, valid"
ALONE = "no two rows of shop.price hold at one time for one key"
STOPPED = "the key over time of shop.price stops a row that holds while another does"
SOME = "a row of shop.price that never holds is refused"


def test_everything_holds_on_planted_rows(built: Built) -> None:
    found = judged(built.connection, built.layer.declared, "valid_time")
    assert [(v.promise, v.detail) for v in found if v.verdict != "held"] == []
    assert {v.promise for v in found if "price" in v.promise} == {KEYED, ALONE, STOPPED, SOME}


def test_a_key_that_is_gone(built: Built) -> None:
    with built.connection.transaction(force_rollback=True):
        built.connection.execute("ALTER TABLE shop.price DROP CONSTRAINT price_valid_during_key")
        assert unheld(built.connection, built.layer.declared, "valid_time") == [KEYED, STOPPED]
        for _ in range(2):
            row = (ONE, uuid4(), "[2026-01-01,)")
            built.connection.execute("INSERT INTO shop.price VALUES (%s, %s, 7, 1, %s)", row)
        assert unheld(built.connection, built.layer.declared, "valid_time") == [KEYED, ALONE, STOPPED]
    assert unheld(built.connection, built.layer.declared, "valid_time") == []


def test_a_key_of_another_kind(built: Built) -> None:
    """One that compares whole periods stops nobody."""
    with built.connection.transaction(force_rollback=True):
        built.connection.execute("ALTER TABLE shop.price DROP CONSTRAINT price_valid_during_key")
        built.connection.execute(
            "ALTER TABLE shop.price ADD CONSTRAINT price_valid_during_key UNIQUE (tenant_id, product, valid_during)"
        )
        assert KEYED in unheld(built.connection, built.layer.declared, "valid_time")


def test_an_empty_period_that_is_let_in(built: Built) -> None:
    with built.connection.transaction(force_rollback=True):
        for name in ("price_valid_during_some", "price_valid_during_key"):
            built.connection.execute(f"ALTER TABLE shop.price DROP CONSTRAINT {name}".encode())
        assert SOME in unheld(built.connection, built.layer.declared, "valid_time")
