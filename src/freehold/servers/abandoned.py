"""Remove disposable servers whose Python process was killed before it could."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

from freehold.servers.account import Account
from freehold.servers.places import PREFIX
from freehold.servers.postmaster import processes_in, start_time, wait_until_gone

OWNER_FILE = "owner"


def mark(home: Path, account: Account) -> None:
    """Write down which process a disposable server belongs to; the start time tells a reused process id apart."""
    pid = os.getpid()
    account.write_secret(home / OWNER_FILE, f"{pid} {start_time(pid)}\n")


def sweep(account: Account, parents: set[Path]) -> list[Path]:
    """Kill the servers of processes that are gone, remove their directories, and give the directories' names."""
    homes = [home for parent in parents for home in parent.glob(f"{PREFIX}pg*") if _is_abandoned(home, account)]
    for home in homes:
        _kill(home / "data", account)
        remove_tree(home)
    return homes


def remove_tree(directory: Path) -> None:
    """Delete a directory; rm does not follow a link that is swapped in while it works, which matters to root."""
    subprocess.run(["rm", "-rf", "--", str(directory)], check=True)  # noqa: S607 -- rm is where PATH says


def _is_abandoned(home: Path, account: Account) -> bool:
    try:
        if home.lstat().st_uid != account.uid:
            return False
        pid, started = (home / OWNER_FILE).read_text().split()
    except (FileNotFoundError, NotADirectoryError, PermissionError, ValueError):
        return False
    return start_time(int(pid)) != started


def _kill(data_directory: Path, account: Account) -> None:
    """Only the account's own processes: the directory is the account's, and could be a link to anywhere."""
    for pid in processes_in(data_directory):
        try:
            if Path(f"/proc/{pid}").stat().st_uid == account.uid:
                os.kill(pid, signal.SIGKILL)
                wait_until_gone(pid)
        except (FileNotFoundError, ProcessLookupError):
            continue
