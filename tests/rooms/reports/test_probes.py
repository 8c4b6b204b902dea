"""Each promise of the room is seen held, then broken by a sabotage, then held again."""

from __future__ import annotations

from .conftest import Built
from .layer import verdicts


def test_everything_holds_on_a_fresh_layer(built: Built) -> None:
    found = verdicts(built.connection, built.declared)
    assert [(v.promise, v.detail) for v in found if v.verdict != "held"] == []
    assert len(found) == 8 + 6
