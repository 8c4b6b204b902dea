"""The ground on which the tests of each kind of object stand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from freehold.testing.database import Database
from tests.kernel.objects.ground import Ground


@pytest.fixture
def ground(database: Database) -> Iterator[Ground]:
    """A database of the test's own, with an administrator's connection."""
    with database.connect(autocommit=True) as connection:
        yield Ground(connection, database.name, connection.info.server_version // 10000)
