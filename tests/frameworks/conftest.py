"""The examples' layers, applied once a server; each test gets a copy of the database."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from examples.django_shop import layer as django_layer
from examples.fastapi_shop import layer as fastapi_layer

from freehold.servers.owned import OwnedServer
from freehold.testing.database import create_database, drop_leftovers, fresh_database
from tests.frameworks.site import Built, Example, build

EXAMPLES = {
    "django": Example(django_layer.Base.metadata, django_layer.DECLARATIONS),
    "fastapi": Example(fastapi_layer.Base.metadata, fastapi_layer.DECLARATIONS),
}


class Templates:
    """One database for each example and server."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._made: dict[tuple[str, int], tuple[OwnedServer, Built]] = {}

    def built(self, server: OwnedServer, example: str) -> Built:
        """The example's layer, with two tenants and nothing else."""
        key = (example, id(server))
        if key not in self._made:
            name = f"w{secrets.token_hex(3)}"
            made = build(create_database(server, name), EXAMPLES[example], name, self._directory / f"{name}.keys")
            self._made[key] = (server, made)
        return self._made[key][1]

    def close(self) -> None:
        """Drop them and their roles."""
        for server, built in self._made.values():
            drop_leftovers(server, built.name)


@pytest.fixture(scope="session")
def templates(servers: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Templates]:
    """The examples by server; ``servers`` is asked for so that they outlive this."""
    made = Templates(tmp_path_factory.mktemp("examples"))
    yield made
    made.close()


@pytest.fixture
def django_shop(server: OwnedServer, templates: Templates, layer_name: str) -> Iterator[Built]:
    """The Django shop on a database of the test's own."""
    built = templates.built(server, "django")
    with fresh_database(server, layer_name, template=built.name) as database:
        yield replace(built, database=database)


@pytest.fixture
def fastapi_shop(server: OwnedServer, templates: Templates, layer_name: str) -> Iterator[Built]:
    """The FastAPI shop on a database of the test's own."""
    built = templates.built(server, "fastapi")
    with fresh_database(server, layer_name, template=built.name) as database:
        yield replace(built, database=database)
