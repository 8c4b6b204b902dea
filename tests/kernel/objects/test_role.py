"""Roles, memberships and settings, which belong to the cluster."""

from __future__ import annotations

import pytest

from freehold.kernel.objects import Membership, Role, Setting
from tests.kernel.objects.ground import Ground, titles

WEAKER = "--allow-weaker-guard"


@pytest.mark.parametrize("suffix", ["r", "Group %s", 'qu"ote', "ñandú"])
def test_role_there_and_back(ground: Ground, suffix: str) -> None:
    name = f"{ground.name}_{suffix}"
    ground.settle(Role(role=name, login=True, createdb=True, inherit=False, connection_limit=3))
    (step,) = ground.settle(Role(role=name))
    assert step.flag == ""
    (step,) = ground.settle(Role(role=name, bypassrls=True))
    assert (step.flag, step.change.statements[0].split()[-1]) == (WEAKER, "BYPASSRLS")
    assert titles(ground.settle()) == [f"drop role {name}"]


def test_role_change_by_hand_is_mended(ground: Ground) -> None:
    name = f"{ground.name}_r"
    (step,) = ground.mended(f"ALTER ROLE {name} SUPERUSER CREATEDB", Role(role=name))
    assert (step.flag, step.change.statements) == ("", (f"ALTER ROLE {name} NOSUPERUSER NOCREATEDB",))


@pytest.mark.parametrize("admin", [False, True])
def test_membership_there_and_back(ground: Ground, admin: bool) -> None:
    group, member = Role(role=f"{ground.name}_g"), Role(role=f"{ground.name}_m", inherit=False)
    held = Membership(role=group.role, member=member.role, inherit=False, admin=admin)
    ground.settle(group, member, held)
    (step,) = ground.mended(f"REVOKE {group.role} FROM {member.role}", group, member, held)
    assert step.flag == WEAKER
    other = Membership(role=group.role, member=member.role, inherit=False, admin=not admin)
    (step,) = ground.settle(group, member, other)
    assert step.flag == ("" if admin else WEAKER)
    assert titles(ground.settle())[0] == f"revoke membership {group.role}.{member.role}"


def test_inheritance_of_a_membership(ground: Ground) -> None:
    group, member = Role(role=f"{ground.name}_g"), Role(role=f"{ground.name}_m")
    ground.settle(group, member, Membership(role=group.role, member=member.role))
    if ground.major >= 16:
        steps = ground.settle(group, member, Membership(role=group.role, member=member.role, inherit=False))
        assert [step.flag for step in steps] == [""]


SETTINGS = {
    "statement_timeout": ("5s", "7s"),
    "search_path": ("shop, public", '"$user", "Odd, one"'),
    "app.tenant": ("it's 100%", "a \\ b"),
    "datestyle": ("ISO, DMY", "German"),
    "work_mem": ("64MB", "1GB"),
}


@pytest.mark.parametrize("of_role", [True, False])
def test_settings_there_and_back(ground: Ground, of_role: bool) -> None:
    role = Role(role=f"{ground.name}_r")
    who = role.role if of_role else ""
    for number in (0, 1):
        wanted = [Setting(parameter=name, value=values[number], role=who) for name, values in SETTINGS.items()]
        assert len(ground.settle(role, *wanted)) >= len(SETTINGS)
    place = f"ROLE {who}" if of_role else f"DATABASE {ground.name}"
    (step,) = ground.mended(f"ALTER {place} RESET statement_timeout", role, *wanted)
    assert step.change.title.startswith("set statement_timeout = 7s of")
    ground.settle(role)
    ground.settle(role, Setting(parameter="search_path", value="", role=who))
    assert ground.settle(role, Setting(parameter="search_path", value="", role=who)) == ()


def test_search_path_is_compared_as_a_list(ground: Ground) -> None:
    ground.settle(Setting(parameter="search_path", value='shop,"public"'))
