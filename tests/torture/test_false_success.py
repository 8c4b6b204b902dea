"""False success at a reduced size, on both majors, with the defects that the harness must see."""

from __future__ import annotations

from freehold.servers import Binaries
from torture.false_success import run


def test_every_outcome_has_its_type(binaries: Binaries) -> None:
    result = run(20, seed=5, binaries=binaries)
    assert result.held, result.notes
    assert result.size >= 20
