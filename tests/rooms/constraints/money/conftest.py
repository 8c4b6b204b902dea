"""The layer with money and domains, applied once a server."""

from __future__ import annotations

from typing import Any

import pytest

from freehold import Database, DataLayer
from freehold.testing.layers import LayerDatabase

from .layer import RULES, layer


@pytest.fixture(scope="session")
def freehold_layer() -> DataLayer:
    return layer("money", *RULES)


@pytest.fixture
def db(freehold_database: LayerDatabase) -> Database:
    """The application's database."""
    return freehold_database.connect(pool_size=10)


@pytest.fixture
def who(freehold_database: LayerDatabase) -> dict[str, Any]:
    """A company, and who acts for it."""
    return {"tenant": freehold_database.add_tenant(), "actor": "ann"}
