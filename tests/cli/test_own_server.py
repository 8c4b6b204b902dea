"""The project's own server: up, a drill that holds, one that does not, down."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from freehold.servers import AddressServer
from tests.cli.command import Command
from tests.docs.conftest import folder

BROKEN, COULD_NOT_RUN = 1, 2


@pytest.fixture
def shop() -> Iterator[Command]:
    """A new project, in a place that the server's account may enter."""
    with folder() as place:
        assert Command(place)("init", "shop").status == 0
        yield Command(place / "shop")


def test_up_drill_down(shop: Command) -> None:
    assert "freehold up" in shop("status").err
    first = json.loads(shop("up", "--json").out)
    assert (first["started"], first["created"]) == (True, True)
    again = json.loads(shop("up", "--json").out)
    assert (again["started"], again["created"], again["url"]) == (False, False, first["url"])
    assert shop("apply", "--yes").status == 0

    held = shop("drill", "restore", "--json")
    finding = json.loads(held.out)
    assert (held.status, finding["held"]) == (0, True), finding
    assert finding["figures"]["guarded_tables"] > 0
    with AddressServer(first["url"]).connect(autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET archive_timeout = '1h'")
        connection.execute("SELECT pg_reload_conf()")
    broken = shop("drill", "restore")
    assert (broken.status, "BROKEN" in broken.out) == (BROKEN, True)
    assert shop("status").status == BROKEN, "the drill's finding is evidence"

    assert shop("down").status == 0
    told = shop("plan")
    assert (told.status, "server.down" in told.err) == (COULD_NOT_RUN, True)
    assert json.loads(shop("up", "--json").out)["url"] == first["url"], "the port is kept"


def test_keys_of_another_project_are_taken(shop: Command) -> None:
    """A database without keys takes the file's, so that an application that is already set up goes on."""
    assert shop("up").status == 0
    assert shop("apply", "--yes").status == 0
    keys = (shop.folder / ".freehold" / "context.keys").read_text()
    other = Command(shop.folder, {"FREEHOLD_DATABASE": "second", "FREEHOLD_LAYER": "second:layer"})
    text = (shop.folder / "layer.py").read_text().replace('name="shop"', 'name="second"')
    (shop.folder / "second.py").write_text(text)
    assert other("up").status == 0
    assert other("apply", "--yes").status == 0
    assert (shop.folder / ".freehold" / "context.keys").read_text() == keys
    (stored,) = json.loads(other("keys", "list", "--json").out)
    assert stored["signs"]
