"""The one file that lists the rooms; rooms from elsewhere come in as entry points."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from typing import Any

from freehold.kernel.room import Room
from freehold.rooms import (
    audit,
    backup,
    constraints,
    documents,
    encryption,
    history,
    outbox,
    outcomes,
    partitions,
    reports,
    roles,
    soft_delete,
    tenancy,
    tenants,
    valid_time,
    versions,
)

OWN: tuple[Room[Any], ...] = (
    partitions.ROOM,
    history.ROOM,
    soft_delete.ROOM,
    audit.ROOM,
    reports.ROOM,
    outcomes.ROOM,
    outbox.ROOM,
    constraints.ROOM,
    valid_time.ROOM,
    documents.ROOM,
    encryption.ROOM,
    tenants.ROOM,
    tenancy.ROOM,
    roles.ROOM,
    backup.ROOM,
    versions.ROOM,
)

ENTRY_POINTS = "freehold.rooms"
"""The entry point group under which another distribution offers a `Room`."""


@cache
def all_rooms() -> tuple[Room[Any], ...]:
    """Freehold's rooms, then those of other installed distributions."""
    return OWN + tuple(point.load() for point in entry_points(group=ENTRY_POINTS))
