"""Grants on every kind of object, grant options, default privileges and owners."""

from __future__ import annotations

import pytest

from freehold.kernel.objects import DefaultPrivilege, Function, Grant, Owner, Role, Sequence, View
from tests.kernel.objects.ground import ITEM, SHOP, Ground, column, item, titles

WEAKER = "--allow-weaker-guard"
OBJECTS = (
    SHOP,
    item(column("a", "integer")),
    Sequence(schema="shop", sequence="numbers"),
    View(schema="shop", view="v", definition="SELECT id FROM shop.item", after=(ITEM,)),
    Function(
        schema="shop",
        function="f",
        arguments="integer, text[]",
        definition="CREATE OR REPLACE FUNCTION shop.f(integer, VARIADIC text[]) RETURNS integer LANGUAGE sql "
        "SET search_path = pg_catalog, pg_temp AS 'SELECT 1'",
    ),
)


def grants(who: str) -> tuple[Grant, ...]:
    """One grant on each kind of object."""
    return (
        Grant(on="schema", target=("shop",), grantee=who, privileges=("USAGE",)),
        Grant(on="table", target=("shop", "item"), grantee=who, privileges=("INSERT", "SELECT"), grantable=True),
        Grant(on="table", target=("shop", "v"), grantee=who, privileges=("SELECT",)),
        Grant(on="column", target=("shop", "item", "a"), grantee=who, privileges=("UPDATE",)),
        Grant(on="sequence", target=("shop", "numbers"), grantee=who, privileges=("USAGE",)),
        Grant(on="function", target=("shop", "f", "integer, text[]"), grantee=who, privileges=("EXECUTE",)),
        Grant(on="database", target=(), grantee=who, privileges=("CONNECT",)),
    )


def test_every_kind_there_and_back(ground: Ground) -> None:
    role = Role(role=f"{ground.name}_Some one")
    ground.settle(role, *OBJECTS, *grants(role.role))
    assert len(ground.settle(role, *OBJECTS)) == 7
    ground.settle(role, *OBJECTS, *grants(role.role))
    steps = ground.settle(*OBJECTS)
    assert titles(steps)[-1] == f"drop role {role.role}"
    assert len(steps) == 8


@pytest.mark.parametrize(
    ("damage", "flag"),
    [
        ("GRANT DELETE ON shop.item TO {who}", WEAKER),
        ("GRANT CREATE ON SCHEMA shop TO {who}", ""),
        ("GRANT USAGE ON SCHEMA shop TO {who} WITH GRANT OPTION; GRANT CREATE ON SCHEMA shop TO {who}", ""),
        ("REVOKE SELECT ON shop.item FROM {who}", WEAKER),
        ("REVOKE GRANT OPTION FOR SELECT ON shop.item FROM {who}", WEAKER),
        ("REVOKE ALL ON FUNCTION shop.f FROM {who}", WEAKER),
        ("REVOKE ALL (a) ON shop.item FROM {who}", WEAKER),
        ("GRANT SELECT (a) ON shop.item TO {who}", ""),
        ("REVOKE ALL ON SCHEMA shop FROM {who}", WEAKER),
    ],
)
def test_change_by_hand_is_mended(ground: Ground, damage: str, flag: str) -> None:
    role = Role(role=f"{ground.name}_r")
    steps = ground.mended(damage.format(who=role.role), role, *OBJECTS, *grants(role.role))
    assert [step.flag for step in steps] == [flag]


def test_grant_made_by_two_is_one(ground: Ground) -> None:
    one, two = Role(role=f"{ground.name}_a"), Role(role=f"{ground.name}_b")
    wanted = (one, two, *OBJECTS, *grants(one.role), *grants(two.role))
    by_hand = f"SET ROLE {one.role}; GRANT SELECT ON shop.item TO {two.role}; RESET ROLE"
    assert ground.mended(by_hand, *wanted) == ()


def test_default_privileges_there_and_back(ground: Ground) -> None:
    owner, reader = Role(role=f"{ground.name}_o"), Role(role=f"{ground.name}_r")
    roles = (owner, reader)

    def given(on: str, schema: str = "", *grants: tuple[str, tuple[str, ...]]) -> DefaultPrivilege:
        return DefaultPrivilege(role=owner.role, on=on, schema=schema, grants=grants)

    some = (
        given("TABLES", "shop", (reader.role, ("INSERT", "SELECT"))),
        given("SEQUENCES", "shop", (reader.role, ("USAGE",)), ("PUBLIC", ("SELECT",))),
        given("FUNCTIONS"),
        given("TYPES"),
        given("TABLES"),
        given("SCHEMAS", "", (reader.role, ("USAGE",))),
    )
    ground.settle(*roles, *some)
    ground.settle(*roles, given("TABLES", "shop", (reader.role, ("SELECT",))), *some[1:])
    by_hand = f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner.role} GRANT EXECUTE ON FUNCTIONS TO PUBLIC, {reader.role}"
    (step,) = ground.mended(by_hand, *roles, *some)
    assert step.flag == ""
    steps = ground.settle()
    assert titles(steps)[-2:] == [f"drop role {owner.role}", f"drop role {reader.role}"]


def test_owners_of_every_kind(ground: Ground) -> None:
    role = Role(role=f"{ground.name}_Owner")
    owners = tuple(
        Owner(on=on, target=target, role=role.role)
        for on, target in [
            ("schema", ("shop",)),
            ("table", ("shop", "item")),
            ("view", ("shop", "v")),
            ("sequence", ("shop", "numbers")),
            ("function", ("shop", "f", "integer, text[]")),
        ]
    )
    ground.settle(role, *OBJECTS, *owners)
    (step,) = ground.mended("ALTER TABLE shop.item OWNER TO CURRENT_USER", role, *OBJECTS, *owners)
    assert step.change.title == f"set owner table.shop.item to {role.role}"
    assert ground.settle(role, *OBJECTS) == ()
