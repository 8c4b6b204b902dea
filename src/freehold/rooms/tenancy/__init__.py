"""The tenancy room: every row of a tenant's table is seen and written under that tenant's signed context alone."""

from freehold.kernel.room import Phase, Room
from freehold.rooms.tenancy.classify import classify
from freehold.rooms.tenancy.compile import compile_tenancy
from freehold.rooms.tenancy.declare import Canaries, Tenancy, tenant_foreign_key, tenant_unique
from freehold.rooms.tenancy.probes import probes
from freehold.rooms.tenancy.scope import scope

ROOM = Room(
    name="tenancy",
    phase=Phase.GUARD,
    declaration=Tenancy,
    compile=compile_tenancy,
    scope=scope,
    probes=probes,
    classify=classify,
    single=True,
)

__all__ = ["ROOM", "Canaries", "Tenancy", "tenant_foreign_key", "tenant_unique"]
