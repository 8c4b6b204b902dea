"""``freehold tenant``: what it prints, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from freehold.testing.database import Database
from tests.cli.command import Command

MASKED = """
from freehold import Masked

hide = Masked(Company, name=lambda text, digest: "x")
layer = DataLayer(layer.metadata, *layer.items, hide, name=layer.name)
"""
TENANT = "00000000-0000-0000-0000-000000000001"


@pytest.fixture
def shop(project: Command, database: Database) -> Command:
    """The starter, applied, with one tenant."""
    assert project("apply", "--yes").status == 0
    with database.connect(autocommit=True) as connection:
        root = connection.execute(
            "SELECT table_schema || '.company' FROM information_schema.tables WHERE table_name = 'company'"
        ).fetchone()
        assert root
        connection.execute(f"INSERT INTO {root[0]} (id, name) VALUES (%s, 'One')".encode(), (TENANT,))
    return project


def test_a_tenant_goes_and_comes_back(shop: Command) -> None:
    told = json.loads(shop("tenant", "export", TENANT, "one.zip", "--json").out)
    assert sum(member["rows"] for member in told["members"]) >= 1
    refused = shop("tenant", "erase", TENANT)
    assert refused.status == 2
    assert f"--confirm {TENANT}" in refused.err
    erased = shop("tenant", "erase", TENANT, "--confirm", TENANT)
    assert erased.status == 0
    assert "No other row" in erased.out
    again = shop("tenant", "import", "one.zip", "--digest", told["digest"])
    assert again.status == 0, again.err
    assert told["digest"] in again.out
    assert "tenant.exists" in shop("tenant", "import", "one.zip").err


def test_restore_and_clone_reach_another_database(
    shop: Command, database: Database, make_database: Callable[..., Database]
) -> None:
    other = make_database("other", template=database.name)
    restored = shop("tenant", "restore", TENANT, "--from", other.url())
    assert restored.status == 0, restored.err
    assert "0 rows inserted, 0 changed back, 0 deleted" in restored.out
    shown = shop("tenant", "clone", TENANT, "--to", other.url(), "--as", TENANT[:-1] + "2")
    assert shown.status == 2
    assert "masks nothing" in shown.err, "the starter declares no mask"
    layer = next(shop.folder.rglob("layer.py"))
    layer.write_text(layer.read_text() + MASKED)
    copied = shop("tenant", "clone", TENANT, "--to", other.url(), "--as", TENANT[:-1] + "2")
    assert copied.status == 0, copied.err
    with other.connect() as connection:
        names = connection.execute(f"SELECT name FROM {shop.folder.name}.company ORDER BY 1".encode()).fetchall()
    assert names == [("One",), ("x",)]


def test_mistakes(shop: Command) -> None:
    assert "tenant.unknown" in shop("tenant", "export", TENANT[:-1] + "9", "x.zip").err
    assert "tenant.archive" in shop("tenant", "import", "freehold.toml").err
