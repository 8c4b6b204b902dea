"""Where Freehold keeps what a server's account must reach: data directories, caches, sockets."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from freehold.errors import ConfigError
from freehold.servers.account import Account, make_open

PREFIX = "freehold-"
ROOT_CACHE = Path("/var/cache/freehold")
ROOT_STATE = Path("/var/lib/freehold")
# PostgreSQL on Linux needs this file system anyway; containers often give it 64 MB, which is too little.
MEMORY = Path("/dev/shm")  # noqa: S108 -- mkdtemp makes a private directory in it
MEMORY_ROOM = 2 * 1024**3
# sockaddr_un holds 108 bytes with its closing zero; the file's name ".s.PGSQL.65535.lock" takes 20 of them.
SOCKET_DIRECTORY_LIMIT = 107 - 20


def reachable(wanted: Path, account: Account) -> Path:
    """The wanted directory if the account can get there, else one below ``/var/lib/freehold``.

    Root's projects often lie below ``/root``, which nobody else may enter. Freehold opens no directory that it did not
    make, so such data moves to ``/var/lib/freehold/<name>-<digest of the wanted path>``, the same at every call.
    """
    resolved = wanted.absolute()
    if account.may_enter(resolved.parent):
        return resolved
    return ROOT_STATE / f"{resolved.name}-{digest(str(resolved))}"


def cache_directory(account: Account) -> Path:
    """The directory for unpacked binaries and template data directories, which the account can enter."""
    if account.switched:
        make_open(ROOT_CACHE)
        return ROOT_CACHE
    return _user_cache(account)


def temporary_directory(account: Account, purpose: str, *, in_memory: bool = False) -> Path:
    """A new private directory of the account: in the system's temporary directory, or in memory where that has room."""
    parent = Path(tempfile.gettempdir())
    if in_memory and _has_room(MEMORY) and account.may_enter(MEMORY):
        parent = MEMORY
    elif not account.may_enter(parent):  # root's own TMPDIR
        parent = Path("/tmp")  # noqa: S108 -- mkdtemp makes a private directory in it
    directory = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{purpose}-", dir=parent))
    account.own(directory)
    return directory


def _has_room(directory: Path) -> bool:
    return directory.is_dir() and shutil.disk_usage(directory).free >= MEMORY_ROOM


def socket_directory(data_directory: Path, account: Account) -> Path:
    """A directory for the Unix socket: beside the data, or a short temporary one where that path would be too long."""
    beside = data_directory.with_name(data_directory.name + ".run")
    if len(os.fsencode(beside)) <= SOCKET_DIRECTORY_LIMIT:
        return account.make_private(beside)
    return temporary_directory(account, "run")


def digest(text: str) -> str:
    """Eight hexadecimal digits that name a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _user_cache(account: Account) -> Path:
    wanted = Path(os.environ.get("XDG_CACHE_HOME") or Path(account.home) / ".cache")
    nearest = next(path for path in (wanted, *wanted.parents) if path.exists())
    if os.access(nearest, os.W_OK | os.X_OK):
        make_open(wanted / "freehold")
        return wanted / "freehold"
    return _shared_place(Path(tempfile.gettempdir()) / f"freehold-{account.uid}", account)


def _shared_place(directory: Path, account: Account) -> Path:
    """A directory where others could have made one of the same name first: it must be the account's own."""
    directory.mkdir(mode=0o700, exist_ok=True)
    if directory.is_symlink() or directory.stat().st_uid != account.uid:
        raise ConfigError(
            f"{directory} belongs to somebody else, so nothing is kept there.",
            hint="Set XDG_CACHE_HOME to a directory of your own.",
        )
    return directory
