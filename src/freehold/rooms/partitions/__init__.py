"""The partitions room: tables cut by time or by tenant, whose periods are made ahead and retired after their time."""

from freehold.kernel.room import Phase, Room
from freehold.rooms.partitions.compile import compile_partitions, scope_partitions
from freehold.rooms.partitions.declare import Partitioned
from freehold.rooms.partitions.probes import probe_partitions

ROOM = Room(
    name="partitions",
    phase=Phase.CUT,
    declaration=Partitioned,
    compile=compile_partitions,
    scope=scope_partitions,
    probes=probe_partitions,
)

__all__ = ["ROOM", "Partitioned"]
