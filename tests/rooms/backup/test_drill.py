"""The restore drill: it holds on a sound archive, and each sabotage of backup, archive or copy turns it red."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from psycopg import sql

from freehold.errors import BackupError, DrillFailed
from freehold.events import DrillPhase, Event, ignore
from freehold.rooms.backup import Backup, Ground, Target, restored
from freehold.rooms.backup.drill import Checked, Scene, checked_by, compare, judge, set_scene
from freehold.rooms.backup.restore import Restored
from freehold.servers import Binaries

from .ground import DATABASE, DECLARATION, TABLES, archived_server, declared, make_layer

APP = "shop_app_a"


@pytest.fixture(scope="module")
def grounds() -> Iterator[Callable[[Binaries], Ground]]:
    """One server per major version for the whole file: what a test changes, it puts back."""
    made: dict[int, Ground] = {}
    with ExitStack() as stack:

        def get(binaries: Binaries) -> Ground:
            if binaries.version not in made:
                made[binaries.version] = make_layer(stack.enter_context(archived_server(binaries)))
            return made[binaries.version]

        yield get


@pytest.fixture
def ground(grounds: Callable[[Binaries], Ground], binaries: Binaries) -> Ground:
    return grounds(binaries)


def test_a_moment_is_restored_exactly_while_others_write(ground: Ground) -> None:
    (drill,) = declared().drills
    phases: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, DrillPhase):
            phases.append(event.phase)

    stop = threading.Event()
    writers = [threading.Thread(target=write, args=(ground, stop, number)) for number in range(2)]
    for writer in writers:
        writer.start()
    try:
        finding = drill.run(ground, listen)
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert finding.held, finding.reason
    assert finding.figures["rows"] > 5020
    assert finding.figures["tables"] == 4
    assert finding.figures["guarded_tables"] == len(TABLES)
    assert finding.figures["ticks_lost"] == 0
    assert finding.figures["rpo_seconds"] < DECLARATION.rpo_seconds
    assert set(finding.figures["phases"]) == {"copy", "verify", "start", "replay", "compare"}
    assert [p for p in phases if p != "verify"] == [
        "copy", "witness", "archive", "copy", "start", "replay", "compare"
    ]  # fmt: skip


def write(ground: Ground, stop: threading.Event, number: int) -> None:
    with ground.server.connect(DATABASE, autocommit=True) as connection:
        while not stop.is_set():
            connection.execute("INSERT INTO shop.entry (tenant_id, amount) VALUES (%s, 0.01)", (number + 1,))
            connection.execute("UPDATE shop.entry SET amount = amount + 1 WHERE tenant_id = %s AND id < 99", (number,))


def test_every_sabotage_of_the_copy_is_seen(ground: Ground) -> None:
    checked = replace(checked_by(DECLARATION, declared().model), attacker=APP)
    with ground.server.connect(DATABASE, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(APP)))
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA shop TO {}").format(sql.Identifier(APP)))
        connection.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA shop TO {}").format(sql.Identifier(APP)))
    scene = set_scene(checked, ground)
    target = Target(time=scene.witness.moment)
    with restored(ground.server, scene.repository, scene.backup, target) as copy:
        assert compare(checked, scene, copy, DATABASE).held
        for wound, cure, word in COPY:
            change(copy, wound)
            finding = compare(checked, scene, copy, DATABASE)
            assert not finding.held, wound
            assert word in finding.reason, f"after {wound}: {finding.reason}"
            change(copy, cure)
            assert compare(checked, scene, copy, DATABASE).held, cure


COPY = [
    (
        "ALTER TABLE shop.entry DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE shop.entry ENABLE ROW LEVEL SECURITY",
        "shop_app_a reads shop.entry in the copy without a tenant's context",
    ),
    (
        "ALTER TABLE shop.entry NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE shop.entry FORCE ROW LEVEL SECURITY",
        "row security of shop.entry is not enabled and forced in the copy",
    ),
    (
        "CREATE POLICY stranger ON shop.account USING (true)",
        "DROP POLICY stranger ON shop.account",
        "row security of shop.account is Guard",
    ),
    (
        "INSERT INTO shop.account VALUES (99, 'stranger')",
        "DELETE FROM shop.account WHERE id = 99",
        "shop.account has 21 rows in the copy, 20 live",
    ),
    (
        "UPDATE shop.account SET name = 'forged' WHERE id = 1",
        "UPDATE shop.account SET name = 'account 1' WHERE id = 1",
        "shop.account has other rows in the copy",
    ),
    (
        "UPDATE shop.entry SET amount = amount + 0.01 WHERE note = 'entry 7'",
        "UPDATE shop.entry SET amount = amount - 0.01 WHERE note = 'entry 7'",
        "shop.entry adds up to",
    ),
    (
        "UPDATE freehold.drill_tick SET tick = tick + 1 WHERE tick = 3",
        "UPDATE freehold.drill_tick SET tick = tick - 1 WHERE tick = 4",
        "recovery did not stop at",
    ),
]


def change(copy: Restored, statement: str) -> None:
    with copy.server.connect(DATABASE) as connection:
        connection.execute("SET LOCAL session_replication_role = 'replica'")
        connection.execute(statement.encode())


def test_every_sabotage_of_backup_and_archive_is_seen(ground: Ground) -> None:
    checked = checked_by(DECLARATION, declared().model)
    scene = set_scene(checked, ground)
    last = scene.repository.wal / scene.segment
    hidden = last.with_name("hidden")

    last.rename(hidden)
    with pytest.raises(BackupError, match="Recovery ended before it reached its target"):
        judge(checked, scene, ground)
    hidden.rename(last)

    damaged = flip_byte(scene)
    with pytest.raises(BackupError, match="does not fit its manifest"):
        judge(checked, scene, ground)
    flip_byte(scene)
    assert damaged.exists()

    # A copy that stops elsewhere is consistent, and wrong all the same.
    elsewhere = Target(lsn=scene.backup.stop_lsn)
    with restored(ground.server, scene.repository, scene.backup, elsewhere) as copy:
        finding = compare(checked, scene, copy, DATABASE)
    assert not finding.held
    assert "recovery did not stop at" in finding.reason

    late = replace(scene, rpo_seconds=61.0)
    strict = replace(checked, declaration=DECLARATION)
    finding = judge(strict, late, ground)
    assert not finding.held
    assert finding.reason == "a disaster could cost 61.0 s, more than the declared 1 minute"

    assert judge(checked, scene, ground).held


def flip_byte(scene: Scene) -> Path:
    """Invert the bits of one byte in the middle of the biggest file; twice is as before."""
    files = [f for f in (scene.repository.data(scene.backup) / "base").rglob("*") if f.is_file()]
    victim = max(files, key=lambda f: (f.stat().st_size, str(f)))
    with victim.open("r+b") as file:
        file.seek(victim.stat().st_size // 2)
        byte = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([byte[0] ^ 0xFF]))
    return victim


def test_an_archive_that_takes_nothing_is_a_finding(ground: Ground) -> None:
    ground.server.settings["archive_mode"] = False
    ground.server.restart()
    try:
        (drill,) = declared().drills
        finding = drill.run(ground, ignore)
    finally:
        ground.server.settings["archive_mode"] = True
        ground.server.restart()
    assert not finding.held
    assert "did not reach the archive" in finding.reason
    assert "archive_mode is off" in finding.reason


def test_a_drill_that_would_check_nothing_fails(ground: Ground) -> None:
    with pytest.raises(DrillFailed, match="no table"):
        set_scene(Checked(Backup(), tables=()), ground)
    with pytest.raises(DrillFailed, match="A table of the layer is not in the database"):
        set_scene(Checked(Backup(), tables=(("shop", "missing"),)), ground)
