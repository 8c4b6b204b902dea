"""What the pages show is there, and is found by who reads the README."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

import freehold
from tools.check_rooms import ROOT

README = ROOT / "README.md"
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [README, *DOCS]
_PYTHON = re.compile(r"^(?:```python|.*<<'PYTHON')\n(.*?)^(?:```|PYTHON)$", re.MULTILINE | re.DOTALL)
_INSTALL = re.compile(r"install '\.\[([a-z,]+)\]'")


def examples(page: Path) -> str:
    """The page's Python, in order."""
    return "\n".join(_PYTHON.findall(page.read_text(encoding="utf-8")))


def test_every_page_is_linked() -> None:
    linked = set(re.findall(r"\]\(([^)#]+)\)", README.read_text(encoding="utf-8")))
    assert [page.name for page in DOCS if f"docs/{page.name}" not in linked] == []


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        links = re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text(encoding="utf-8"))
        assert [link for link in links if not (page.parent / link).exists()] == [], page.name


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_python_parses(page: Path) -> None:
    ast.parse(examples(page))


def test_keys_are_shown_with_outcomes() -> None:
    shown = examples(README)
    assert "key=" in shown
    assert "Outcomes()" in shown


def test_installing_comes_first() -> None:
    text = README.read_text(encoding="utf-8")
    assert text.index("install '.[cli,embedded]'") < text.index("freehold init")


def test_extras_are_there() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = {name for page in PAGES for found in _INSTALL.findall(page.read_text()) for name in found.split(",")}
    assert named
    assert named <= extras.keys()


def test_ids_are_read_after_a_flush() -> None:
    shown = examples(ROOT / "docs" / "jobs.md")
    assert shown.index("session.add(") < shown.index("session.flush()") < shown.index("customer.id")


def test_what_the_runtime_page_names_is_exported() -> None:
    text = (ROOT / "docs" / "runtime.md").read_text(encoding="utf-8")
    assert "log_events" not in text
    called = re.findall(
        r"`(?:info=)?(sql\w*|reviewed_sql|fault_message|versions_of|as_of|\w+AfterCommit|Changed)\b", text
    )
    assert {"sql_file", "reviewed_sql", "fault_message", "InterruptedAfterCommit", "Changed"} <= set(called)
    assert set(called) <= set(freehold.__all__)


def test_the_map_names_every_file_of_the_runtime() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    files = {file.name for file in (ROOT / "src" / "freehold" / "runtime").glob("*.py")} - {"__init__.py"}
    assert sorted(name for name in files if f"`{name}`" not in text) == []


def test_changes_name_every_command() -> None:
    commands = re.findall(r"^## freehold (\w+)", (ROOT / "docs" / "cli.md").read_text(encoding="utf-8"), re.MULTILINE)
    (told,) = re.findall(r"^- The command line: (.*)\.$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert set(told.split(", ")) == set(commands)
