"""All that the tenancy answers for, so that a stranger in it is seen."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.kernel.model import Model
from freehold.kernel.room import Scope
from freehold.rooms.tenancy.compile import KEY_TABLE, owned_tables
from freehold.rooms.tenancy.declare import Tenancy
from freehold.rooms.tenancy.functions import SCHEMA


def scope(declaration: Tenancy, model: Model) -> Iterator[Scope]:
    """Policies of owned tables, functions beside the verifier, and all rights on the keys and those functions."""
    for table in owned_tables(model):
        yield Scope("policy", table.name)
    yield Scope("policy", (SCHEMA, KEY_TABLE))
    yield Scope("function", (SCHEMA,))
    yield Scope("grant", ("function", SCHEMA))
    yield Scope("grant", ("table", SCHEMA, KEY_TABLE))
    yield Scope("grant", ("column", SCHEMA, KEY_TABLE))
    yield Scope("trigger", (SCHEMA, KEY_TABLE))
    yield Scope("membership", (model.role("verifier"),))
