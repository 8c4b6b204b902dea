"""A disk that is full, or turns read-only, in the middle of a load: told, nothing half done, and a new run goes on."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from examples.retail.load import load

from freehold.errors import CommitUnknown, ConnectionLost, ServerDown, ServerFull
from freehold.servers.owned import OwnedServer
from freehold.testing.database import create_database
from tests.bad_input.disk import Disk, needs_disk, once, small_space
from tests.bad_input.retail import BATCH, LINES, connected, finish
from tests.examples.lines import cut
from tests.examples.shop import Shop, build

pytestmark = needs_disk


@pytest.fixture
def shop(own_server: OwnedServer, disk: Disk, tmp_path: Path) -> Shop:
    """The layer, its tables on the small disk."""
    return build(small_space(own_server, disk, "shop"), "shop", tmp_path)


def test_full(shop: Shop, disk: Disk, undisturbed: list[object], tmp_path: Path) -> None:
    file = cut(tmp_path / "lines.parquet", LINES)
    with connected(shop) as db, pytest.raises(ServerFull, match="53100") as caught:
        load(db, file, once(lambda: disk.leave(0)), BATCH)
    assert "Free space" in caught.value.hint
    assert shop.ask("SELECT count(DISTINCT batch_no) FROM retail.load_batch")[0][0] >= 1
    disk.empty()
    finish(shop, file)
    assert shop.contents() == undisturbed


def test_read_only(shop: Shop, own_server: OwnedServer, disk: Disk, undisturbed: list[object], tmp_path: Path) -> None:
    file = cut(tmp_path / "lines.parquet", LINES)
    # Only while no file on it is open for writing may a disk turn read-only, so the server is restarted meanwhile.

    def turn() -> None:
        own_server.stop()
        disk.remount("ro")
        own_server.start()

    own_server.restart()  # from now on it keeps its port
    with connected(shop, pool_pre_ping=True) as db, pytest.raises(ServerFull) as caught:
        load(db, file, once(turn), BATCH)
    assert "read-only" in caught.value.hint
    own_server.stop()
    disk.remount("rw")
    own_server.start()
    finish(shop, file)
    assert shop.contents() == undisturbed


def test_full_where_the_log_lies(own_server: OwnedServer, disk: Disk, tmp_path: Path) -> None:
    """Without room for its log PostgreSQL stops; what was committed is there when it starts again."""
    own_server.stop()
    log = own_server.data_directory / "pg_wal"
    subprocess.run(["cp", "-a", str(log), str(disk.path)], check=True)
    log.rename(log.with_name("old_wal"))
    log.symlink_to(disk.path / "pg_wal")
    own_server.start()
    shop = build(create_database(own_server, "shop"), "shop", tmp_path)
    file = cut(tmp_path / "lines.parquet", LINES)

    def fill() -> None:
        disk.leave(0)
        shop.ask("SELECT pg_switch_wal()")

    # The server may stop in the middle of a COMMIT, of which nothing is known then.
    with connected(shop) as db, pytest.raises((ConnectionLost, ServerDown, ServerFull, CommitUnknown)):
        load(db, file, once(fill), BATCH)
    own_server.kill()
    disk.empty()
    own_server.start()
    finish(shop, file)
