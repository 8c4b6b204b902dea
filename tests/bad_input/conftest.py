"""A project that is applied once a server; each test gets a copy of its folder and its database."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from freehold import Database
from freehold.servers.binaries import Binaries, find_embedded
from freehold.servers.owned import OwnedServer
from freehold.testing.database import create_database, drop_leftovers, fresh_database
from freehold.testing.servers import EMBEDDED_MAJOR, Servers
from tests.bad_input.disk import Disk, small_disk
from tests.bad_input.ground import NO_DATABASE, Ground, begin, copied
from tests.bad_input.retail import LINES, finish
from tests.cli.command import Command
from tests.examples.lines import cut
from tests.examples.shop import build


@dataclass
class Projects:
    """The project applied once a server."""

    folder: Path
    made: dict[int, tuple[OwnedServer, str]] = field(default_factory=dict)

    def name(self, server: OwnedServer) -> str:
        """The name of the layer, and of the database that holds it."""
        key = id(server)
        if key not in self.made:
            name = f"b{secrets.token_hex(3)}"
            self.made[key] = (server, name)
            begin(self.folder, name, create_database(server, name))
        return self.made[key][1]

    def close(self) -> None:
        """Drop them and their roles."""
        for server, name in self.made.values():
            drop_leftovers(server, name)


@pytest.fixture(scope="session")
def projects(servers: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Projects]:
    """Projects by server; ``servers`` is asked for so that they outlive this."""
    made = Projects(tmp_path_factory.mktemp("projects"))
    yield made
    made.close()


@pytest.fixture
def ground(
    server: OwnedServer, binaries: Binaries, projects: Projects, layer_name: str, tmp_path: Path
) -> Iterator[Ground]:
    """A project with a database of its own. Its roles are shared with other tests: leave them as they are."""
    name = projects.name(server)
    with fresh_database(server, layer_name, template=name) as database:
        made = Ground(name, copied(projects.folder, name, tmp_path), database, binaries)
        # A copied database has none of the original's own privileges.
        applied = made.command("apply", "--yes", "--allow-weaker-guard", "a test", "--approved-by", "somebody")
        assert applied.status == 0, applied.err
        yield made


@pytest.fixture(scope="session")
def undisturbed(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Any]]:
    """What a load without any trouble leaves; the same on every version."""
    server, name, folder = servers.server(EMBEDDED_MAJOR), f"b{secrets.token_hex(3)}", tmp_path_factory.mktemp("calm")
    shop = build(create_database(server, name), name, folder)
    finish(shop, cut(folder / "lines.parquet", LINES))
    yield shop.contents()
    drop_leftovers(server, name)


@pytest.fixture
def unserved(tmp_path: Path) -> Ground:
    """A project that was never applied, at an address where no server is: what is refused there asked none."""
    told = Command(tmp_path)("init", "shop")
    assert told.status == 0, told.err
    return Ground("shop", tmp_path / "shop", NO_DATABASE, find_embedded())


@pytest.fixture
def bare(tmp_path: Path) -> Command:
    """The command in an empty folder, with no server named."""
    return Command(tmp_path)


@pytest.fixture
def connect(ground: Ground) -> Iterator[Callable[..., Database]]:
    """The application's way in, closed at the end."""
    opened: list[Database] = []

    def make(url: str = "", **options: Any) -> Database:
        opened.append(ground.layer().connect(url or ground.url, **{"keys": ground.keys, **options}))
        return opened[-1]

    yield make
    for each in opened:
        each.dispose()


@pytest.fixture
def disk(own_server: OwnedServer) -> Iterator[Disk]:
    """A small disk that the test's own server may use."""
    with small_disk(own_server) as made:
        yield made
