"""The constraints room: rules over several rows or versions of a row, kept by the database under concurrency."""

from freehold.kernel.room import Phase, Room
from freehold.rooms.constraints.compile import compile_constraints, scope_constraints
from freehold.rooms.constraints.declare import Balanced, Limit, NoOverlap, Rule, StateMachine
from freehold.rooms.constraints.declare_derived import Counter, Derived
from freehold.rooms.constraints.probes import probe_constraints
from freehold.rooms.constraints.runtime import Rebuilt, rebuild

ROOM = Room(
    name="constraints",
    phase=Phase.SHAPE,
    declaration=Rule,
    compile=compile_constraints,
    scope=scope_constraints,
    probes=probe_constraints,
)

__all__ = ["ROOM", "Balanced", "Counter", "Derived", "Limit", "NoOverlap", "Rebuilt", "Rule", "StateMachine", "rebuild"]
