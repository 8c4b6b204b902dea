"""The Python of the room's README runs as it is written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import freehold.rooms.history

PAGE = Path(freehold.rooms.history.__file__).with_name("README.md")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_page_has_examples() -> None:
    assert len(BLOCKS) == 4


def test_the_examples_run_one_after_the_other() -> None:
    names: dict[str, Any] = {"__name__": "readme"}
    for block in BLOCKS:
        exec(compile(block, str(PAGE), "exec", dont_inherit=True), names)
    assert names["as_it_was"]
