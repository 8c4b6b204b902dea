"""An applied layer with two tenants, a key file, and the application's database with a cipher."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from psycopg import sql

from freehold import Database, DataLayer
from freehold.operations import apply_layer
from freehold.rooms.encryption import Encryption
from freehold.rooms.encryption.local_keys import LocalKeyFile
from freehold.runtime import Key, KeyRing
from freehold.testing.database import Database as Place
from tests.rooms.building import Connection

from .layer import ONE, SECRET, TWO, layer

RING = KeyRing((Key("k1", SECRET),))


class Built(NamedTuple):
    """A layer on its database; the connection is the administrator's, ``url`` the application's."""

    name: str
    layer: DataLayer
    connection: Connection
    place: Place
    url: str
    encryption: Encryption


@pytest.fixture
def built(database: Place, layer_name: str, tmp_path: Path) -> Iterator[Built]:
    declared = layer(layer_name)
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, declared.declared)
        connection.execute("SELECT freehold.add_context_key_v1('k1', %s)", (SECRET,))
        login = f"{layer_name}_app_a"
        password = sql.SQL("ALTER ROLE {} PASSWORD 'of the application'")
        connection.execute(password.format(sql.Identifier(login)))
        connection.execute("INSERT INTO shop.company (id) VALUES (%s), (%s)", (ONE, TWO))
        url = database.url(user=login, password="of the application")
        encryption = Encryption(LocalKeyFile.create(tmp_path / "keys"))
        yield Built(layer_name, declared, connection, database, url, encryption)


@pytest.fixture
def db(built: Built) -> Iterator[Database]:
    found = built.layer.connect(built.url, keys=RING, encryption=built.encryption)
    yield found
    found.dispose()
