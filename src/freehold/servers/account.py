"""The operating system's account that runs a server, since PostgreSQL refuses to run as root."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO, TypedDict

from freehold.errors import ServerNotStarted

DEBIAN_ACCOUNT = "postgres"
OWN_ACCOUNT = "freehold"


class ProcessOptions(TypedDict, total=False):
    """What ``subprocess`` needs to start a process as another user."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Account:
    """Who runs the servers: the caller, or an unprivileged user when the caller is root."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str
    switched: bool

    def process_options(self) -> ProcessOptions:
        """Keyword arguments for ``subprocess.run``; empty when no switch is needed."""
        if not self.switched:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": list(self.groups)}

    def environment(self) -> dict[str, str]:
        """The caller's environment without its libpq settings, which would redirect PostgreSQL's own tools."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        return {**kept, "HOME": self.home, "USER": self.name, "LOGNAME": self.name}

    def may_enter(self, directory: Path) -> bool:
        """Whether the account can traverse every existing directory from the root down to this one."""
        return all(
            self._has_execute(parent) for parent in (directory, *directory.parents) if _exists_as_directory(parent)
        )

    def _has_execute(self, directory: Path) -> bool:
        found = directory.stat()
        if found.st_uid == self.uid:
            return bool(found.st_mode & stat.S_IXUSR)
        if found.st_gid in (self.gid, *self.groups):
            return bool(found.st_mode & stat.S_IXGRP)
        return bool(found.st_mode & stat.S_IXOTH)

    def own(self, path: Path) -> None:
        """Hand a file or directory that Freehold made to the account."""
        if self.switched:
            os.chown(path, self.uid, self.gid)

    def make_private(self, directory: Path) -> Path:
        """Make a directory only the account may enter; its new parents may be entered by everybody.

        A directory that is already there keeps its mode.
        """
        make_open(directory.parent)
        if not directory.exists():
            directory.mkdir(mode=0o700)
            self.own(directory)
        return directory

    def write_secret(self, path: Path, text: str) -> None:
        """Write a file of mode 0600 that the account owns."""
        with open_own(path, os.O_TRUNC) as file:
            file.write(text)
            if self.switched:
                os.fchown(file.fileno(), self.uid, self.gid)


def open_own(path: Path, flags: int) -> TextIO:
    """Open a file for writing, made with mode 0600, that is no symbolic link.

    Root writes into directories of an unprivileged account; following its links would give that account root's power.
    """
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | flags, 0o600), "w")


def make_open(directory: Path) -> None:
    """Make a directory and its missing parents with mode 0755, whatever the umask; leave existing ones alone."""
    for missing in reversed([path for path in (directory, *directory.parents) if not path.exists()]):
        missing.mkdir()
        missing.chmod(0o755)


def server_account() -> Account:
    """The caller's own account, or for root ``postgres`` where it exists, else ``freehold``, which is created.

    Raises
    ------
    ServerNotStarted
        root has no unprivileged account and cannot create one.
    """
    if os.geteuid() != 0:
        return _account(pwd.getpwuid(os.geteuid()), switched=False)
    existing = _lookup(DEBIAN_ACCOUNT) or _lookup(OWN_ACCOUNT)
    return _account(existing or _create_account(), switched=True)


def account_for(data_directory: Path) -> Account:
    """For root the unprivileged owner of an existing data directory, since no other account could use it."""
    account = server_account()
    if not account.switched or not data_directory.exists() or data_directory.stat().st_uid in (0, account.uid):
        return account
    return _account(pwd.getpwuid(data_directory.stat().st_uid), switched=True)


def _account(entry: pwd.struct_passwd, *, switched: bool) -> Account:
    groups = tuple(os.getgrouplist(entry.pw_name, entry.pw_gid))
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, groups, entry.pw_dir, switched)


def _lookup(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _create_account() -> pwd.struct_passwd:
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", OWN_ACCOUNT]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise ServerNotStarted(
            "PostgreSQL refuses to run as root, and no unprivileged account could be created.",
            detail=str(getattr(error, "stderr", None) or error),
            hint=f"Run as an ordinary user, or create the account: useradd --system --user-group {OWN_ACCOUNT}",
        ) from error
    return pwd.getpwnam(OWN_ACCOUNT)


def _exists_as_directory(path: Path) -> bool:
    try:
        return path.is_dir()
    except PermissionError:
        return False
