"""Triggers: every shape, switched and redefined."""

from __future__ import annotations

import pytest

from freehold.kernel.objects import Function, Trigger
from tests.kernel.objects.ground import Ground, column, item, titles

TABLE = item(column("a", "integer"))
BODY = Function(
    schema="shop",
    function="t",
    definition="CREATE OR REPLACE FUNCTION shop.t() RETURNS trigger LANGUAGE plpgsql"
    " SET search_path = pg_catalog, pg_temp "
    "AS $$ BEGIN RETURN NULL; END $$",
)


def trigger(name: str, when: str, rest: str = "FOR EACH ROW", word: str = "TRIGGER", enabled: str = "O") -> Trigger:
    """A trigger of ``shop.item``."""
    text = f"CREATE {word} {name} {when} ON shop.item {rest} EXECUTE FUNCTION shop.t('a%b', 'it''s')"
    return Trigger(schema="shop", table="item", trigger=name, definition=text, enabled=enabled)


ALL = (
    trigger("plain", "BEFORE INSERT OR UPDATE OF a"),
    trigger("conditional", "AFTER UPDATE", "FOR EACH ROW WHEN (old.a IS DISTINCT FROM new.a)"),
    trigger("statement", "AFTER INSERT", "REFERENCING NEW TABLE AS made FOR EACH STATEMENT"),
    trigger("later", "AFTER INSERT", "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW", "CONSTRAINT TRIGGER"),
    trigger("emptied", "BEFORE TRUNCATE", "FOR EACH STATEMENT", enabled="A"),
)


def test_every_shape_there_and_back(ground: Ground) -> None:
    ground.settle(TABLE, BODY, *ALL)
    steps = ground.settle(TABLE, BODY)
    assert {step.flag for step in steps} == {"--allow-weaker-guard"}
    ground.settle()


@pytest.mark.parametrize(
    ("damage", "title"),
    [
        ("ALTER TABLE shop.item DISABLE TRIGGER plain", "enable trigger shop.item.plain"),
        ("ALTER TABLE shop.item ENABLE TRIGGER emptied", "enable always trigger shop.item.emptied"),
        ("DROP TRIGGER later ON shop.item", "create trigger shop.item.later"),
        (
            "CREATE OR REPLACE TRIGGER plain BEFORE INSERT ON shop.item FOR EACH ROW EXECUTE FUNCTION shop.t()",
            "replace trigger shop.item.plain",
        ),
    ],
)
def test_change_by_hand_is_mended(ground: Ground, damage: str, title: str) -> None:
    steps = ground.mended(damage, TABLE, BODY, *ALL)
    assert [(step.change.title, step.flag) for step in steps] == [(title, "")]


@pytest.mark.parametrize(
    ("then", "flag"),
    [
        (trigger("plain", "BEFORE INSERT OR UPDATE OF a", enabled="D"), "--allow-weaker-guard"),
        (trigger("plain", "BEFORE INSERT OR UPDATE OF a", enabled="R"), "--allow-weaker-guard"),
        (trigger("plain", "BEFORE INSERT OR UPDATE", enabled="D"), "--allow-weaker-guard"),
        (trigger("plain", "BEFORE INSERT OR UPDATE OF a", enabled="A"), ""),
    ],
)
def test_silenced_trigger_needs_a_flag(ground: Ground, then: Trigger, flag: str) -> None:
    ground.settle(TABLE, BODY, ALL[0])
    (step,) = ground.settle(TABLE, BODY, then)
    assert step.flag == flag


def test_column_under_a_trigger_changes_its_type(ground: Ground) -> None:
    ground.settle(TABLE, BODY, *ALL)
    names = titles(ground.settle(item(column("a", "bigint")), BODY, *ALL))
    assert names == ["change type of column shop.item.a from integer to bigint and 2 that go with it"]
