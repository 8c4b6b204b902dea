"""The declarations of the room's README run as they are written, over the models of these tests."""

from __future__ import annotations

import re
from pathlib import Path

import freehold.rooms.constraints

from . import layer
from .derived import layer as derived
from .money import layer as money

PAGE = Path(freehold.rooms.constraints.__file__).with_name("README.md")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_declarations_and_the_examples() -> None:
    assert len(BLOCKS) == 2
    models = {**vars(money), **vars(derived), **vars(layer), "__name__": "readme"}
    for block in BLOCKS:
        exec(compile(block, str(PAGE), "exec", dont_inherit=True), models)
