"""The outbox room: messages written by the transaction they belong to, and relayed at least once after it committed."""

from freehold.kernel.room import Phase, Room
from freehold.rooms.outbox.compile import compile_outbox, scope_outbox
from freehold.rooms.outbox.declare import Outbox
from freehold.rooms.outbox.probes import probe_outbox

ROOM = Room(
    name="outbox",
    phase=Phase.SHAPE,
    declaration=Outbox,
    compile=compile_outbox,
    scope=scope_outbox,
    probes=probe_outbox,
    single=True,
)

__all__ = ["ROOM", "Outbox"]
