"""Each promise of a hold is seen held, then broken by a sabotage, then held again."""

from __future__ import annotations

import pytest

from tests.rooms.building import judged, unheld

from .conftest import HELD, Built

DELETED = "nobody deletes a row of shop.invoice that the law keeps"
RELEASED = "nobody sets a row of shop.invoice free before its time"
ARMED = "every way to give up rows of shop.invoice fires the hold"


@HELD
def test_everything_holds(built: Built) -> None:
    found = judged(built.connection, built.layer.declared, "tenants")
    assert [(v.promise, v.detail) for v in found if v.verdict != "held"] == []
    assert {v.promise for v in found} == {DELETED, RELEASED, ARMED}


@HELD
def test_an_empty_table_is_attacked_with_planted_rows(built: Built) -> None:
    built.connection.execute("DELETE FROM shop.invoice")
    assert unheld(built.connection, built.layer.declared, "tenants") == []


@HELD
@pytest.mark.parametrize(
    ("trigger", "broken"), [("delete", [DELETED, ARMED]), ("release", [RELEASED, ARMED]), ("truncate", [ARMED])]
)
def test_a_disabled_trigger(built: Built, trigger: str, broken: list[str]) -> None:
    switch = "ALTER TABLE shop.invoice {} TRIGGER freehold_hold_{}"
    built.connection.execute(switch.format("DISABLE", trigger).encode())
    assert unheld(built.connection, built.layer.declared, "tenants") == broken
    built.connection.execute(switch.format("ENABLE", trigger).encode())
    assert unheld(built.connection, built.layer.declared, "tenants") == []


@HELD
def test_a_gutted_function(built: Built) -> None:
    built.connection.execute(
        "CREATE OR REPLACE FUNCTION shop.hold_invoice_v1() RETURNS trigger LANGUAGE plpgsql"
        " SET search_path = pg_catalog, pg_temp AS 'BEGIN RETURN NULL; END'"
    )
    assert unheld(built.connection, built.layer.declared, "tenants") == [DELETED, RELEASED]
