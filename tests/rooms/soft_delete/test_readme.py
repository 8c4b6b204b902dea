"""The Python of the room's README runs as it is written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import freehold.rooms.soft_delete

PAGE = Path(freehold.rooms.soft_delete.__file__).with_name("README.md")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_page_has_examples() -> None:
    assert len(BLOCKS) == 2


@pytest.mark.parametrize("block", BLOCKS)
def test_an_example(block: str) -> None:
    exec(compile(block, str(PAGE), "exec"), {"__name__": "readme"})
