"""An applied layer with rows of two tenants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from psycopg import sql

from freehold import Database, DataLayer, Partitioned
from freehold.operations import apply_layer, apply_new_tables
from freehold.runtime import Key, KeyRing
from freehold.testing.database import Database as Place
from tests.rooms.building import Connection, unheld

from .layer import ONE, SECRET, TWO, Clock, Item, day, events, layer


@dataclass
class Built:
    """A layer on its database; the connection is the administrator's."""

    name: str
    clock: Clock
    connection: Connection
    place: Place
    export: Path | None = None
    heard: bool = False

    @property
    def layer(self) -> DataLayer:
        """The layer as it is declared now."""
        return layer(self.name, self.clock, self.export, heard=self.heard)

    @property
    def events(self) -> Partitioned:
        """The declaration of the log."""
        return events(self.clock, export=self.export)

    def extend(self) -> list[str]:
        """Make what is missing; the names of the new partitions."""
        plan = apply_new_tables(self.connection, self.layer.declared, "partitions")
        return [step.key.name[1] for step in plan.steps if step.key.kind == "table"]

    def unheld(self) -> list[str]:
        """Promises of the room that do not hold."""
        return unheld(self.connection, self.layer.declared, "partitions")

    def add(self, at: datetime, number: int = 1, tenant: object = ONE, table: str = "event") -> None:
        """One row, by the administrator."""
        query = sql.SQL("INSERT INTO {} (tenant_id, at, id) VALUES (%s, %s, %s)")
        self.connection.execute(query.format(sql.Identifier("shop", table)), (tenant, at, number))

    def moments(self) -> list[datetime]:
        """When every stored event was."""
        return [row[0] for row in self.connection.execute("SELECT at FROM shop.event ORDER BY at, id")]

    def connect(self) -> Database:
        """As the application."""
        login = f"{self.name}_app_a"
        self.connection.execute(sql.SQL("ALTER ROLE {} PASSWORD 'of the application'").format(sql.Identifier(login)))
        url = self.place.url(user=login, password="of the application")
        return self.layer.connect(url, keys=KeyRing((Key("k1", SECRET),)))


@pytest.fixture
def make_built(database: Place, layer_name: str) -> Iterator[Callable[..., Built]]:
    with database.connect(autocommit=True) as connection:

        def make(export: Path | None = None, *, heard: bool = False) -> Built:
            built = Built(layer_name, Clock(), connection, database, export, heard)
            apply_layer(connection, built.layer.declared)
            connection.execute("SELECT freehold.add_context_key_v1('k1', %s)", (SECRET,))
            for tenant in (ONE, TWO):
                connection.execute("INSERT INTO shop.company VALUES (%s)", (tenant,))
                connection.execute(f"INSERT INTO shop.{Item.__tablename__} VALUES (%s, 1)".encode(), (tenant,))
                built.add(day(30), tenant=tenant)
            return built

        yield make


@pytest.fixture
def built(make_built: Callable[..., Built]) -> Built:
    return make_built()


@pytest.fixture(params=[False, True], ids=["unheard", "heard"])
def either(make_built: Callable[..., Built], tmp_path: Path, request: pytest.FixtureRequest) -> Built:
    """One whose periods are exported, with and without a history that hears of rows which leave."""
    return make_built(tmp_path / "old", heard=request.param)
