"""Make a new data directory: checksums, UTF-8, one collation everywhere, SCRAM for socket and TCP."""

from __future__ import annotations

import secrets
import subprocess
from pathlib import Path

from freehold.errors import ServerNotStarted
from freehold.servers.account import Account
from freehold.servers.binaries import Binaries
from freehold.servers.server import SUPERUSER

# Since 17 the server has its own C.UTF-8, whose order no operating system upgrade can change.
BUILTIN_SINCE = 17


def new_password() -> str:
    """A password of 192 random bits."""
    return secrets.token_urlsafe(24)


def initialize(data_directory: Path, binaries: Binaries, account: Account, *, password: str, sync: bool = True) -> None:
    """Run initdb; the parent directory is made where missing, and nothing else outside is touched.

    Raises
    ------
    ServerNotStarted
        initdb failed; its words are the detail.
    """
    account.make_private(data_directory)
    secret = data_directory.with_name(data_directory.name + ".password")
    account.write_secret(secret, password + "\n")
    arguments = [
        f"--pgdata={data_directory}",
        f"--username={SUPERUSER}",
        f"--pwfile={secret}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--data-checksums",
        *_locale(binaries.version),
        *(() if sync else ("--no-sync",)),
    ]
    try:
        binaries.run(account, "initdb", *arguments)
    except subprocess.CalledProcessError as error:
        raise ServerNotStarted(
            f"initdb could not make {data_directory}.",
            detail=str(error.stderr).strip(),
            hint=f"The directory must be empty, and the account {account.name} must be able to write there.",
        ) from error


def _locale(version: int) -> tuple[str, ...]:
    if version >= BUILTIN_SINCE:
        return ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C.UTF-8")
    return ("--locale=C.UTF-8",)
