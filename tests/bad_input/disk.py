"""A small disk of the test's own, a database whose tables lie on it, and a moment at which to fill it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from freehold.events import Event
from freehold.servers.owned import OwnedServer
from freehold.testing.database import Database, create_database

MIB = 1024 * 1024
needs_disk = pytest.mark.skipif(os.geteuid() != 0, reason="no disk of its own: only root may mount one")


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


@contextmanager
def small_disk(server: OwnedServer) -> Iterator[Disk]:
    """A disk beside the server's data, of the server's account."""
    path = server.data_directory.parent / "disk"
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m,mode=0700", "tmpfs", str(path)], check=True)
    os.chown(path, server.account.uid, server.account.gid)
    yield Disk(path)
    server.stop(mode="immediate")
    subprocess.run(["umount", str(path)], check=True)


def small_space(server: OwnedServer, disk: Disk, name: str) -> Database:
    """A database whose tables lie on the disk."""
    space = disk.path / "space"
    space.mkdir(mode=0o700)
    os.chown(space, server.account.uid, server.account.gid)
    database = create_database(server, name)
    with server.connect(autocommit=True) as connection:
        connection.execute(f"CREATE TABLESPACE small LOCATION '{space}'".encode())
        connection.execute(f"ALTER DATABASE {name} SET default_tablespace = small".encode())
    return database


def once(action: Callable[[], None], when: Callable[[Event], bool] = lambda event: True) -> Callable[[Event], None]:
    """A listener that acts at the first event of a kind, and not again."""
    waiting = [action]

    def act(event: Event) -> None:
        if waiting and when(event):
            waiting.pop()()

    return act
