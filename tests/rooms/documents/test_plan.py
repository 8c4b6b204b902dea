"""The planner makes the room's objects, over live rows too, and finds nothing to do once they are there."""

from __future__ import annotations

import pytest

from freehold.errors import DataViolates, FreeholdError
from freehold.kernel.compile import compile_layer
from freehold.kernel.declare import Declarations
from freehold.operations import apply_layer, plan_layer
from freehold.rooms.roles import ROOM as ROLES
from freehold.rooms.roles import Roles
from freehold.rooms.tenancy import ROOM as TENANCY
from freehold.rooms.tenancy import Tenancy
from freehold.testing.database import Database

from .layer import Base, Catalogue, Company, layer


def test_a_second_plan_is_empty(database: Database, layer_name: str) -> None:
    declared = layer(layer_name)
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, declared)
        assert [step.change.title for step in plan_layer(connection, declared).steps] == []


def test_documents_that_were_there_before_are_judged(database: Database, layer_name: str) -> None:
    items = (Tenancy(Company, shared=[Catalogue]), Roles())
    bare = compile_layer(Declarations(metadata=Base.metadata, items=items, name=layer_name), [TENANCY, ROLES])
    declared = layer(layer_name)
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, bare)
        connection.execute("""INSERT INTO shop.catalogue VALUES (1, '{"nom": "a"}'), (2, '{"name": "b"}'), (3, NULL)""")
        # The function that judges comes with this plan, so that the server finds the row; the next plan counts it.
        with pytest.raises(FreeholdError) as met:
            apply_layer(connection, declared, weaker_guard="a test")
        assert "nom" not in str(met.value)
        with pytest.raises(DataViolates) as caught:
            apply_layer(connection, declared, weaker_guard="a test")
        assert ": 1 rows" in caught.value.detail
        connection.execute("DELETE FROM shop.catalogue WHERE id = 1")
        apply_layer(connection, declared, weaker_guard="a test")
        assert plan_layer(connection, declared).steps == ()
