"""Event triggers: made last, switched, narrowed and redefined."""

from __future__ import annotations

import pytest

from freehold.kernel.objects import EventTrigger, Function
from tests.kernel.objects.ground import Ground, column, item


def _body(name: str) -> Function:
    return Function(
        schema="shop",
        function=name,
        definition=f"CREATE OR REPLACE FUNCTION shop.{name}() RETURNS event_trigger LANGUAGE plpgsql "
        "SET search_path = pg_catalog, pg_temp AS $$ BEGIN IF pg_catalog.to_regclass('shop.item') IS NULL THEN "
        "RAISE EXCEPTION 'fired too early'; END IF; END $$",
    )


def _trigger(tags: tuple[str, ...] = (), function: str = "seen", enabled: str = "O") -> EventTrigger:
    return EventTrigger(
        event_trigger="watch", event="ddl_command_end", tags=tags, function=("shop", function), enabled=enabled
    )


TABLE = item(column("a", "integer"))
BODIES = (_body("seen"), _body("told"))


def test_it_fires_on_no_command_of_the_plan_that_makes_it(ground: Ground) -> None:
    ground.settle(_trigger(), *BODIES, TABLE)
    (step,) = [step for step in ground.settle(*BODIES, TABLE) if "event trigger" in step.change.title]
    assert step.flag == "--allow-weaker-guard"
    ground.settle()


@pytest.mark.parametrize(
    ("damage", "title"),
    [
        ("ALTER EVENT TRIGGER watch DISABLE", "enable event trigger watch"),
        ("DROP EVENT TRIGGER watch", "create event trigger watch"),
    ],
)
def test_change_by_hand_is_mended(ground: Ground, damage: str, title: str) -> None:
    steps = ground.mended(damage, TABLE, *BODIES, _trigger())
    assert [(step.change.title, step.flag) for step in steps] == [(title, "")]


@pytest.mark.parametrize(
    ("then", "flag"),
    [
        (_trigger(("CREATE TABLE",)), "--allow-weaker-guard"),
        (_trigger(enabled="D"), "--allow-weaker-guard"),
        (_trigger(enabled="A"), ""),
        (_trigger(function="told"), ""),
    ],
)
def test_one_that_sees_less_needs_a_flag(ground: Ground, then: EventTrigger, flag: str) -> None:
    ground.settle(TABLE, *BODIES, _trigger())
    (step,) = ground.settle(TABLE, *BODIES, then)
    assert step.flag == flag


def test_more_tags_are_no_less(ground: Ground) -> None:
    ground.settle(TABLE, *BODIES, _trigger(("CREATE TABLE",)))
    (step,) = ground.settle(TABLE, *BODIES, _trigger(("CREATE TABLE", "DROP TABLE")))
    assert (step.change.title, step.flag) == ("replace event trigger watch", "")
