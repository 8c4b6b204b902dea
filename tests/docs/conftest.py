"""Places in which the commands of pages run."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.docs.runner import remove_servers, run

READY = """
freehold init shop
cd shop
freehold up
freehold apply --yes
DATABASE_URL="$(freehold credentials app_a)" python app.py
"""

BUSINESS = """
freehold init firm --template subscriptions
cd firm
freehold up
freehold apply --yes
freehold psql -c "$(cat firm/catalogue.sql)"
DATABASE_URL="$(freehold credentials app_a)" python -m firm --size small
"""


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that the server's account may enter, which pytest's own is not; no server stays behind."""
    made = Path(tempfile.mkdtemp(prefix="freehold-docs-"))
    made.chmod(0o755)
    try:
        yield made
    finally:
        remove_servers(made)
        shutil.rmtree(made)


@pytest.fixture
def place() -> Iterator[Path]:
    """An empty folder."""
    with folder() as made:
        yield made


@pytest.fixture(scope="module")
def business() -> Iterator[Path]:
    """A project that begins from the second example, which declares every room."""
    with folder() as made:
        run(BUSINESS, made)
        yield made / "firm"


@pytest.fixture(scope="module")
def shop() -> Iterator[Path]:
    """A project as ``freehold init`` begins it, applied, with its application run once."""
    with folder() as made:
        run(READY, made)
        yield made / "shop"
