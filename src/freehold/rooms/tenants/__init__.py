"""Tenants as a unit: one is exported, imported, erased, restored and cloned; the law's rows stay."""

from freehold.kernel.room import Phase, Room
from freehold.rooms.tenants.compile import compile_tenants
from freehold.rooms.tenants.declare import LegalHold, Mask, Masked, TenantRule
from freehold.rooms.tenants.probes import probe_tenants

ROOM = Room(
    name="tenants",
    phase=Phase.SHAPE,
    declaration=TenantRule,
    compile=compile_tenants,
    probes=probe_tenants,
)

__all__ = ["ROOM", "LegalHold", "Mask", "Masked", "TenantRule"]
