"""What the declaration compiles to, and what it refuses."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from freehold.errors import DeclarationError, UnknownColumn
from freehold.kernel.compile import Declared, compile_layer
from freehold.kernel.declare import Declarations
from freehold.kernel.objects import Function, Grant, Key, Membership, Owner, Role, Setting
from freehold.rooms.roles import ROOM, Roles
from freehold.rooms.tenancy import ROOM as TENANCY

from .layer import country, customer, greet, layer, metadata, queue, rate


def grants(declared: Declared, role: str, table: sa.Table) -> set[str]:
    found = declared.objects.get(Key("grant", ("table", "shop", table.name, role)))
    return set(found.privileges) if isinstance(found, Grant) else set()


def test_least_rights_by_class_of_table() -> None:
    declared = layer("x", Roles(writes=[rate]))
    changes = {"INSERT", "UPDATE", "DELETE"}
    assert grants(declared, "x_rw", customer) == {"SELECT", *changes}
    assert grants(declared, "x_rw", country) == {"SELECT"}
    assert grants(declared, "x_rw", rate) == {"SELECT", *changes}
    assert grants(declared, "x_rw", queue) == set()
    assert grants(declared, "x_ro", customer) == {"SELECT"}
    assert grants(declared, "x_ro", queue) == set()


def test_columns_narrow_a_privilege_and_leave_the_others() -> None:
    declared = layer("x", Roles(columns={customer: {"ro": ["id", "name"], "rw": {"UPDATE": ["name"]}}}))
    assert grants(declared, "x_ro", customer) == set()
    assert grants(declared, "x_rw", customer) == {"SELECT", "INSERT", "DELETE"}
    columns = {g.name: g.privileges for g in declared.model.of_kind(Grant) if g.on == "column"}
    assert columns == {
        ("column", "shop", "customer", "id", "x_ro"): ("SELECT",),
        ("column", "shop", "customer", "name", "x_ro"): ("SELECT",),
        ("column", "shop", "customer", "name", "x_rw"): ("UPDATE",),
    }


def test_no_login_has_power_and_each_is_limited() -> None:
    declared = layer("x", Roles())
    logins = [role for role in declared.model.of_kind(Role) if role.login]
    assert {role.role for role in logins} == {
        f"x_{p}" for p in ("app_a", "app_b", "ro", "auditor", "monitor", "jobs", "migrator", "backup")
    }
    assert not any(role.superuser or role.bypassrls or role.createrole or role.createdb for role in logins)
    assert [role.role for role in logins if role.replication] == ["x_backup"]
    assert all(0 < role.connection_limit < 100 for role in logins)
    pinned = {s.role for s in declared.model.of_kind(Setting) if s.parameter == "search_path"}
    assert pinned == {role.role for role in logins}


def test_only_the_migrator_may_become_the_owner_and_only_by_set_role() -> None:
    declared = layer("x", Roles())
    assert [(m.member, m.inherit) for m in declared.model.of_kind(Membership) if m.role == "x_owner"] == [
        ("x_migrator", False)
    ]


def test_roles_that_are_switched_off_are_not_made() -> None:
    roles = Roles(read_only=False, auditor=False, monitor=False, migrator=False, jobs=False, backup=False)
    declared = layer("x", roles)
    assert {role.role for role in declared.model.of_kind(Role)} == {
        f"x_{p}" for p in ("owner", "rw", "app_a", "app_b", "verifier")
    }
    assert not [g for g in declared.model.of_kind(Grant) if g.grantee == "x_ro"]


def test_what_another_room_owns_keeps_its_owner() -> None:
    declared = layer("x", Roles())
    owners = {o.name: o.role for o in declared.model.of_kind(Owner)}
    assert owners["table", "shop", "customer"] == "x_owner"
    assert owners["table", "freehold", "context_key"] == "x_verifier"
    assert ("schema", "freehold") not in owners


def test_a_function_with_the_callers_search_path_is_refused() -> None:
    loose = Function(schema="shop", function="loose_v1", definition="CREATE FUNCTION shop.loose_v1() ...")
    with pytest.raises(DeclarationError, match=r"shop\.loose_v1\(\) takes its caller's search_path"):
        layer("x", Roles(), loose)


def test_a_function_of_the_application_is_closed_to_public() -> None:
    declared = layer("x", Roles(), greet)
    closed = declared.objects[Key("grant", ("function", "shop", "greet_v1", "", "PUBLIC"))]
    assert isinstance(closed, Grant)
    assert closed.privileges == ()


@pytest.mark.parametrize(
    ("rights", "words"),
    [
        ({"boss": ["id"]}, "names the role 'boss'"),
        ({"ro": {"DELETE": ["id"]}}, "'DELETE' is not a privilege on a column"),
    ],
)
def test_wrong_column_rights_are_refused(rights: dict[str, list[str]], words: str) -> None:
    with pytest.raises(DeclarationError, match=words):
        Roles(columns={customer: rights})


def test_an_unknown_column_is_refused() -> None:
    with pytest.raises(UnknownColumn):
        Roles(columns={customer: {"ro": ["emial"]}})


def test_a_time_that_postgresql_would_not_take_is_refused() -> None:
    with pytest.raises(DeclarationError, match="lock_timeout='5 secs'"):
        Roles(lock_timeout="5 secs")


def test_writes_names_only_tables_that_need_the_leave() -> None:
    with pytest.raises(DeclarationError, match="no shared or exempt table"):
        layer("x", Roles(writes=[customer]))


def test_the_order_of_declarations_does_not_matter() -> None:
    declared = layer("x", Roles(), greet)
    tenancy, roles, extra = declared.model.declarations
    turned = compile_layer(Declarations(metadata=metadata, items=(roles, extra, tenancy), name="x"), [TENANCY, ROOM])
    assert dict(turned.objects) == dict(declared.objects)
