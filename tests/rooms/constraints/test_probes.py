"""Each promise of the room is seen held, then broken by a sabotage, then held again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, LiteralString

import psycopg
import pytest

from freehold import DataLayer
from freehold.kernel.prove import Outcome, Verdict
from freehold.operations import plan_layer, prove_layer
from freehold.testing.layers import LayerDatabase

TENANTS = "INSERT INTO shop.company (id, seats) SELECT gen_random_uuid(), 2 FROM generate_series(1, 2)"
ROWS: tuple[LiteralString, ...] = (
    "INSERT INTO shop.member (tenant_id, id) SELECT id, 1 FROM shop.company",
    "INSERT INTO shop.team (tenant_id, id) SELECT id, 1 FROM shop.company",
    "INSERT INTO shop.player (tenant_id, id, team_id) SELECT id, 1, 1 FROM shop.company",
    "INSERT INTO shop.booking (tenant_id, id, room_id, begins, ends) SELECT id, 1, 1, '2026-01-01', '2026-01-05'"
    " FROM shop.company",
    'INSERT INTO shop."order" (tenant_id, id) SELECT id, 1 FROM shop.company',
    "INSERT INTO shop.line (tenant_id, id, booking_id, currency, amount)"
    " SELECT id, g, 1, 'EUR', 5 * (-1) ^ g FROM shop.company, generate_series(1, 2) AS g",
)
LOST: LiteralString = "SET session_replication_role = 'replica'"
FOUND: LiteralString = "SET session_replication_role = 'origin'"

SABOTAGES: dict[str, tuple[tuple[LiteralString, ...], set[str]]] = {
    "an exclusion constraint that is gone": (
        ("ALTER TABLE shop.booking DROP CONSTRAINT booking_room_id_begins_ends_excl",),
        {"shop.booking has its exclusion constraint, valid"},
    ),
    "overlapping rows": (
        (
            "ALTER TABLE shop.booking DROP CONSTRAINT booking_room_id_begins_ends_excl",
            "INSERT INTO shop.booking (tenant_id, id, room_id, begins, ends)"
            " SELECT tenant_id, 2, 1, '2026-01-04', '2026-01-06' FROM shop.booking",
        ),
        {"shop.booking has its exclusion constraint, valid", "no two rows of shop.booking overlap"},
    ),
    "a status that goes anywhere": (
        ('ALTER TABLE shop."order" DISABLE TRIGGER freehold_status_states_update',),
        {
            "the triggers of order_status_states on shop.order fire",
            "shop.order.status does not go from void to draft",
        },
    ),
    "a row that begins anywhere": (
        ('ALTER TABLE shop."order" DISABLE TRIGGER freehold_status_states_insert',),
        {"the triggers of order_status_states on shop.order fire"},
    ),
    "nothing notes a difference": (
        ("ALTER TABLE shop.line DISABLE TRIGGER freehold_amount_balance_update",),
        {
            "the triggers of line_amount_balance on shop.line fire",
            "a row of shop.line that is changed alone does not pass COMMIT",
        },
    ),
    "nothing judges at COMMIT": (
        ("ALTER TABLE shop.line_amount_balance_due DISABLE TRIGGER freehold_amount_balance_commit",),
        {
            "the triggers of line_amount_balance on shop.line_amount_balance_due fire",
            "a row of shop.line that is changed alone does not pass COMMIT",
        },
    ),
    "rows out of balance": (
        (LOST, "UPDATE shop.line SET amount = 6 WHERE amount > 0", FOUND),
        {"every group of shop.line sums to zero"},
    ),
    "too many members": (
        (
            LOST,
            "INSERT INTO shop.member (tenant_id, id) SELECT c.id, g FROM shop.company AS c, generate_series(5, 9) AS g",
            FOUND,
        ),
        {"no parent has more of shop.member than it may"},
    ),
    "a limit that is not kept": (
        ("ALTER TABLE shop.company DISABLE TRIGGER freehold_company_limit_lower",),
        {
            "the triggers of member_company_limit on shop.company fire",
            "a limit of shop.member is not lowered below what is there",
        },
    ),
    "too many players": (
        (
            LOST,
            "INSERT INTO shop.player (tenant_id, id, team_id)"
            " SELECT c.id, g, 1 FROM shop.company AS c, generate_series(5, 9) AS g",
            FOUND,
        ),
        {"no parent has more of shop.player than it may"},
    ),
}


def judged(place: LayerDatabase, admin: psycopg.Connection[Any]) -> list[Verdict]:
    return prove_layer(admin, place.layer.declared, rooms=("constraints",), record=False)


def broken(place: LayerDatabase) -> set[str]:
    with place.admin() as admin:
        return {each.promise for each in judged(place, admin) if each.verdict is not Outcome.HELD}


@pytest.fixture
def planted(freehold_database: LayerDatabase) -> LayerDatabase:
    with freehold_database.admin() as admin:
        admin.execute(TENANTS)
        for statement in ROWS:
            admin.execute(statement)
    return freehold_database


def test_everything_holds(planted: LayerDatabase, prove: Callable[..., list[Verdict]]) -> None:
    prove()


def test_and_where_there_is_no_row(freehold_database: LayerDatabase) -> None:
    assert broken(freehold_database) == set()


@pytest.mark.parametrize("sabotage", SABOTAGES)
def test_sabotage(planted: LayerDatabase, sabotage: str) -> None:
    statements, promises = SABOTAGES[sabotage]
    with planted.admin() as admin, admin.transaction(force_rollback=True):
        for statement in statements:
            admin.execute(statement)
        assert {each.promise for each in judged(planted, admin) if each.verdict is not Outcome.HELD} == promises
    assert broken(planted) == set()


def test_the_plan_is_settled(freehold_database: LayerDatabase, freehold_layer: DataLayer) -> None:
    with freehold_database.admin() as admin:
        plan = plan_layer(admin, freehold_layer.declared)
    assert (plan.steps, plan.strangers) == ((), ())
