"""Row security and policies: every shape, and which changes weaken them."""

from __future__ import annotations

import pytest

from freehold.kernel.objects import Lock, Policy, Role, RowSecurity, Site
from tests.kernel.objects.ground import Ground, column, item, titles

TABLE = item(column("a", "integer"))
ON = RowSecurity(schema="shop", table="item")
WEAKER = "--allow-weaker-guard"
SITE = Site(database="any", version=180000)


def policy(using: str = "", check: str = "", **facts: object) -> Policy:
    """The policy ``p`` of ``shop.item``."""
    return Policy(schema="shop", table="item", policy="p", using=using, check=check, **facts)  # type: ignore[arg-type]


def test_every_shape_there_and_back(ground: Ground) -> None:
    role = Role(role=f"{ground.name}_Reader")
    shapes = [
        policy("a > 0", command="SELECT", roles=(role.role,)),
        policy("", "a::text NOT LIKE '%x'", command="INSERT"),
        policy("a > 0", "a > 1", command="UPDATE", permissive=False),
        policy("a > 0", command="DELETE", roles=(role.role, "pg_monitor")),
    ]
    for shape in shapes:
        ground.settle(role, TABLE, ON, shape)
    assert "drop policy shop.item.p" in titles(ground.settle(TABLE, ON))


@pytest.mark.parametrize(
    ("damage", "title", "flag"),
    [
        ("ALTER TABLE shop.item DISABLE ROW LEVEL SECURITY", "set row_security shop.item", ""),
        ("ALTER TABLE shop.item NO FORCE ROW LEVEL SECURITY", "set row_security shop.item", ""),
        ("ALTER POLICY p ON shop.item USING (true)", "replace policy shop.item.p", ""),
        ("DROP POLICY p ON shop.item", "create policy shop.item.p", WEAKER),
    ],
)
def test_change_by_hand_is_mended(ground: Ground, damage: str, title: str, flag: str) -> None:
    """Without its last policy a table shows no row: the one that comes back opens it, and needs the flag."""
    (step,) = ground.mended(damage, TABLE, ON, policy("a > 0"))
    assert (step.change.title, step.flag, step.change.lock) == (title, flag, Lock.ACCESS_EXCLUSIVE)


@pytest.mark.parametrize(
    ("before", "after", "flag"),
    [
        (policy("a > 0"), policy("((a > 0) AND (id > 0))"), ""),
        (policy("a > 0"), policy("true"), WEAKER),
        (policy("a > 0"), policy("a > 0", "true"), WEAKER),
        (policy("true"), policy("a > 0"), ""),
        (policy("true", "a > 0"), policy("true", "true"), WEAKER),
        (policy("true", command="SELECT"), policy("true"), WEAKER),
        (policy("true", roles=("pg_monitor",)), policy("true"), WEAKER),
        (policy("true"), policy("true", roles=("pg_monitor",)), ""),
        (policy("a > 0", permissive=False), policy("a > 0"), WEAKER),
    ],
)
def test_looser_policy_needs_a_flag(before: Policy, after: Policy, flag: str) -> None:
    found = [
        Policy(**{**vars(item), "using": "(a > 0)" if item.using == "a > 0" else item.using})
        for item in (before, after)
    ]
    (change,) = found[1].alter(found[0], SITE) or ()
    assert bool(change.weakens) is bool(flag)


def test_restrictive_policy_and_row_security_are_not_dropped_silently(ground: Ground) -> None:
    ground.settle(TABLE, ON, policy("a > 0", permissive=False))
    assert {step.flag for step in ground.settle(TABLE)} == {WEAKER}
