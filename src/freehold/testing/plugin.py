"""The pytest plugin: servers of both major versions, a fresh database per test, replicas, PgBouncer, a killable proxy.

Register it in the top ``conftest.py`` with ``pytest_plugins = ["freehold.testing.plugin"]``, and override
``freehold_layer`` there to test on a layer of one's own.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from freehold.kernel.prove import Verdict
from freehold.layer import DataLayer
from freehold.servers.binaries import Binaries
from freehold.servers.disposable import disposable
from freehold.servers.owned import OwnedServer
from freehold.servers.pooler import Pooler
from freehold.testing.database import Database, drop_leftovers, fresh_database
from freehold.testing.layers import LayerDatabase, LayerTemplates
from freehold.testing.proxy import KillableProxy
from freehold.testing.servers import MAJORS, SETTINGS, Servers, binaries_of, missing, missing_pooler


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--pg 18`` runs the tests on one major version only."""
    parser.addoption(
        "--pg", action="append", type=int, choices=MAJORS, help="PostgreSQL major version to test on; default: all"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test that uses a server, directly or not, runs once per major version."""
    if "pg_major" in metafunc.fixturenames:
        majors = metafunc.config.getoption("--pg") or MAJORS
        metafunc.parametrize("pg_major", majors, ids=[f"pg{major}" for major in majors], indirect=True)


def pytest_unconfigure(config: pytest.Config) -> None:
    """The last line of the run names what was not tested, and why."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(config, "workerinput"):
        return
    reasons = Counter(str(report.longrepr[2]).removeprefix("Skipped: ") for report in reporter.stats.get("skipped", []))
    told = "; ".join(f"{count} tests ({reason})" for reason, count in sorted(reasons.items()))
    reporter.write_line(f"Skipped: {told or 'nothing'}.", yellow=bool(told))


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """The process's servers by major version."""
    running = Servers()
    yield running
    running.close()


@pytest.fixture
def pg_major(request: pytest.FixtureRequest) -> int:
    """The major version of this run of the test: 18 and 15."""
    major = int(request.param)
    reason = missing(major)
    if reason:
        pytest.skip(reason)
    return major


@pytest.fixture
def binaries(pg_major: int) -> Binaries:
    """PostgreSQL's programs."""
    return binaries_of(pg_major)


@pytest.fixture
def server(servers: Servers, pg_major: int) -> OwnedServer:
    """A running server that the process's tests share. Do not change its settings or kill it: see ``own_server``."""
    return servers.server(pg_major)


@pytest.fixture
def replica(servers: Servers, pg_major: int) -> OwnedServer:
    """The shared server's streaming replica."""
    return servers.replica(pg_major)


@pytest.fixture
def pooler(servers: Servers, pg_major: int) -> Pooler:
    """PgBouncer in transaction mode before the shared server: ``Database(pooler, database.name)`` goes through it."""
    reason = missing_pooler()
    if reason:
        pytest.skip(reason)
    return servers.pooler(pg_major)


@pytest.fixture
def pooled(pooler: Pooler, database: Database) -> Database:
    """The test's own database, by way of PgBouncer."""
    return Database(pooler, database.name)


@pytest.fixture
def layer_name(server: OwnedServer) -> Iterator[str]:
    """A short unique name for roles and databases; those whose names start with it are dropped at the end."""
    name = f"t{secrets.token_hex(3)}"
    yield name
    drop_leftovers(server, name)


@pytest.fixture
def database(server: OwnedServer, layer_name: str) -> Iterator[Database]:
    """An empty database of the test's own."""
    with fresh_database(server, layer_name) as made:
        yield made


@pytest.fixture
def make_database(server: OwnedServer, layer_name: str) -> Iterator[Callable[..., Database]]:
    """A function that makes more databases: ``make_database("copy", template="other")``."""
    with ExitStack() as stack:

        def make(suffix: str, *, template: str = "template1") -> Database:
            return stack.enter_context(fresh_database(server, f"{layer_name}_{suffix}", template=template))

        yield make


@pytest.fixture
def own_server(binaries: Binaries) -> Iterator[OwnedServer]:
    """A server of the test's own, to be killed, restarted or reconfigured (0.4 s); a kill loses no commit."""
    with disposable(binaries, settings={**SETTINGS, "synchronous_commit": "on"}, in_memory=True) as started:
        yield started


@pytest.fixture
def killable_proxy(server: OwnedServer) -> Iterator[KillableProxy]:
    """A TCP proxy in front of the shared server."""
    with KillableProxy(server.host, server.port) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def freehold_layer() -> DataLayer:
    """The layer under test: override it in ``conftest.py``, in the scope "session"."""
    raise pytest.UsageError('Override the fixture freehold_layer (scope="session") with one that gives your DataLayer.')


@pytest.fixture(scope="session")
def freehold_templates(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LayerTemplates]:
    """Applied layers by server; ``servers`` is asked for so that they outlive this."""
    made = LayerTemplates(tmp_path_factory.mktemp("declared"))
    yield made
    made.close()


@pytest.fixture
def freehold_database(
    server: OwnedServer, freehold_templates: LayerTemplates, freehold_layer: DataLayer, layer_name: str
) -> Iterator[LayerDatabase]:
    """The layer on a database of the test's own, without a row."""
    with freehold_templates.copy(server, freehold_layer, layer_name) as made:
        yield made


@pytest.fixture
def tenant(freehold_database: LayerDatabase) -> Any:
    """A tenant; override it where its row needs more than can be made up."""
    return freehold_database.add_tenant()


@pytest.fixture
def other_tenant(freehold_database: LayerDatabase) -> Any:
    """Another tenant, whose rows the first must not see."""
    return freehold_database.add_tenant()


@pytest.fixture
def prove(freehold_database: LayerDatabase) -> Callable[..., list[Verdict]]:
    """A function that attacks the database, and fails the test unless every promise held."""
    return freehold_database.prove
