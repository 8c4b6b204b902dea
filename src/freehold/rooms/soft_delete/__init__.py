"""The soft_delete room: a deleted row is moved, can be seen and restored, and is purged after its time."""

from freehold.kernel.room import Phase, Room
from freehold.rooms.soft_delete.compile import compile_soft_delete, scope_soft_delete
from freehold.rooms.soft_delete.declare import SoftDelete
from freehold.rooms.soft_delete.probes import probe_soft_delete
from freehold.rooms.soft_delete.runtime import deleted, restore, restoring, with_deleted

ROOM = Room(
    name="soft_delete",
    phase=Phase.SHAPE,
    declaration=SoftDelete,
    compile=compile_soft_delete,
    scope=scope_soft_delete,
    probes=probe_soft_delete,
)

__all__ = ["ROOM", "SoftDelete", "deleted", "restore", "restoring", "with_deleted"]
