"""The audit room: who did what, in the same transaction, sealed so that whoever alters it afterwards is found out."""

from freehold.kernel.room import Phase, Room
from freehold.rooms.audit.compile import compile_audit, scope_audit
from freehold.rooms.audit.declare import Audit
from freehold.rooms.audit.probes import probe_audit

ROOM = Room(
    name="audit",
    phase=Phase.SHAPE,
    declaration=Audit,
    compile=compile_audit,
    scope=scope_audit,
    probes=probe_audit,
    single=True,
)

__all__ = ["ROOM", "Audit"]
