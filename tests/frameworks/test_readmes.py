"""The commands of the examples' pages work as they are written."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.docs.conftest import folder
from tests.docs.runner import commands, run
from tools.check_rooms import ROOT

EXPECTED = {
    "fastapi_shop": ('"left":7', '[{"id":1,"product":"tea"', "context.missing"),
    "django_shop": ('"product": "tea"', '{"orders": [{"id": 1', "context.missing"),
}


@pytest.mark.parametrize("example", EXPECTED)
def test_page(example: str) -> None:
    source = ROOT / "examples" / example
    script = commands(source / "README.md")
    with folder() as place:
        shutil.copytree(source, place / "examples" / example, ignore=shutil.ignore_patterns("__pycache__"))
        printed = run(script, place, {"PYTHONPATH": str(Path(place))})
    assert [text for text in EXPECTED[example] if text not in printed] == [], printed
