"""Dead peers at a reduced size, with the broken watchdogs that the harness must see."""

from __future__ import annotations

from torture.dead_peer import KINDS, LIMIT, run


def test_the_dead_are_noticed_and_the_slow_are_left_alone() -> None:
    result = run(2 * len(KINDS), seed=5)
    assert result.held, result.notes
    assert LIMIT == 1.5
