"""The versions room: no known defect of the server makes a declared promise false, unless it is accepted by name."""

from freehold.kernel.room import Phase, Room
from freehold.rooms.versions.compile import compile_versions
from freehold.rooms.versions.declare import Versions
from freehold.rooms.versions.probes import probe_versions

ROOM = Room(
    name="versions",
    phase=Phase.OPERATE,
    declaration=Versions,
    compile=compile_versions,
    probes=probe_versions,
    single=True,
)

__all__ = ["ROOM", "Versions"]
