"""The layer on a database with two tenants, and a second database that has its shape and its shared rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from freehold import DataLayer
from freehold.operations import apply_layer
from freehold.testing.database import Database
from tests.rooms.building import Connection

from .layer import HOLD, layer, plant


class Built(NamedTuple):
    """A layer on its database; the connection is the administrator's."""

    layer: DataLayer
    connection: Connection
    database: Database


@pytest.fixture
def more() -> tuple[object, ...]:
    """Further declarations; a test of the hold has it as its parameter."""
    return ()


@pytest.fixture
def built(database: Database, layer_name: str, more: tuple[object, ...]) -> Iterator[Built]:
    made = layer(layer_name, *more)
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, made.declared)
        plant(connection)
        yield Built(made, connection, database)


@pytest.fixture
def elsewhere(built: Built, make_database: Callable[..., Database]) -> Iterator[Connection]:
    """A database of the same layer without tenants."""
    with make_database("elsewhere").connect(autocommit=True) as connection:
        apply_layer(connection, built.layer.declared)
        connection.execute("INSERT INTO shop.currency VALUES ('EUR')")
        yield connection


HELD = pytest.mark.parametrize("more", [(HOLD,)], ids=["held"])
