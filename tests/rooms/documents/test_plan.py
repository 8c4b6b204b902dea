"""The planner makes the room's objects, and finds nothing to do once they are there."""

from __future__ import annotations

from freehold.operations import apply_layer, plan_layer
from freehold.testing.database import Database

from .layer import layer


def test_a_second_plan_is_empty(database: Database, layer_name: str) -> None:
    declared = layer(layer_name)
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, declared)
        assert [step.change.title for step in plan_layer(connection, declared).steps] == []
