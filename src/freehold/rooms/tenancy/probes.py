"""Attacks on the promise that no tenant reaches another's rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from freehold.kernel.model import Model
from freehold.kernel.names import qualified
from freehold.kernel.room import Probe
from freehold.rooms.tenancy.bypasses import bypass_probes
from freehold.rooms.tenancy.catalog_probes import catalog_probes
from freehold.rooms.tenancy.context_probes import context_probes
from freehold.rooms.tenancy.declare import Tenancy
from freehold.rooms.tenancy.log_only import log_only_reasons
from freehold.rooms.tenancy.table_probes import table_probes


def probes(declaration: Tenancy, model: Model) -> Iterator[Probe]:
    """Every attack of the room: on each table, on the context, in the catalog, and by ways past the guard."""
    noting = log_only_reasons(declaration, model)
    yield from catalog_probes(model, noting)
    for probe in (*table_probes(model), *context_probes(model), *bypass_probes(model)):
        reason = noting.get(qualified(*probe.rows_in[:2]), "") if probe.rows_in else ""
        yield replace(probe, withheld=f"the guard only logs: {reason}") if reason else probe
