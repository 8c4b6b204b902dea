"""A database with one of everything that models can tell, and of much that they cannot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from freehold.testing.database import Database
from tests.adopt.conftest import Adopted, run

SCRIPT = (Path(__file__).parent / "rich.sql").read_text()
NEWER = """
CREATE TABLE shop.newer (
    room int4range, during daterange, n int, doubled int GENERATED ALWAYS AS (n * 2) VIRTUAL,
    PRIMARY KEY (room, during WITHOUT OVERLAPS)
);
CREATE TABLE shop.newest (
    a_id int REFERENCES shop.a NOT ENFORCED, room int4range, during daterange, n int CHECK (n > 0) NOT ENFORCED,
    FOREIGN KEY (room, PERIOD during) REFERENCES shop.newer (room, PERIOD during)
);
"""
RULES = "E,F,W,I,UP,B,BLE,C4,DTZ,PIE,PT,RET,RUF,S,SIM,T20,ANN"


def test_plan_is_empty_and_leftovers_are_named(adopted: Callable[[str], Adopted], pg_major: int) -> None:
    found = adopted(SCRIPT + (NEWER if pg_major >= 18 else ""))
    told = "\n".join(f"{key}: {reason}" for key, reason in found.made.left.items())
    assert "table shop.office" in found.left, told
    assert "view shop.offices" in found.left, told
    assert "constraint shop.desk.desk_office_id_fkey" in found.left, told
    assert not [name for name in found.left if name.startswith("table ") and name != "table shop.office"], told
    for line in told.splitlines():
        assert " ".join(line.split(": ")[0].split()) in " ".join(found.layer.split())
    assert "b_a_id_fkey" in found.models, "two tables refer to each other"
    assert 'class_: Mapped[str | None] = mapped_column("class", sa.Text)' in found.models
    assert 'Tenancy(Company, column="company_id")' in found.layer.replace("\n# ", " ")


def test_what_is_written_is_clean(adopted: Callable[[str], Adopted], pg_major: int) -> None:
    found = adopted(SCRIPT + NEWER if pg_major >= 18 else SCRIPT)
    for width in ("88", "120"):
        run(found.folder, "ruff", "format", "--no-cache", "--isolated", "--line-length", width, "--check", ".")
    run(found.folder, "ruff", "check", "--no-cache", "--isolated", "--line-length", "120", "--select", RULES, ".")
    run(found.folder, "mypy", "--strict", "--cache-dir", str(found.folder / ".mypy"), "models.py", "layer.py")


def test_what_is_written_otherwise_is_told_plainly(
    adopted: Callable[[str], Adopted], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A text that PostgreSQL does not take back as it wrote it goes to the layer, then nowhere, and is named."""
    for module in ("columns", "constraints", "extras", "indexes", "kinds"):
        monkeypatch.setattr(f"freehold.adopt.{module}.stable", lambda text: text)
    found = adopted("CREATE TABLE a (id int PRIMARY KEY, b varchar CHECK (b IN ('x', 'y')))")
    assert found.left == ["constraint public.a.a_b_check"]
    assert "class A(Base):" in found.models


def test_extension_in_a_schema_of_its_own(adopted: Callable[[str], Adopted], database: Database) -> None:
    with database.connect(autocommit=True) as connection:
        there = connection.execute("SELECT FROM pg_available_extensions WHERE name = 'citext'").fetchone()
    if there is None:
        pytest.skip("the server has no citext")
    found = adopted(
        "CREATE SCHEMA tools; CREATE EXTENSION citext SCHEMA tools;"
        "CREATE TABLE a (id int PRIMARY KEY, name tools.citext UNIQUE, names tools.citext[])"
    )
    assert found.left == []
    assert 'Extension(extension="citext", into="tools")' in found.layer
    assert 'ServerType("tools.citext[]")' in found.models
