"""Freehold's own settings file, ``freehold.conf``, which ``postgresql.conf`` of an owned server includes last."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from freehold.servers.account import Account

Value = str | int | bool | float
Settings = Mapping[str, Value]

FILE = "freehold.conf"
INCLUDE = f"include_if_exists = '{FILE}'"
HEADING = "# Written by Freehold at every start. What ALTER SYSTEM sets comes after it."
OWN: Settings = {
    "listen_addresses": "127.0.0.1",
    "password_encryption": "scram-sha-256",
    "wal_level": "replica",
    "logging_collector": False,
    "timezone": "UTC",
    "log_timezone": "UTC",
}


def write_settings(data_directory: Path, settings: Settings, account: Account) -> None:
    """Replace Freehold's settings of a data directory, and have ``postgresql.conf`` include them."""
    lines = [f"{name} = {quoted(value)}" for name, value in settings.items()]
    account.write_secret(data_directory / FILE, "\n".join([HEADING, *lines, ""]))
    main = data_directory / "postgresql.conf"
    text = main.read_text()
    if INCLUDE not in text.splitlines():
        account.write_secret(main, f"{text.rstrip()}\n{INCLUDE}\n")


def quoted(value: Value) -> str:
    """A value as postgresql.conf writes it: in quotes, with quotes and backslashes doubled."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return "'" + str(value).replace("\\", "\\\\").replace("'", "''") + "'"


def last_port(data_directory: Path) -> int | None:
    """The port of the last start, so that a server keeps its URL."""
    try:
        text = (data_directory / FILE).read_text()
    except FileNotFoundError:
        return None
    found = re.search(r"^port = '(\d+)'$", text, re.MULTILINE)
    return int(found.group(1)) if found else None
