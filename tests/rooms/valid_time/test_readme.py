"""The Python of the room's README runs as it is written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import freehold.rooms.valid_time

PAGE = Path(freehold.rooms.valid_time.__file__).with_name("README.md")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_page_runs() -> None:
    assert len(BLOCKS) == 2
    names: dict[str, Any] = {"__name__": "readme"}
    for block in BLOCKS:
        exec(compile(block, str(PAGE), "exec", dont_inherit=True), names)
    assert names["price_believed"]
