"""Lost commits in a failover at a reduced size, with the defects that the harness must see."""

from __future__ import annotations

from freehold.servers import Binaries
from torture.failover import run


def test_nothing_is_called_committed_that_is_not(binaries: Binaries) -> None:
    result = run(10, seed=5, binaries=binaries)
    assert result.held, result.notes
