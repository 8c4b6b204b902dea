"""The worked example's layer on a database of the test's own, and its ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import psycopg
import pytest
from examples.retail.layer import DECLARATIONS
from examples.retail.models import Base
from psycopg import sql

from freehold import DataLayer
from freehold.isolation import Entry, Ledger, Standing, read_ledger
from freehold.kernel.compile import Declared
from freehold.operations import apply_layer
from freehold.servers import OwnedServer
from freehold.testing.database import Database as TestDatabase
from freehold.testing.database import create_database, drop_leftovers, fresh_database
from tests.isolation.rows import fill

NAME = "ledger"
LAYER = DataLayer(Base.metadata, *DECLARATIONS, name=NAME)


class Retail(NamedTuple):
    """The example with the rows of two tenants, and its administrator."""

    database: TestDatabase
    connection: psycopg.Connection[Any]
    declared: Declared = LAYER.declared

    def run(self, *statements: str) -> None:
        """Statements of the administrator; ``{app}`` and the like are the layer's roles."""
        roles = {"app": sql.Identifier(f"{NAME}_app_a")} | {
            purpose: sql.Identifier(f"{NAME}_{purpose}") for purpose in ("rw", "ro", "owner")
        }
        for statement in statements:
            self.connection.execute(sql.SQL(statement).format(**roles))

    def ledger(self, accepted: Mapping[str, str] | None = None) -> Ledger:
        """The ledger now; roles that other tests leave in the cluster are not of this layer."""
        found = read_ledger(self.connection, self.declared, accepted=accepted or {})
        mine = tuple(entry for entry in found.entries if not _foreign(entry))
        return Ledger(mine, found.promises, found.seconds)

    def failing(self) -> list[str]:
        """The lines that fail: standing, exit and roles."""
        return [
            f"{each.standing} {each.exit}: {', '.join(each.roles)}: {each.reason}" for each in self.ledger().failing
        ]

    def line(self, exit_: str, role: str) -> Entry:
        """The line of one role at one exit."""
        return next(each for each in self.ledger().entries if each.exit == exit_ and role in each.roles)


def _foreign(entry: Entry) -> bool:
    known = entry.exit.startswith((f"role {NAME}_", "role public")) or NAME in entry.reason
    return entry.kind == "role" and entry.standing is Standing.UNKNOWN and not known


@pytest.fixture(scope="session")
def retail_templates() -> dict[int, str]:
    """The database that tests copy, by the port of its server; the servers are the process's, and go with it."""
    return {}


@pytest.fixture
def retail(server: OwnedServer, retail_templates: dict[int, str], layer_name: str) -> Iterator[Retail]:
    """A copy of the example's database."""
    if server.port not in retail_templates:
        drop_leftovers(server, f"{NAME}_")
        template = create_database(server, f"{NAME}_template")
        with template.connect(autocommit=True) as connection:
            _apply(connection)
            fill(connection)
        retail_templates[server.port] = template.name
    template_name = retail_templates[server.port]
    with (
        fresh_database(server, layer_name, template=template_name) as database,
        database.connect(autocommit=True) as connection,
    ):
        _apply(connection)
        yield Retail(database, connection)


def _apply(connection: psycopg.Connection[Any]) -> None:
    apply_layer(connection, LAYER.declared, weaker_guard="a test")
