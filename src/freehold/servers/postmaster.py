"""Read ``postmaster.pid``, where a running server writes what it is and how to reach it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ENDED = ("", "Z", "X")


@dataclass(frozen=True, slots=True)
class Postmaster:
    """The main process of a running server."""

    pid: int
    port: int
    socket_directory: Path | None


def find_postmaster(data_directory: Path) -> Postmaster | None:
    """The live server of this data directory, or None; a stale file of a killed server is not believed."""
    try:
        lines = (data_directory / "postmaster.pid").read_text().splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if len(lines) < 6 or not _runs_in(int(lines[0]), data_directory):
        return None
    directory = lines[4].strip()
    return Postmaster(int(lines[0]), int(lines[3]), Path(directory) if directory else None)


def _runs_in(pid: int, data_directory: Path) -> bool:
    """Whether the process lives and works in the directory: a postmaster's working directory is its data directory."""
    try:
        return Path(os.readlink(f"/proc/{pid}/cwd")) == data_directory.resolve()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False


def wait_until_gone(pid: int, timeout: float = 30.0) -> bool:
    """Wait for a process to end; a zombie that its parent has not reaped counts as ended."""
    return _wait(lambda: _state(pid) in ENDED, timeout)


def clear_stale_file(data_directory: Path, timeout: float = 5.0) -> None:
    """Let a server start again whose killed postmaster is still a zombie.

    PostgreSQL takes a process id that answers for a running server, and in a container process 1 may reap late or
    never. The file is removed only when the process stays a zombie and no other process works in the directory.
    """
    file = data_directory / "postmaster.pid"
    try:
        pid = int(file.read_text().split(maxsplit=1)[0])
    except (FileNotFoundError, IndexError, ValueError):
        return
    if _state(pid) == "Z" and not _wait(lambda: _state(pid) != "Z", timeout) and not processes_in(data_directory):
        file.unlink()


def _wait(condition: Callable[[], bool], timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def start_time(pid: int) -> str:
    """When a process began, in clock ticks since the machine's start; "" when there is no such process."""
    fields = _stat(pid)
    return fields[19] if fields else ""


def _state(pid: int) -> str:
    """The process's state letter as in ps, or "" when there is no such process."""
    fields = _stat(pid)
    return fields[0] if fields else ""


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat from the third on: the second is a name in parentheses that may hold anything."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return text.rpartition(")")[2].split()


def processes_in(data_directory: Path) -> list[int]:
    """All processes that work in the directory: the postmaster, its backends, and the commands they run."""
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [pid for pid in pids if _runs_in(pid, data_directory)]
