"""Attacks on the promise that no tenant reaches another's rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from freehold.kernel.model import Model
from freehold.kernel.room import Probe
from freehold.rooms.tenancy.bypasses import bypass_probes
from freehold.rooms.tenancy.catalog_probes import catalog_probes
from freehold.rooms.tenancy.context_probes import context_probes
from freehold.rooms.tenancy.declare import Tenancy
from freehold.rooms.tenancy.table_probes import table_probes


def probes(declaration: Tenancy, model: Model) -> Iterator[Probe]:
    """Every attack of the room: on each table, on the context, in the catalog, and by ways past the guard."""
    yield from catalog_probes(model)
    for probe in (*table_probes(model), *context_probes(model), *bypass_probes(model)):
        reason = model.table(*probe.rows_in[:2]).facts.log_only if probe.rows_in else ""
        yield replace(probe, withheld=f"the guard only logs: {reason}") if reason else probe
