"""Each promise of the room is seen held, then broken by a sabotage, then held again."""

from __future__ import annotations

import pytest
from psycopg import sql

from freehold.kernel.objects import Key

from .conftest import Built
from .layer import LAYOUTS, broken, verdicts

RECORDED = [
    "updating a row of shop.customer leaves what it was, until when and by whom",
    "deleting and inserting a row of shop.customer leaves both in history",
]
ARMED = "every kind of statement on shop.customer fires its trigger"
COMPLETE = "every current version of shop.customer is its row"
SETTLED = "every version of shop.customer in history has ended, and none before it began"
ALL = pytest.mark.parametrize("layout", LAYOUTS)
GUTTED = (
    "CREATE OR REPLACE FUNCTION shop.record_{}_customer_history_v1() RETURNS trigger"
    " LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS 'BEGIN RETURN NULL; END'"
)
NOBODY = (
    "CREATE OR REPLACE FUNCTION freehold.context_v1(OUT tenant text, OUT actor text, OUT transaction uuid,"
    " OUT issued timestamptz, OUT expires timestamptz, OUT key_id text) LANGUAGE sql STABLE"
    " SET search_path = pg_catalog, pg_temp"
    " AS $$SELECT 't', 'nobody', NULL::uuid, now(), now(), 'k'$$"
)


@ALL
def test_everything_holds_on_a_fresh_layer(built: Built) -> None:
    found = verdicts(built.connection, built.declared)
    assert [(v.promise, v.detail) for v in found if v.verdict != "held"] == []
    assert len(found) == 3 * 8


@ALL
def test_empty_tables_are_attacked_with_planted_rows(built: Built) -> None:
    for table in ("customer", "customer_history", "article", "article_history"):
        built.connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier("shop", table)))
    assert broken(built.connection, built.declared) == []


@ALL
@pytest.mark.parametrize("verb", ["insert", "update", "delete", "truncate"])
def test_a_disabled_trigger(built: Built, verb: str) -> None:
    trigger = sql.Identifier(f"freehold_history_{verb}")
    switch = sql.SQL("ALTER TABLE shop.customer {} TRIGGER {}")
    built.connection.execute(switch.format(sql.SQL("DISABLE"), trigger))
    expected = {"update": [RECORDED[0]], "truncate": []}.get(verb, [RECORDED[1]])
    assert broken(built.connection, built.declared) == [*expected, ARMED]
    built.connection.execute(switch.format(sql.SQL("ENABLE"), trigger))
    assert broken(built.connection, built.declared) == []


@ALL
@pytest.mark.parametrize(("verb", "promise"), [("insert", 1), ("update", 0), ("delete", 1)])
def test_a_gutted_function(built: Built, verb: str, promise: int) -> None:
    function = f"record_{verb}_customer_history_v1"
    built.connection.execute(GUTTED.format(verb).encode())
    assert broken(built.connection, built.declared) == [RECORDED[promise]]
    whole = built.declared.objects[Key("function", ("shop", function, ""))]
    built.connection.execute(whole.definition.encode())  # type: ignore[attr-defined]
    assert broken(built.connection, built.declared) == []


@ALL
def test_versions_that_name_somebody_else(built: Built) -> None:
    built.connection.execute(NOBODY.encode())
    assert set(RECORDED) <= set(broken(built.connection, built.declared))


@ALL
@pytest.mark.parametrize("right", ["INSERT", "UPDATE", "DELETE", "TRUNCATE"])
def test_a_right_of_the_application_on_history(built: Built, right: str) -> None:
    role = sql.Identifier(f"{built.name}_rw")
    built.connection.execute(sql.SQL("GRANT {} ON shop.customer_history TO {}").format(sql.SQL(right), role))
    promise = f"the application cannot {right} the history of shop.customer"
    assert broken(built.connection, built.declared) == [promise]
    built.connection.execute(sql.SQL("REVOKE {} ON shop.customer_history FROM {}").format(sql.SQL(right), role))
    assert broken(built.connection, built.declared) == []


@pytest.mark.parametrize(
    "deed",
    [
        "UPDATE shop.customer SET name = 'unseen' WHERE id = 4",
        "DELETE FROM shop.customer WHERE id = 4",
    ],
)
def test_a_change_behind_the_triggers_back(built: Built, deed: str) -> None:
    with built.connection.transaction():
        built.connection.execute("SET LOCAL session_replication_role = 'replica'")
        built.connection.execute(deed.encode())
    assert broken(built.connection, built.declared) == [COMPLETE]
    built.connection.execute("SELECT shop.catch_up_customer_history_v1()")
    assert broken(built.connection, built.declared) == []


def test_a_version_that_somebody_changed(built: Built) -> None:
    change = "UPDATE shop.customer_history SET name = name || '!' WHERE id = 4"
    built.connection.execute(change.encode())
    assert broken(built.connection, built.declared) == [COMPLETE]
    built.connection.execute("UPDATE shop.customer_history SET name = 'n4' WHERE id = 4")
    assert broken(built.connection, built.declared) == []


@pytest.mark.parametrize("layout", ["base", "born"])
@pytest.mark.parametrize(
    "deed",
    [
        "valid_from = valid_to + interval '1 second'",
        "valid_to = 'infinity'",
    ],
)
def test_a_version_that_did_not_end(built: Built, deed: str) -> None:
    built.connection.execute("UPDATE shop.customer SET name = 'x' WHERE id = 4")
    change = "UPDATE shop.customer_history SET {} WHERE id = 4 AND operation IS NULL"
    with built.connection.transaction(force_rollback=True):
        built.connection.execute(change.format(deed).encode())
        assert broken(built.connection, built.declared) == [SETTLED]
    assert broken(built.connection, built.declared) == []


@pytest.mark.parametrize("layout", ["base"])
def test_a_row_that_may_move(built: Built) -> None:
    switch = "ALTER TABLE shop.customer {} TRIGGER freehold_history_unmoved"
    built.connection.execute(switch.format("DISABLE").encode())
    assert broken(built.connection, built.declared) == [ARMED]
    built.connection.execute(switch.format("ENABLE").encode())
    assert broken(built.connection, built.declared) == []
