"""Valid time: for which period a row holds in the world; one at a time for one key."""

from freehold.kernel.room import Phase, Room
from freehold.rooms.valid_time.compile import compile_valid_time
from freehold.rooms.valid_time.declare import ValidTime
from freehold.rooms.valid_time.probes import probe_valid_time
from freehold.rooms.valid_time.runtime import set_between, set_from, valid_at

ROOM = Room(
    name="valid_time",
    phase=Phase.SHAPE,
    declaration=ValidTime,
    compile=compile_valid_time,
    probes=probe_valid_time,
)

__all__ = ["ROOM", "ValidTime", "set_between", "set_from", "valid_at"]
