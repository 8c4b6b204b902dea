"""Views: on views, over retyped columns, materialized, with their guards."""

from __future__ import annotations

import pytest

from freehold.kernel.objects import Grant, View
from tests.kernel.objects.ground import ITEM, Ground, column, item, titles

TABLE = item(column("a", "varchar(10)"))


def view(name: str, definition: str, *options: str, of: tuple[View, ...] = (), materialized: bool = False) -> View:
    """A view over ``shop.item`` or over other views."""
    after = tuple(found.key for found in of) or (ITEM,)
    return View(
        schema="shop", view=name, definition=definition, options=options, materialized=materialized, after=after
    )


LOW = view("z_low", "SELECT id, a FROM shop.item", "security_invoker=true")
HIGH = view("a_high", "SELECT a, count(*) AS n FROM shop.z_low GROUP BY a", "security_barrier=true", of=(LOW,))
STORED = view("m", "SELECT n FROM shop.a_high", "fillfactor=50", of=(HIGH,), materialized=True)


def test_stack_of_views_follows_a_column(ground: Ground) -> None:
    ground.settle(TABLE, HIGH, STORED, LOW)
    reader = Grant(on="table", target=("shop", "a_high"), grantee="PUBLIC", privileges=("SELECT",))
    steps = ground.settle(item(column("a", "varchar(20)")), HIGH, STORED, LOW, reader)
    assert [title.partition(" from ")[0] for title in titles(steps)] == ["change type of column shop.item.a"]
    assert [step.flag for step in steps] == ["--allow-weaker-guard"]
    assert ground.rows("SELECT has_table_privilege('public', 'shop.a_high', 'SELECT')") == [(True,)]
    assert titles(ground.settle(item(column("a", "varchar(20)"))))[:1] == ["drop view shop.m"]


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        ("ALTER VIEW shop.z_low RESET (security_invoker)", ["set options of view shop.z_low"]),
        ("ALTER VIEW shop.z_low SET (check_option = 'local')", ["set options of view shop.z_low"]),
        ("DROP VIEW shop.a_high", ["create view shop.a_high"]),
        (
            "CREATE OR REPLACE VIEW shop.a_high AS SELECT a, 1::bigint AS n FROM shop.z_low",
            ["replace view shop.a_high"],
        ),
    ],
)
def test_change_by_hand_is_mended(ground: Ground, damage: str, expected: list[str]) -> None:
    steps = ground.mended(damage, TABLE, LOW, HIGH)
    assert titles(steps) == expected
    assert {step.flag for step in steps} == {""}


def test_view_that_loses_its_guard_needs_a_flag(ground: Ground) -> None:
    ground.settle(TABLE, LOW)
    (step,) = ground.settle(TABLE, view("z_low", LOW.definition))
    assert step.flag == "--allow-weaker-guard"
    (step,) = ground.settle(TABLE, LOW)
    assert step.flag == ""


def test_view_made_anew_without_its_guard_needs_a_flag(ground: Ground) -> None:
    ground.settle(TABLE, LOW)
    steps = ground.settle(TABLE, view("z_low", "SELECT id FROM shop.item"))
    assert "--allow-weaker-guard" in {step.flag for step in steps}


def test_table_becomes_a_view_of_the_same_name(ground: Ground) -> None:
    ground.settle(TABLE)
    ground.settle(View(schema="shop", view="item", definition="SELECT 1 AS id"))
