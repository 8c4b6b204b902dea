"""Shops for each test, cloned from one that was built and one that was loaded, and slices of the real file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from examples.retail.load import load

from freehold import Database
from freehold.servers import OwnedServer
from freehold.testing.database import Database as TestDatabase
from freehold.testing.database import create_database
from tests.examples.lines import cut
from tests.examples.shop import Shop, build

SLICE = 2500
BATCH = 600
"""Lines of a batch in the tests, so that a slice has several."""
LAYER = "examples"


class Templates:
    """The databases that tests clone, made at first use on each server."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.file = cut(directory / "slice.parquet", SLICE)
        self._made: dict[str, Shop] = {}

    def empty(self, server: OwnedServer) -> Shop:
        """Built, with nothing in it."""
        name = f"{LAYER}_empty"
        if f"{server.port} {name}" not in self._made:
            self._made[f"{server.port} {name}"] = build(create_database(server, name), LAYER, self.directory)
        return self._made[f"{server.port} {name}"]

    def loaded(self, server: OwnedServer) -> Shop:
        """Built, with the slice loaded."""
        name = f"{LAYER}_loaded"
        if f"{server.port} {name}" not in self._made:
            empty = self.empty(server)
            shop = Shop(empty.layer, create_database(server, name, template=empty.database.name), empty.keys)
            db = shop.connect()
            load(db, self.file, batch_lines=BATCH)
            db.dispose()
            self._made[f"{server.port} {name}"] = shop
        return self._made[f"{server.port} {name}"]


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    return Templates(tmp_path_factory.mktemp("examples"))


@pytest.fixture
def slice_(templates: Templates) -> Path:
    return templates.file


@pytest.fixture
def make_shop(
    templates: Templates, server: OwnedServer, make_database: Callable[..., TestDatabase]
) -> Callable[[str], Shop]:
    """A function that makes empty shops, each on a database of its own."""

    def make(suffix: str) -> Shop:
        empty = templates.empty(server)
        return Shop(empty.layer, make_database(suffix, template=empty.database.name), empty.keys)

    return make


@pytest.fixture
def shop(make_shop: Callable[[str], Shop]) -> Shop:
    """An empty shop."""
    return make_shop("shop")


@pytest.fixture
def db(shop: Shop) -> Iterator[Database]:
    """The application's way into the empty shop."""
    connected = shop.connect()
    yield connected
    connected.dispose()


@pytest.fixture
def loaded(templates: Templates, server: OwnedServer, make_database: Callable[..., TestDatabase]) -> Shop:
    """A shop into which the slice was loaded."""
    source = templates.loaded(server)
    return Shop(source.layer, make_database("loaded", template=source.database.name), source.keys)


@pytest.fixture
def loaded_db(loaded: Shop) -> Iterator[Database]:
    """The application's way into the loaded shop."""
    connected = loaded.connect()
    yield connected
    connected.dispose()
