"""The layer on a database, and the application's way in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from psycopg import sql

from freehold import Database, DataLayer, KeyRing
from freehold.operations import apply_layer
from freehold.runtime import Key
from freehold.testing.database import Database as Place
from tests.rooms.building import Connection

from .layer import ONE, TWO, layer

SECRET = bytes(range(32))


class Built(NamedTuple):
    """A layer on its database; the connection is the administrator's, ``db`` the application's."""

    layer: DataLayer
    connection: Connection
    db: Database


@pytest.fixture
def built(database: Place, layer_name: str) -> Iterator[Built]:
    made = layer(layer_name)
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, made.declared)
        connection.execute("SELECT freehold.add_context_key_v1('k1', %s)", (SECRET,))
        login = f"{layer_name}_app_a"
        connection.execute(sql.SQL("ALTER ROLE {} PASSWORD 'of the application'").format(sql.Identifier(login)))
        connection.execute("INSERT INTO shop.company VALUES (%s), (%s)", (ONE, TWO))
        url = database.url(user=login, password="of the application")
        db = made.connect(url, keys=KeyRing((Key("k1", SECRET),)))
        yield Built(made, connection, db)
        db.dispose()
