"""The drill: restore a fresh backup to a moment just passed, and compare the copy with what was there."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from freehold.errors import BackupError, DrillFailed, ServerError
from freehold.events import DrillPhase, Listener, ignore
from freehold.kernel.model import Model
from freehold.kernel.objects import Key
from freehold.kernel.observe import Connection
from freehold.kernel.room import Drill, Finding
from freehold.rooms.backup.archive import archive_now, repository_of
from freehold.rooms.backup.base import take_base_backup
from freehold.rooms.backup.compile import SCHEMA, TICKS
from freehold.rooms.backup.declare import Backup
from freehold.rooms.backup.reads import read_all, read_one, run
from freehold.rooms.backup.restore import Restored, Target, restored
from freehold.rooms.backup.store import BaseBackup, Repository
from freehold.rooms.backup.witness import TableName, Witness, differences, exposed, take_witness
from freehold.servers.owned import OwnedServer

NAME = "restore"
BEFORE, AFTER = (1, 2, 3), (4, 5, 6)
"""Ticks committed before and after the target, one transaction each."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What a drill stands on: a running server that Freehold owns, and the layer's database on it."""

    server: OwnedServer
    database: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What the drill answers for.

    ``guarded`` are the tables of tenants; ``attacker`` is the application's login, empty in a layer without one.
    """

    declaration: Backup
    tables: tuple[TableName, ...]
    guarded: tuple[TableName, ...] = ()
    attacker: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """A backup, a moment after it, what was there at that moment, and the archive that reaches beyond it."""

    drill: uuid.UUID
    repository: Repository
    backup: BaseBackup
    witness: Witness
    segment: str
    archive_seconds: float
    rpo_seconds: float


def restore_drills(declaration: Backup, model: Model) -> Iterator[Drill]:
    """The room's drills."""
    yield Drill(
        name=NAME,
        promise=f"a chosen moment is restored exactly, and a disaster costs at most {declaration.rpo}",
        subject=Key("database", (model.layer,)),
        run=partial(_run, checked_by(declaration, model)),
    )


def checked_by(declaration: Backup, model: Model) -> Checked:
    """Every table of the layer; partitions are counted with their parent, and guarded by themselves."""
    app = model.role("app_a")
    return Checked(
        declaration,
        tables=tuple((t.schema, t.table) for t in model.tables if not t.parent and t.table != TICKS),
        guarded=tuple((t.schema, t.table) for t in model.tables if t.facts.tenant_column),
        attacker=app if Key("role", (app,)) in model.objects else "",
    )


def _run(checked: Checked, ground: Ground, listener: Listener) -> Finding:
    """The whole drill; what a backup or a server fails in is its finding."""
    try:
        scene = set_scene(checked, ground, listener)
        finding = judge(checked, scene, ground, listener)
        if finding.held:
            # Only a backup that was restored is a reason to let older ones go.
            scene.repository.expire(checked.declaration.keep_seconds, scene.backup.finished)
        return finding
    except DrillFailed:
        raise
    except (BackupError, ServerError) as error:
        return Finding(held=False, reason=str(error))


def set_scene(checked: Checked, ground: Ground, listener: Listener = ignore) -> Scene:
    """Take a backup, mark a moment, write on after it, and see all of it archived.

    Raises
    ------
    DrillFailed
        There is nothing to check, or the layer is not applied.
    BackupError
        The backup could not be taken, or its WAL did not reach the archive.
    """
    if not checked.tables:
        raise DrillFailed(
            "The layer has no table, so that a restore would prove nothing",
            hint="Give the layer its tables, apply it and fill them.",
        )
    repository = repository_of(checked.declaration, ground.server.data_directory, ground.server.account)
    drill = uuid.uuid4()
    backup = take_base_backup(ground.server, repository, listener=listener)
    with ground.server.connect(ground.database, autocommit=True) as connection:
        listener(DrillPhase(NAME, "witness"))
        _tick(connection, drill, BEFORE)
        witness = take_witness(ground.server, ground.database, (*checked.tables, (SCHEMA, TICKS)), checked.guarded)
        _tick(connection, drill, AFTER)
        listener(DrillPhase(NAME, "archive"))
        segment, seconds = archive_now(connection, repository)
        (interval,) = read_one(connection, "read_archive_timeout")
        run(connection, "delete_ticks", drill=drill)
    bound = float(interval) + seconds if interval else float("inf")
    return Scene(drill, repository, backup, witness, segment, seconds, bound)


def _tick(connection: Connection, drill: uuid.UUID, ticks: tuple[int, ...]) -> None:
    for tick in ticks:
        run(connection, "insert_tick", drill=drill, tick=tick)


def judge(checked: Checked, scene: Scene, ground: Ground, listener: Listener = ignore) -> Finding:
    """Restore the scene's backup to its moment on a disposable server and compare.

    Raises
    ------
    BackupError
        The backup is damaged, or recovery did not reach the moment.
    """
    target = Target(time=scene.witness.moment)
    with restored(ground.server, scene.repository, scene.backup, target, listener=listener) as copy:
        listener(DrillPhase(NAME, "compare"))
        return compare(checked, scene, copy, ground.database)


def compare(checked: Checked, scene: Scene, copy: Restored, database: str) -> Finding:
    """Hold a restored copy against what was there."""
    started = time.monotonic()
    with copy.server.connect(database) as connection:
        ticks = read_all(connection, "list_ticks", drill=scene.drill)
        faults = [*_misses(scene, ticks), *differences(scene.witness, connection, checked.guarded)]
        if checked.attacker:
            faults += exposed(connection, checked.guarded, checked.attacker)
    faults += _too_much_lost(checked.declaration, scene)
    return Finding(
        held=not faults,
        figures=_figures(scene, copy, ticks, time.monotonic() - started),
        reason="; ".join(faults),
    )


def _misses(scene: Scene, ticks: list[tuple[int, datetime]]) -> Iterator[str]:
    """Consistent is not reached: every tick before the moment must be there, and none after it."""
    found = tuple(tick for tick, _ in ticks)
    if found != BEFORE:
        yield f"the copy holds the ticks {found}, not {BEFORE}: recovery did not stop at {scene.witness.moment}"


def _too_much_lost(declaration: Backup, scene: Scene) -> Iterator[str]:
    if scene.rpo_seconds > declaration.rpo_seconds:
        yield f"a disaster could cost {scene.rpo_seconds:.1f} s, more than the declared {declaration.rpo}"


def _figures(scene: Scene, copy: Restored, ticks: list[tuple[int, datetime]], seconds: float) -> Mapping[str, Any]:
    return {
        "target": scene.witness.moment.isoformat(),
        "backup": scene.backup.label,
        "backup_bytes": scene.backup.bytes,
        "tables": len(scene.witness.contents),
        "rows": scene.witness.rows,
        "guarded_tables": sum(guard.enabled and guard.forced for guard in scene.witness.guards.values()),
        "ticks_lost": len(BEFORE) - len(ticks),
        "last_segment": scene.segment,
        "rpo_seconds": round(scene.rpo_seconds, 3),
        "rto_seconds": round(copy.rto_seconds, 3),
        "phases": {name: round(each, 3) for name, each in {**copy.seconds, "compare": seconds}.items()},
    }
