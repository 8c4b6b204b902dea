"""The reports room: the answer of a query kept in a guarded table, refreshed in one transaction, with its age."""

from freehold.kernel.room import Phase, Room
from freehold.rooms.reports.compile import compile_report, scope_report
from freehold.rooms.reports.declare import Report
from freehold.rooms.reports.probes import probe_report
from freehold.rooms.reports.runtime import Answer, read_report, refresh_all, refresh_report

ROOM = Room(
    name="reports",
    phase=Phase.SHAPE,
    declaration=Report,
    compile=compile_report,
    scope=scope_report,
    probes=probe_report,
)

__all__ = ["ROOM", "Answer", "Report", "read_report", "refresh_all", "refresh_report"]
