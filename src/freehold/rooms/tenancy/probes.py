"""Attacks on the promise that no tenant reaches another's rows."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.kernel.model import Model
from freehold.kernel.room import Probe
from freehold.rooms.tenancy.declare import Tenancy


def probes(declaration: Tenancy, model: Model) -> Iterator[Probe]:
    """Every attack of the room."""
    return iter(())
