"""Throw-away servers and replicas for drills and tests."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg.conninfo import make_conninfo

from freehold.errors import ServerNotStarted
from freehold.servers.abandoned import mark, remove_tree, sweep
from freehold.servers.account import Account, server_account
from freehold.servers.binaries import Binaries, locked
from freehold.servers.initialize import initialize, new_password
from freehold.servers.owned import OwnedServer
from freehold.servers.places import MEMORY, cache_directory, digest, temporary_directory
from freehold.servers.settings import Settings

# What a server need not do when its data is thrown away with it.
CARELESS: Settings = {"fsync": False, "synchronous_commit": False, "full_page_writes": False, "shared_buffers": "32MB"}
# Shared memory as files of the data directory, so that a killed server leaves none behind.
IN_MEMORY: Settings = {"dynamic_shared_memory_type": "mmap"}


@contextmanager
def disposable(
    binaries: Binaries,
    *,
    settings: Settings | None = None,
    durable: bool = False,
    in_memory: bool = False,
    port: int | None = None,
) -> Iterator[OwnedServer]:
    """A new server in a temporary directory, removed at the end.

    It starts from a copy of a cached data directory instead of initdb, so all of one release share a system identifier.

    Parameters
    ----------
    durable
        With fsync and full-page writes, for a drill that pulls the plug.
    in_memory
        On ``/dev/shm`` where that has 2 GiB free: making a thousand files on a disk can take longer than all else.
    """
    account = server_account()
    chosen = {**({} if durable else CARELESS), **(IN_MEMORY if in_memory else {}), **(settings or {})}
    with _home(account, binaries.version, in_memory) as home:
        template = template_directory(binaries, account)
        _copy(template, home / "data", account)
        _copy(template.with_name(template.name + ".password"), home / "data.password", account)
        with _running(OwnedServer(home / "data", binaries, settings=chosen, port=port, account=account)) as server:
            yield server


@contextmanager
def replica_of(
    primary: OwnedServer, *, name: str = "replica", settings: Settings | None = None, port: int | None = None
) -> Iterator[OwnedServer]:
    """A streaming replica of a running server, removed at the end.

    Parameters
    ----------
    name
        Its ``application_name`` on the primary, as ``synchronous_standby_names`` and ``pg_stat_replication`` know it.
    """
    account = primary.account
    chosen = {**primary.settings, "hot_standby": True, **(settings or {})}
    with _home(account, primary.version, primary.data_directory.is_relative_to(MEMORY)) as home:
        _base_backup(primary, home / "data", name)
        replica = OwnedServer(
            home / "data",
            primary.binaries,
            settings=chosen,
            port=port,
            password=primary.password,
            account=account,
        )
        with _running(replica) as server:
            yield server


def template_directory(binaries: Binaries, account: Account) -> Path:
    """A data directory fresh from initdb in the cache, with its password beside it; made once per release."""
    name = f"template-{binaries.release}-{digest(str(binaries.bin) + account.name)}"
    target = cache_directory(account) / name
    with locked(target):
        if not (target / "complete").exists():
            _make_template(target, binaries, account)
    return target / "data"


def _make_template(target: Path, binaries: Binaries, account: Account) -> None:
    remove_tree(target)
    account.make_private(target)
    initialize(target / "data", binaries, account, password=new_password(), sync=False)
    (target / "complete").touch()


def _base_backup(primary: OwnedServer, target: Path, name: str) -> None:
    origin = make_conninfo(primary.conninfo("postgres"), dbname=None, application_name=name)
    arguments = (f"--pgdata={target}", f"--dbname={origin}", "--wal-method=stream", "--checkpoint=fast")
    try:
        primary.run("pg_basebackup", *arguments, "--write-recovery-conf", "--no-sync", "--no-manifest")
    except subprocess.CalledProcessError as error:
        raise ServerNotStarted(
            "The replica could not copy its primary.",
            detail=str(error.stderr).strip(),
            hint="The primary needs wal_level replica, a free WAL sender, and a replication entry in pg_hba.conf.",
        ) from error


@contextmanager
def _home(account: Account, major: int, in_memory: bool) -> Iterator[Path]:
    home = temporary_directory(account, f"pg{major}", in_memory=in_memory)
    mark(home, account)
    sweep(account, {home.parent, MEMORY})
    try:
        yield home
    finally:
        remove_tree(home)


@contextmanager
def _running(server: OwnedServer) -> Iterator[OwnedServer]:
    try:
        yield server.start()
    finally:
        server.stop(mode="immediate")


def _copy(source: Path, target: Path, account: Account) -> None:
    # cp shares blocks where the file system can; shutil.copytree does not.
    command = ["cp", "-a", "--reflink=auto", str(source), str(target)]
    subprocess.run(command, cwd="/", check=True, **account.process_options())
