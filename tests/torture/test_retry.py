"""Conflicts come to their end within the budget, and what cannot succeed runs once; broken budgets are seen."""

from __future__ import annotations

from freehold.servers.binaries import Binaries
from torture.ground import ground
from torture.model import layer
from torture.retry import attack


def test_conflicts_and_errors(binaries: Binaries) -> None:
    with ground(layer(), binaries=binaries, settings={"deadlock_timeout": "10ms"}) as where:
        result = attack(where, 500, 1, defect_size=160)
    assert result.violations == 0, result.notes
    assert (result.defects_seeded, result.defects_caught) == (3, 3)
    assert "serialization failure" in result.notes
