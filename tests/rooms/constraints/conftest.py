"""The layer with every rule, applied once a server, and a company with three seats."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from freehold import Database, DataLayer
from freehold.testing.layers import LayerDatabase

from .layer import RULES, layer


@pytest.fixture(scope="session")
def freehold_layer() -> DataLayer:
    return layer("rules", *RULES)


@pytest.fixture
def db(freehold_database: LayerDatabase) -> Database:
    """The application's database."""
    return freehold_database.connect(pool_size=10)


@pytest.fixture
def who(freehold_database: LayerDatabase) -> dict[str, Any]:
    """A company with three seats, and who acts for it."""
    tenant: UUID = freehold_database.add_tenant(seats=3)
    return {"tenant": tenant, "actor": "ann"}
