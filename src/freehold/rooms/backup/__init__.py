"""The room *backup*: base backups, a WAL archive, and the drill that restores them."""

from freehold.kernel.room import Phase, Room
from freehold.rooms.backup.archive import archive_now, archive_settings, repository_of
from freehold.rooms.backup.base import take_base_backup
from freehold.rooms.backup.compile import compile_backup, scope_backup
from freehold.rooms.backup.declare import Backup
from freehold.rooms.backup.drill import Ground, restore_drills
from freehold.rooms.backup.restore import Restored, Target, restored
from freehold.rooms.backup.store import BaseBackup, Repository

ROOM = Room(
    name="backup",
    phase=Phase.OPERATE,
    declaration=Backup,
    compile=compile_backup,
    scope=scope_backup,
    drills=restore_drills,
    single=True,
)

__all__ = [
    "ROOM",
    "Backup",
    "BaseBackup",
    "Ground",
    "Repository",
    "Restored",
    "Target",
    "archive_now",
    "archive_settings",
    "repository_of",
    "restored",
    "take_base_backup",
]
