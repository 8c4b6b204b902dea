"""The declarations of the room's README run as they are written, over the models of these tests."""

from __future__ import annotations

import re
from pathlib import Path

import freehold.rooms.constraints

from . import layer
from .derived import layer as derived

PAGE = Path(freehold.rooms.constraints.__file__).with_name("README.md")
DECLARED = re.search(r"## Declared\n```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_declarations() -> None:
    assert DECLARED is not None
    exec(compile(DECLARED[1], str(PAGE), "exec"), {**vars(derived), **vars(layer), "__name__": "readme"})
