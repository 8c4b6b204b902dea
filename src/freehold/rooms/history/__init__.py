"""The history room: every version of a row, with when it was valid, who made it and who ended it."""

from freehold.kernel.room import Phase, Room
from freehold.rooms.history.changes import Change, changes_of, timeline, timeline_html
from freehold.rooms.history.compile import compile_history, scope_history
from freehold.rooms.history.declare import History
from freehold.rooms.history.probes import probe_history
from freehold.rooms.history.rewind import Rewound, rewind, rewind_all
from freehold.rooms.history.runtime import as_of, between, look_back, versions_of

ROOM = Room(
    name="history",
    phase=Phase.SHAPE,
    declaration=History,
    compile=compile_history,
    scope=scope_history,
    probes=probe_history,
)

__all__ = [
    "ROOM",
    "Change",
    "History",
    "Rewound",
    "as_of",
    "between",
    "changes_of",
    "look_back",
    "rewind",
    "rewind_all",
    "timeline",
    "timeline_html",
    "versions_of",
]
