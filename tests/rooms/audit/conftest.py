"""An applied layer with an audit, rows of two tenants, a key and an anchor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql

from freehold import Database, DataLayer
from freehold.operations import apply_layer
from freehold.rooms.audit.anchor import FileAnchor
from freehold.rooms.audit.keys import make_key, read_private, read_public
from freehold.rooms.audit.sealing import Sealed, seal
from freehold.rooms.audit.verifier import Judged, verify
from freehold.runtime import Key, KeyRing
from freehold.testing.database import Database as Place
from tests.rooms.building import Connection, unheld

from .layer import ONE, SECRET, TWO, layer


@dataclass
class Built:
    """A layer on its database; the connection is the administrator's."""

    name: str
    layer: DataLayer
    connection: Connection
    place: Place
    key: Path
    anchor: FileAnchor

    def seal(self) -> Sealed:
        """Seal what ended transactions have recorded."""
        return seal(self.connection, read_private(self.key), self.anchor)

    def judge(self) -> Judged:
        """What the verifier says."""
        return verify(self.connection, self.anchor, [read_public(self.key.with_name("audit.key.pub"))])

    def unheld(self) -> list[str]:
        """Promises of the room that do not hold."""
        return unheld(self.connection, self.layer.declared, "audit")

    def entries(self, kind: str = "data") -> list[Any]:
        """Owner, actor, object, action, key, before and after of every entry of a kind."""
        query = (
            "SELECT owner, actor, object, action, key, before, after FROM freehold.audit WHERE kind = %s ORDER BY id"
        )
        return self.connection.execute(query, (kind,)).fetchall()

    def meddle(self, *statements: str) -> None:
        """What a superuser can do who takes the triggers away first."""
        with self.connection.transaction():
            self.connection.execute("SET LOCAL session_replication_role = 'replica'")
            for statement in statements:
                self.connection.execute(statement.encode())

    @property
    def url(self) -> str:
        """The application's."""
        login = f"{self.name}_app_a"
        self.connection.execute(sql.SQL("ALTER ROLE {} PASSWORD 'of the application'").format(sql.Identifier(login)))
        return self.place.url(user=login, password="of the application")

    def connect(self) -> Database:
        """As the application."""
        return self.layer.connect(self.url, keys=KeyRing((Key("k1", SECRET),)))


@pytest.fixture
def built(database: Place, layer_name: str, tmp_path: Path) -> Iterator[Built]:
    declared = layer(layer_name)
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, declared.declared)
        connection.execute("SELECT freehold.add_context_key_v1('k1', %s)", (SECRET,))
        connection.execute("INSERT INTO shop.company VALUES (%s), (%s)", (ONE, TWO))
        for tenant in (ONE, TWO):
            connection.execute("INSERT INTO shop.payment VALUES (%s, 1, 5, '4111', '{}')", (tenant,))
        connection.execute("INSERT INTO shop.rate VALUES ('EUR', 1)")
        make_key(tmp_path / "audit.key")
        anchor = FileAnchor(tmp_path / "anchor")
        yield Built(layer_name, declared, connection, database, tmp_path / "audit.key", anchor)
