"""Cuts around COMMIT at a reduced size, on both majors, with the defects that the harness must see."""

from __future__ import annotations

from freehold.servers import Binaries
from torture.cuts import drawn, run


def test_nothing_is_lost_and_nothing_doubled(binaries: Binaries) -> None:
    result = run(25, seed=5, binaries=binaries)
    assert result.held, result.notes
    assert result.size == 25


def test_the_same_seed_draws_the_same() -> None:
    assert drawn(200, 3) == drawn(200, 3) != drawn(200, 4)


def test_every_kind_is_drawn() -> None:
    cases = drawn(500, 1)
    assert {case.moment for case in cases} == {"cut_before", "cut_with", "cut_after", "hold"}
    assert len({case.call.way for case in cases}) == 6
    assert any(case.again for case in cases)
