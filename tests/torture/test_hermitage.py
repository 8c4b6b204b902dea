"""Every schedule of Hermitage, at every level and on every path; and levels weaker than their names are seen."""

from __future__ import annotations

from collections import Counter

import pytest

from freehold.servers.binaries import Binaries
from torture.ground import ground
from torture.hermitage import attack
from torture.model import layer
from torture.schedules import CASES, LEVELS, REFUSED


@pytest.mark.usefixtures("pooler")
def test_all_schedules_at_all_levels_on_all_paths(binaries: Binaries) -> None:
    with ground(layer(), binaries=binaries) as where:
        result = attack(where, CASES, 1)
    assert result.size == 168
    assert result.violations == 0, result.notes
    assert (result.defects_seeded, result.defects_caught) == (8, 8)


def test_the_schedules_are_fourteen_and_tell_the_levels_apart() -> None:
    assert len({case.name for case in CASES}) == 14
    refused = Counter(
        level for case in CASES for level in LEVELS for step in case.steps if step.expected(level) is REFUSED
    )
    assert refused == {"repeatable read": 5, "serializable": 9}
