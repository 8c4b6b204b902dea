"""``freehold refusals``: what log-only guards would have refused, and what it refuses itself."""

from __future__ import annotations

import json

import pytest

from freehold.testing.database import Database
from tests.cli.command import Command

MODULE = """
import sqlalchemy as sa
from freehold import DataLayer, Roles, Tenancy

metadata = sa.MetaData(schema="shop")
company = sa.Table("company", metadata, sa.Column("id", sa.Integer, primary_key=True, autoincrement=False))
layer = DataLayer(metadata, Tenancy(company{log_only}), Roles(), name="{name}")
"""
LOG_ONLY = ", log_only={company: 'until March'}"
BROKEN, COULD_NOT_RUN = 1, 2


@pytest.fixture
def shop(bare: Command, database: Database, layer_name: str) -> Command:
    """A layer whose one guard only logs, not yet applied."""
    (bare.folder / "mine.py").write_text(MODULE.format(name=layer_name, log_only=LOG_ONLY))
    (bare.folder / "freehold.toml").write_text("layer = 'mine:layer'")
    return Command(bare.folder, {"FREEHOLD_URL": database.url()})


def test_what_is_noted_is_shown_and_cleared(shop: Command, database: Database, layer_name: str) -> None:
    assert shop("apply", "--yes").status == 0
    assert shop("refusals").status == 0
    with database.connect(autocommit=True) as connection:
        connection.execute("INSERT INTO shop.company VALUES (1)")
        connection.execute(f"SET SESSION AUTHORIZATION {layer_name}_app_a".encode())
        connection.execute("SELECT id\n    FROM shop.company")
        told = shop("refusals")
    assert told.status == BROKEN
    assert "shop.company  SELECT would be refused (FH001)" in told.out
    assert "SELECT id FROM shop.company" in told.out
    assert "postgres is connected" in told.err
    found = json.loads(shop("refusals", "--json", "--clear").out)
    assert found["log_only"] == ["shop.company"]
    assert [(each["why"], each["role"]) for each in found["refusals"]] == [("FH001", f"{layer_name}_app_a")]
    assert shop("refusals").status == 0


def test_mistakes(shop: Command, layer_name: str) -> None:
    early = shop("refusals")
    assert early.status == COULD_NOT_RUN
    assert "freehold apply" in early.err
    (shop.folder / "mine.py").write_text(MODULE.format(name=layer_name, log_only=""))
    none = shop("refusals")
    assert none.status == COULD_NOT_RUN
    assert "log_only" in none.err
    assert shop("refusals", "--hours", "0").status == COULD_NOT_RUN
