"""Enums and domains: labels added anywhere, checks changed, and nothing that would cost rows."""

from __future__ import annotations

import pytest

from freehold.errors import PlanError
from freehold.kernel.objects import Domain, Enum, Lock
from tests.kernel.objects.ground import Ground, column, item, titles

USER = item(column("c", "shop.tier"), column("d", "shop.tier[]"))


def tier(*labels: str) -> Enum:
    """The enum ``shop.tier``."""
    return Enum(schema="shop", type_name="tier", labels=labels)


def money(**facts: object) -> Domain:
    """The domain ``shop.money``."""
    return Domain(schema="shop", type_name="money", base="numeric(12,2)", **facts)  # type: ignore[arg-type]


def test_labels_are_added_at_every_place(ground: Ground) -> None:
    ground.settle(tier("b", "it's"), USER)
    ground.run("INSERT INTO shop.item VALUES (1, 'b', '{b}')")
    steps = ground.settle(tier("first", "a", "b", "between", "it's", "last \\ one"), USER)
    assert len(steps) == 4
    assert {(step.flag, step.change.transactional) for step in steps} == {("", False)}
    assert ground.rows("SELECT c, d FROM shop.item") == [("b", "{b}")]


def test_enum_that_is_gone_goes_after_its_columns(ground: Ground) -> None:
    ground.settle(tier("a"), USER)
    assert titles(ground.settle())[-1] == "drop enum shop.tier"


@pytest.mark.parametrize("labels", [("a",), ("b", "a")])
def test_label_that_leaves_or_moves_is_refused(ground: Ground, labels: tuple[str, ...]) -> None:
    ground.settle(tier("a", "b"), USER)
    with pytest.raises(PlanError, match=r"column shop\.item\.[cd] stands on .* enum shop\.tier"):
        ground.plan(tier(*labels), USER)
    ground.settle(tier(*labels), item())


def test_domain_changes_in_place(ground: Ground) -> None:
    positive, small = ("money_positive", "CHECK (VALUE > 0)"), ("money_small", "CHECK (VALUE < 1000)")
    user = item(column("c", "shop.money"))
    ground.settle(money(checks=(positive,)), user)
    ground.run("INSERT INTO shop.item VALUES (1, 5)")
    (step,) = ground.settle(money(checks=(small,), default="1", not_null=True), user)
    assert (step.flag, step.change.lock) == ("--allow-weaker-guard", Lock.SHARE)
    (step,) = ground.mended("ALTER DOMAIN shop.money DROP CONSTRAINT money_small", money(checks=(small,)), user)
    assert (step.flag, step.change.title) == ("", "alter domain shop.money")
    assert ground.rows("SELECT c FROM shop.item") == [(5,)]
    assert titles(ground.settle())[-1] == "drop domain shop.money"


def test_domain_over_another_type_is_refused(ground: Ground) -> None:
    user = item(column("c", "shop.money"))
    ground.settle(money(), user)
    with pytest.raises(PlanError, match=r"column shop\.item\.c stands on .* domain shop\.money"):
        ground.plan(Domain(schema="shop", type_name="money", base="text"), user)
