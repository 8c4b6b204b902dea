"""Each promise of a derived column is seen held, then broken by a sabotage, then held again."""

from __future__ import annotations

from typing import Any, LiteralString

import psycopg
import pytest

from freehold.kernel.prove import Outcome
from freehold.operations import prove_layer
from freehold.testing.layers import LayerDatabase

TENANTS = "INSERT INTO shop.company (id) SELECT gen_random_uuid() FROM generate_series(1, 2)"
ROWS: tuple[LiteralString, ...] = (
    "INSERT INTO shop.account (tenant_id, id) SELECT id, 1 FROM shop.company",
    "INSERT INTO shop.entry (tenant_id, id, account_id, amount)"
    " SELECT id, g, 1, g FROM shop.company, generate_series(1, 3) AS g",
    "INSERT INTO shop.board (id) VALUES (1), (2)",
    "INSERT INTO shop.project (id, board_id) VALUES (1, 1), (2, 2)",
    "INSERT INTO shop.task (id, project_id) VALUES (1, 1), (2, 2)",
    "INSERT INTO shop.folder (id, inside_id) VALUES (1, NULL), (2, 1)",
)
LOST: LiteralString = "SET session_replication_role = 'replica'"
FOUND: LiteralString = "SET session_replication_role = 'origin'"

SABOTAGES: dict[str, tuple[tuple[LiteralString, ...], set[str]]] = {
    "rows that came past the triggers": (
        (LOST, "UPDATE shop.entry SET amount = 6 WHERE id = 1", FOUND),
        {"shop.account.balance is what shop.entry adds up to"},
    ),
    "a column that was changed past the triggers": (
        (LOST, "UPDATE shop.project SET open_tasks = 6 WHERE id = 1", FOUND),
        {
            "shop.project.open_tasks is what shop.task adds up to",
            "shop.board.last is what shop.project adds up to",
        },
    ),
    "nothing follows an UPDATE": (
        ("ALTER TABLE shop.entry DISABLE TRIGGER freehold_balance_kept_account_update",),
        {"the triggers of account_balance_kept on shop.entry fire"},
    ),
    "a function that does nothing, and rows that left": (
        (
            "CREATE OR REPLACE FUNCTION shop.keep_derived_delete_account_balance_kept_v1() RETURNS trigger"
            " LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
            "DELETE FROM shop.entry WHERE id = 1",
        ),
        {"shop.account.balance is what shop.entry adds up to"},
    ),
    "a column that anybody writes": (
        ("ALTER TABLE shop.account DISABLE TRIGGER freehold_balance_kept_update",),
        {"the triggers of account_balance_kept on shop.account fire", "shop.account.balance is not written by hand"},
    ),
    "a source that is truncated": (
        ("DROP TRIGGER freehold_folders_kept_folder_truncate ON shop.folder",),
        {"the triggers of folder_folders_kept on shop.folder fire"},
    ),
}


def unheld(place: LayerDatabase, admin: psycopg.Connection[Any]) -> set[str]:
    verdicts = prove_layer(admin, place.layer.declared, rooms=("constraints",), record=False)
    return {each.promise for each in verdicts if each.verdict is not Outcome.HELD}


@pytest.mark.parametrize("sabotage", SABOTAGES)
def test_sabotage(freehold_database: LayerDatabase, sabotage: str) -> None:
    statements, promises = SABOTAGES[sabotage]
    with freehold_database.admin() as admin:
        admin.execute(TENANTS)
        for statement in ROWS:
            admin.execute(statement)
        assert unheld(freehold_database, admin) == set()
        with admin.transaction(force_rollback=True):
            for statement in statements:
                admin.execute(statement)
            assert unheld(freehold_database, admin) == promises
        assert unheld(freehold_database, admin) == set()


def test_and_where_there_is_no_row(freehold_database: LayerDatabase) -> None:
    with freehold_database.admin() as admin:
        assert unheld(freehold_database, admin) == set()
