"""The outcomes room: what became of a keyed transaction, kept in the transaction itself, and where the server is."""

from freehold.kernel.room import Phase, Room
from freehold.rooms.outcomes.compile import compile_outcomes, scope_outcomes
from freehold.rooms.outcomes.declare import Outcomes
from freehold.rooms.outcomes.probes import probe_outcomes

ROOM = Room(
    name="outcomes",
    phase=Phase.SHAPE,
    declaration=Outcomes,
    compile=compile_outcomes,
    scope=scope_outcomes,
    probes=probe_outcomes,
    single=True,
)

__all__ = ["ROOM", "Outcomes"]
