"""A built layer, and a connection to its database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from freehold.kernel.compile import Declared
from freehold.testing.database import Database
from tests.rooms.building import Connection, build

from .layer import layer, plant


class Built(NamedTuple):
    """A layer on its database; the connection is the administrator's."""

    name: str
    declared: Declared
    connection: Connection
    database: Database


@pytest.fixture
def layout() -> str:
    """Where the current version is; a test of all layouts has this as its parameter."""
    return "history"


@pytest.fixture
def built(database: Database, layer_name: str, layout: str) -> Iterator[Built]:
    declared = layer(layer_name, layout=layout)
    with database.connect(autocommit=True) as connection:
        build(connection, declared)
        plant(connection)
        yield Built(layer_name, declared, connection, database)
