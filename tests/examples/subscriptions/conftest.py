"""The business on databases of the tests: one is built and loaded on each server, and cloned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import examples.subscriptions
import pytest
from examples.subscriptions.layer import DECLARATIONS
from examples.subscriptions.load import SIZES, Load, Tally
from examples.subscriptions.models import Base

from freehold import Database, DataLayer, Encryption, Report
from freehold.cli.keyring import ensure_key
from freehold.operations import apply_layer
from freehold.rooms.encryption.local_keys import LocalKeyFile
from freehold.rooms.reports import refresh_all
from freehold.rooms.roles.credentials import set_password
from freehold.servers import OwnedServer
from freehold.testing.database import Database as Place
from freehold.testing.database import create_database

NAME = "subs"
PASSWORD = "correct horse battery staple"


@dataclass
class Business:
    """The layer on a database, loaded; ``load`` knows its accounts."""

    layer: DataLayer
    place: Place
    folder: Path
    load: Load
    tally: Tally

    def connect(self) -> Database:
        """As the application."""
        return connect(self.layer, self.place, self.folder)


def connect(layer: DataLayer, place: Place, folder: Path) -> Database:
    """As the application of a layer."""
    url = place.url(user=f"{NAME}_app_a", password=PASSWORD)
    return layer.connect(url, keys=folder / "context.keys", encryption=Encryption(LocalKeyFile(folder / "data.keys")))


def _build(server: OwnedServer, folder: Path) -> Business:
    layer = DataLayer(Base.metadata, *DECLARATIONS, name=NAME)
    place = create_database(server, f"{NAME}_template")
    LocalKeyFile.create(folder / "data.keys")
    with place.connect(autocommit=True) as connection:
        apply_layer(connection, layer.declared)
        ensure_key(connection, folder / "context.keys")
        set_password(connection, f"{NAME}_app_a", PASSWORD)
        connection.execute(Path(examples.subscriptions.__file__).with_name("catalogue.sql").read_bytes())
        db = connect(layer, place, folder)
        load = Load(db, SIZES["small"], datetime.now(UTC).date().replace(day=1))
        tally = load.run()
        db.dispose()
        for report in layer.of_type(Report):
            refresh_all(connection, report)
    return Business(layer, place, folder, load, tally)


@pytest.fixture(scope="session")
def businesses(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Business]:
    """One on each server, by its port."""
    return {}


@pytest.fixture
def business(
    businesses: dict[int, Business],
    server: OwnedServer,
    make_database: Callable[..., Place],
    tmp_path_factory: pytest.TempPathFactory,
) -> Business:
    """A clone of the loaded business."""
    if server.port not in businesses:
        businesses[server.port] = _build(server, tmp_path_factory.mktemp("business"))
    whole = businesses[server.port]
    clone = make_database("business", template=whole.place.name)
    return Business(whole.layer, clone, whole.folder, whole.load, whole.tally)
