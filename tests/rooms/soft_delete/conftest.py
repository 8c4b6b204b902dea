"""An applied layer, the administrator's connection, and the application's database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from psycopg import sql

from freehold import Database, DataLayer
from freehold.operations import apply_layer
from freehold.runtime import Key, KeyRing
from freehold.testing.database import Database as Place
from tests.rooms.building import Connection

from .layer import SECRET, layer, plant


class Built(NamedTuple):
    """A layer on its database; the connection is the administrator's, ``url`` the application's."""

    name: str
    layer: DataLayer
    connection: Connection
    place: Place
    url: str


@pytest.fixture
def built(database: Place, layer_name: str) -> Iterator[Built]:
    declared = layer(layer_name)
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, declared.declared)
        connection.execute("SELECT freehold.add_context_key_v1('k1', %s)", (SECRET,))
        login = f"{layer_name}_app_a"
        password = sql.SQL("ALTER ROLE {} PASSWORD 'of the application'")
        connection.execute(password.format(sql.Identifier(login)))
        plant(connection)
        yield Built(layer_name, declared, connection, database, database.url(user=login, password="of the application"))


@pytest.fixture
def db(built: Built) -> Iterator[Database]:
    found = built.layer.connect(built.url, keys=KeyRing((Key("k1", SECRET),)))
    yield found
    found.dispose()
