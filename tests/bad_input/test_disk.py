"""A disk that is full, or turns read-only, in the middle of a load: told, nothing half done, and a new run goes on."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from examples.retail.load import load

from freehold.errors import CommitUnknown, ConnectionLost, ServerDown, ServerFull
from freehold.events import Event
from freehold.servers.owned import OwnedServer
from freehold.testing.database import create_database
from tests.bad_input.retail import BATCH, LINES, connected, finish
from tests.examples.lines import cut
from tests.examples.shop import Shop, build

MIB = 1024 * 1024

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="no disk of its own: only root may mount one")


@dataclass(frozen=True)
class Disk:
    """A small file system in memory."""

    path: Path

    @property
    def free(self) -> int:
        """Free bytes."""
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize

    def leave(self, size: int) -> None:
        """Fill it up to so many free bytes, as another program's file would."""
        with (self.path / "filler").open("wb") as file:
            while (rest := self.free - size) > 0:
                file.write(bytes(min(rest, MIB)))
                file.flush()

    def empty(self) -> None:
        """Take that file away."""
        (self.path / "filler").unlink()

    def remount(self, how: str) -> None:
        """``ro`` or ``rw``."""
        subprocess.run(["mount", "-o", f"remount,{how}", str(self.path)], check=True)


@pytest.fixture
def disk(own_server: OwnedServer) -> Iterator[Disk]:
    path = own_server.data_directory.parent / "disk"
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m,mode=0700", "tmpfs", str(path)], check=True)
    os.chown(path, own_server.account.uid, own_server.account.gid)
    yield Disk(path)
    own_server.stop(mode="immediate")
    subprocess.run(["umount", str(path)], check=True)


@pytest.fixture
def shop(own_server: OwnedServer, disk: Disk, tmp_path: Path) -> Shop:
    """The layer, its tables on the small disk."""
    space = disk.path / "space"
    space.mkdir(mode=0o700)
    os.chown(space, own_server.account.uid, own_server.account.gid)
    database = create_database(own_server, "shop")
    with own_server.connect(autocommit=True) as connection:
        connection.execute(f"CREATE TABLESPACE small LOCATION '{space}'".encode())
        connection.execute("ALTER DATABASE shop SET default_tablespace = small")
    return build(database, "shop", tmp_path)


def once(action: Callable[[], None]) -> Callable[[Event], None]:
    """A listener that acts at the first event."""
    waiting = [action]

    def act(event: Event) -> None:
        if waiting:
            waiting.pop()()

    return act


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
