"""A project whose layer is applied, what is in its database, and what a refused command must have said."""

from __future__ import annotations

import importlib
import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from freehold.layer import DataLayer
from freehold.rooms.roles.credentials import set_password
from freehold.servers import AddressServer
from freehold.servers.binaries import Binaries
from freehold.testing.database import Database
from tests.cli.command import Command

ONE = "00000000-0000-0000-0000-000000000001"
TWO = "00000000-0000-0000-0000-000000000002"
PASSWORD = "correct horse battery staple"
COULD_NOT_RUN = 2
NOWHERE = "postgresql://postgres@127.0.0.1:1/none"
NO_DATABASE = Database(AddressServer(NOWHERE), "none")

SELL = (
    "INSERT INTO {layer}.company (id, name) VALUES ('{tenant}', 'C') ON CONFLICT DO NOTHING;"
    "INSERT INTO {layer}.customer (tenant_id, name) SELECT '{tenant}', 'X' || n FROM generate_series(1, 3) n;"
    "INSERT INTO {layer}.invoice (tenant_id, customer_id, amount) SELECT tenant_id, id, 5 FROM {layer}.customer"
    " WHERE tenant_id = '{tenant}'"
)


@dataclass(frozen=True)
class Ground:
    """A project as ``freehold init`` writes it, and its database with the rows of two tenants."""

    name: str
    folder: Path
    database: Database
    binaries: Binaries

    @property
    def command(self) -> Command:
        """``freehold`` in the project's folder, as the administrator."""
        return Command(self.folder, {"FREEHOLD_URL": self.database.url()})

    @property
    def keys(self) -> Path:
        """The file of context keys."""
        return self.folder / ".freehold" / "context.keys"

    @property
    def url(self) -> str:
        """The application's URL."""
        return self.database.url(user=f"{self.name}_app_a", password=PASSWORD)

    def layer(self) -> DataLayer:
        """The project's data layer; its modules are forgotten again, as every project has modules of these names."""
        with patch.object(sys, "path", [str(self.folder), *sys.path]):
            try:
                found = importlib.import_module("layer").layer
                assert isinstance(found, DataLayer)
                assert found.declared
                return found
            finally:
                for name in ("layer", "models"):
                    sys.modules.pop(name, None)

    def write(self, file: str, old: str, new: str) -> None:
        """Change one place of a file of the project."""
        path = self.folder / file
        text = path.read_text()
        assert text.count(old) == 1, f"{old!r} is in {file} {text.count(old)} times"
        path.write_text(text.replace(old, new))

    def contents(self, *options: str) -> str:
        """Everything in the database, as pg_dump with these options writes it, and the layer's roles."""
        dump = self.binaries.program("pg_dump")
        told = self.command.run(str(dump), "-d", self.database.url(), *options)
        assert told.status == 0, told.err
        # Its newer releases put a random word into each dump, and a number once drawn is never given back.
        noise = ("\\restrict", "\\unrestrict", "SELECT pg_catalog.setval(")
        lines = [line for line in told.out.splitlines() if not line.startswith(noise)]
        with self.database.connect(autocommit=True) as connection:
            query = "SELECT rolname FROM pg_roles WHERE starts_with(rolname, %s) ORDER BY 1"
            roles = connection.execute(query, (self.name,)).fetchall()
        return "\n".join([*lines, *map(str, roles)])

    def ask(self, query: str) -> list[Any]:
        """A query as the administrator, ``{layer}`` in it standing for the schema."""
        with self.database.connect(autocommit=True) as connection:
            return connection.execute(query.replace("{layer}", self.name).encode()).fetchall()

    def run(self, statement: str) -> None:
        """A statement as the administrator, ``{layer}`` in it standing for the schema."""
        with self.database.connect(autocommit=True) as connection:
            connection.execute(statement.replace("{layer}", self.name).encode())


def fill(database: Database, layer: str) -> None:
    """Three customers and invoices for each of two tenants."""
    with database.connect(autocommit=True) as connection:
        for tenant in (ONE, TWO):
            connection.execute(SELL.format(layer=layer, tenant=tenant).encode())


def begin(folder: Path, name: str, database: Database) -> None:
    """A project made and applied by the commands a user would give."""
    told = Command(folder)("init", name)
    assert told.status == 0, told.err
    applied = Command(folder / name, {"FREEHOLD_URL": database.url()})("apply", "--yes")
    assert applied.status == 0, applied.err
    with database.connect(autocommit=True) as connection:
        set_password(connection, f"{name}_app_a", PASSWORD)
    fill(database, name)


def copied(folder: Path, name: str, place: Path) -> Path:
    """The project in a folder of the test's own."""
    return Path(shutil.copytree(folder / name, place / name))


def refusal(command: Command, *arguments: str, status: int = COULD_NOT_RUN) -> Mapping[str, str]:
    """The error that a command ends in: the same in both forms, with all that a user needs."""
    told = command(*arguments, "--json")
    assert told.status == status, (told.status, told.out, told.err)
    error: dict[str, str] = json.loads(told.err)["error"]
    assert error["message"]
    assert error["hint"], error
    shown = command(*arguments)
    assert shown.status == status, shown.err
    words = " ".join(shown.err.split())
    for part in (f"({error['code']})", error["message"], error["hint"]):
        assert " ".join(part.split()) in words, (part, words)
    return error
