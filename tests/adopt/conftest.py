"""Adopting in a test: what is written is planned by the command, as a user would, and must be empty."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from freehold.adopt import Adoption, adopt
from freehold.adopt.verify import load_layer
from freehold.operations import plan_layer
from freehold.testing.database import Database

CONFIGURATION = 'layer = "layer:layer"\n'


@dataclass(frozen=True)
class Adopted:
    """A written folder, and what was said of it."""

    folder: Path
    made: Adoption

    @property
    def models(self) -> str:
        """The text of models.py."""
        return self.made.files["models.py"]

    @property
    def layer(self) -> str:
        """The text of layer.py."""
        return self.made.files["layer.py"]

    @property
    def left(self) -> list[str]:
        """The objects that are left alone."""
        return sorted(map(str, self.made.left))


def taken(connection: psycopg.Connection[Any], folder: Path) -> Adopted:
    """Adopt, write, and plan what was written."""
    made = adopt(connection, CONFIGURATION)
    folder.mkdir(exist_ok=True)
    for file, text in made.files.items():
        (folder / file).write_text(text, encoding="utf-8")
    plan = plan_layer(connection, load_layer(folder).declared)
    assert plan.as_sql() == "-- nothing to do\n"
    assert not plan.strangers
    return Adopted(folder, made)


@pytest.fixture
def adopted(database: Database, tmp_path: Path) -> Callable[[str], Adopted]:
    """A function that makes a database of a script, adopts it, and checks that the first plan is empty."""

    def make(script: str) -> Adopted:
        with database.connect(autocommit=True) as connection:
            connection.execute(script.encode())
            return taken(connection, tmp_path / "adopted")

    return make


def run(folder: Path, program: str, *arguments: str) -> None:
    """Run one of the tools on the folder."""
    done = subprocess.run(
        [sys.executable, "-m", program, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
