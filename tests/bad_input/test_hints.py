"""Every error that Freehold raises says what to do about it."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import freehold
from freehold import errors

KINDS = {name for name, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.FreeholdError)}


def _silent(text: str) -> Iterator[int]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and str(getattr(node.func, "attr", getattr(node.func, "id", ""))) in KINDS:
            told = {keyword.arg for keyword in node.keywords}
            if not told & {"hint", None}:  # None: **facts made elsewhere
                yield node.lineno


def test_every_error_has_a_hint() -> None:
    root = Path(freehold.__file__).parent
    silent = [f"{file}:{line}" for file in root.rglob("*.py") for line in _silent(file.read_text(encoding="utf-8"))]
    assert silent == []


def test_the_check_sees_a_missing_hint() -> None:
    assert list(_silent("raise errors.InputError('bad', detail='this')")) == [1]
    assert list(_silent("raise InputError('bad', hint='do that')")) == []
