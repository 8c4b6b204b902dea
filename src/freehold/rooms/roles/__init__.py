"""The room *roles*: who may log in, what each login may do, and that nobody may do more."""

from freehold.kernel.room import Phase, Room
from freehold.rooms.roles.compile import compile_roles, scope_roles
from freehold.rooms.roles.credentials import set_password
from freehold.rooms.roles.declare import Roles
from freehold.rooms.roles.probes import probe_roles

ROOM = Room(
    name="roles",
    phase=Phase.GUARD,
    declaration=Roles,
    compile=compile_roles,
    scope=scope_roles,
    probes=probe_roles,
    single=True,
)

__all__ = ["ROOM", "Roles", "set_password"]
