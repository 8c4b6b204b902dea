"""The layer on a database of the test's own, connections of its logins, and its relay."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from freehold.testing.database import Database
from tests.rooms.outcomes.conftest import Ground

from .layer import applied


@pytest.fixture
def ground(database: Database, layer_name: str) -> Iterator[Ground]:
    with database.connect(autocommit=True) as admin:
        yield Ground(applied(admin, layer_name), database, admin)
