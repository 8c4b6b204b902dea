"""The declarations of the room's README run as they are written."""

from __future__ import annotations

import re
from pathlib import Path

import freehold.rooms.outbox

PAGE = Path(freehold.rooms.outbox.__file__).with_name("README.md")
DECLARED = re.search(r"## Declared\n```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_declarations() -> None:
    assert DECLARED is not None
    exec(compile(DECLARED[1], str(PAGE), "exec"), {"__name__": "readme"})
