"""The commands of the README, of each room's README and of a new project's README work as they are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from freehold.testing.database import Database
from tests.docs.runner import commands, run
from tools.check_rooms import ROOMS, ROOT

PAGES = sorted(ROOMS.glob("*/README.md"))
NOT_IN_THE_STARTER = {"audit", "encryption", "partitions", "tenants", "valid_time"}


def test_readme(place: Path) -> None:
    script = commands(ROOT / "README.md")
    assert "freehold prove" in script
    run(script, place)


@pytest.mark.parametrize("page", PAGES, ids=[page.parent.name for page in PAGES])
def test_room(page: Path, request: pytest.FixtureRequest) -> None:
    """In a project that declares the room: the starter, or the one with every room."""
    script = commands(page)
    assert script, f"{page} marks no commands with <!-- run -->"
    run(script, request.getfixturevalue("business" if page.parent.name in NOT_IN_THE_STARTER else "shop"))


def test_runtime(shop: Path) -> None:
    output = run(commands(ROOT / "docs" / "runtime.md"), shop)
    assert "outcome.key-reused" in output
    assert "5.00" in output


def test_testing(shop: Path) -> None:
    assert "2 passed" in run(commands(ROOT / "docs" / "testing.md"), shop)


def test_adopt(place: Path, database: Database) -> None:
    output = run(commands(ROOT / "docs" / "adopt.md"), place, {"FREEHOLD_URL": database.url()})
    told = (ROOT / "docs" / "adopt.md").read_text().split("```text\n")[1].split("```")[0]
    assert [line for line in told.splitlines() if line not in output] == []
    assert "-- nothing to do" in output


def test_change(place: Path, database: Database) -> None:
    output = run(commands(ROOT / "docs" / "change.md"), place, {"FREEHOLD_URL": database.url()})
    assert "every value of shop.customer.domain" in output
    assert "is final since" in output


def test_assess(place: Path, database: Database) -> None:
    run(commands(ROOT / "docs" / "assess.md"), place, {"FREEHOLD_URL": database.url()})
    assert "<h1>Review of" in (place / "review.html").read_text()


def test_new_project(shop: Path) -> None:
    text = (shop / "README.md").read_text()
    script = text.split("```sh\n")[1].split("```")[0].replace("freehold apply ", "freehold apply --yes ")
    assert "19.90" in run(script, shop)


def test_a_failing_command_is_seen(place: Path) -> None:
    page = place / "README.md"
    page.write_text("<!-- run -->\n```sh\ntrue\nfalse\ntrue\n```\n")
    with pytest.raises(AssertionError, match="exit status 1"):
        run(commands(page), place)
