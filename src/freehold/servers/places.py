"""Where Freehold keeps what a server's account must reach: data directories, caches, sockets."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from freehold.servers.account import Account, make_open

ROOT_CACHE = Path("/var/cache/freehold")
ROOT_STATE = Path("/var/lib/freehold")
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
    directory = ROOT_CACHE if account.switched else _user_cache()
    make_open(directory)
    return directory


def temporary_directory(account: Account, purpose: str) -> Path:
    """A new private directory of the account in the system's temporary directory."""
    parent = tempfile.gettempdir()
    if not account.may_enter(Path(parent)):  # root's own TMPDIR
        parent = "/tmp"  # noqa: S108 -- mkdtemp makes a private directory in it
    directory = Path(tempfile.mkdtemp(prefix=f"freehold-{purpose}-", dir=parent))
    account.own(directory)
    return directory


def socket_directory(data_directory: Path, account: Account) -> Path:
    """A directory for the Unix socket: beside the data, or a short temporary one where that path would be too long."""
    beside = data_directory.with_name(data_directory.name + ".run")
    if len(os.fsencode(beside)) <= SOCKET_DIRECTORY_LIMIT:
        return account.make_private(beside)
    return temporary_directory(account, "run")


def digest(text: str) -> str:
    """Eight hexadecimal digits that name a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _user_cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "freehold"
