"""A new project on a database of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from freehold.testing.database import Database
from tests.cli.command import Command


@pytest.fixture
def bare(tmp_path: Path) -> Command:
    """The command in an empty folder, with no server named."""
    return Command(tmp_path)


@pytest.fixture
def project(tmp_path: Path, database: Database, layer_name: str) -> Command:
    """What ``freehold init`` writes, beside an empty database."""
    made = Command(tmp_path)("init", layer_name)
    assert made.status == 0, made.err
    return Command(tmp_path / layer_name, {"FREEHOLD_URL": database.url()})
