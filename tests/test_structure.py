"""Imports point one way, rooms do not know each other, and what is public is in order."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import freehold
from freehold.config import OPTIONS
from tools.check_rooms import faults

SOURCE = Path(freehold.__file__).parent
BOTTOM = {"errors", "config", "events", "advisories", "files", "storage"}
CORE = BOTTOM | {"kernel"}
MAY_IMPORT = {
    "errors": set[str](),
    "events": set[str](),
    "config": {"errors"},
    "files": {"errors"},
    "storage": set[str](),
    "advisories": {"errors", "events"},
    "kernel": BOTTOM,
    "servers": BOTTOM,
    "journal": CORE,
    "runtime": CORE | {"servers"},
    "rooms": CORE | {"servers", "runtime"},
    "registry": CORE | {"rooms"},
    "layer": CORE | {"rooms", "registry", "runtime"},
    "frameworks": CORE | {"runtime", "servers", "layer"},
    "telemetry": BOTTOM | {"runtime"},
    "isolation": CORE,
    "recording": CORE | {"journal"},
    "operations": CORE | {"journal", "servers", "isolation", "recording"},
    "undo": CORE | {"journal", "servers"},
    "planfile": CORE,
    "rehearsal": CORE | {"operations", "planfile", "recording", "servers"},
    "revision": CORE,
    "assess": CORE,
    "adopt": CORE | {"journal", "layer", "operations"},
    "testing": CORE | {"servers", "runtime", "rooms", "layer", "operations"},
    "cli": CORE
    | {"servers", "runtime", "rooms", "journal", "registry", "layer", "operations", "isolation", "adopt"}
    | {"undo", "planfile", "rehearsal", "assess"},
    "console": CORE | {"servers", "runtime", "rooms", "journal", "registry", "layer", "operations"},
}
FILES = sorted(SOURCE.rglob("*.py"))


def _imports(file: Path) -> Iterator[tuple[str, ...]]:
    """Every module of Freehold that a file imports, as parts after ``freehold``."""
    for node in ast.walk(ast.parse(file.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file}: write imports in full"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        yield from (tuple(name.split(".")[1:]) for name in names if name.split(".")[0] == "freehold")


def _place(file: Path) -> str:
    return file.relative_to(SOURCE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("file", [file for file in FILES if _place(file) != "__init__"], ids=str)
def test_imports_point_one_way(file: Path) -> None:
    place = _place(file)
    wrong = {name[0] for name in _imports(file)} - MAY_IMPORT[place] - {place}
    assert not wrong, f"{place} imports {wrong}"
    if place == "rooms" and len(file.relative_to(SOURCE).parts) > 2:
        room = file.relative_to(SOURCE).parts[1]
        others = {name[1] for name in _imports(file) if name[0] == "rooms"} - {room}
        assert not others, f"the room {room} imports {others}"


@pytest.mark.parametrize("file", FILES, ids=str)
def test_no_import_hides_in_a_function(file: Path) -> None:
    functions = (n for n in ast.walk(ast.parse(file.read_text())) if isinstance(n, ast.FunctionDef))
    hidden = [
        f"line {node.lineno}"
        for function in functions
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert not hidden


def test_exported_names_are_sorted_and_there() -> None:
    assert list(freehold.__all__) == sorted(freehold.__all__)
    assert [name for name in freehold.__all__ if not hasattr(freehold, name)] == []


def test_every_variable_is_an_option() -> None:
    known = {option.env for option in OPTIONS}
    read = {
        node.value
        for file in FILES
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and str(node.value).startswith("FREEHOLD_")
    }
    assert read == known


def test_rooms_are_complete() -> None:
    assert faults() == []
