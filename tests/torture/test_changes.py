"""Changes that are cut off and killed, at a reduced size, with the defects that the harness must see."""

from __future__ import annotations

from torture.changes import run


def test_a_change_that_is_cut_off_or_killed_is_taken_up() -> None:
    result = run(5, seed=3)
    assert result.held, result.notes
    assert "5 of them killed at least once" in result.notes
