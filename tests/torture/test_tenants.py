"""Tenants through PgBouncer at a reduced size, on both majors, with the defects that the harness must see."""

from __future__ import annotations

import pytest

from freehold.servers import Binaries
from freehold.testing.servers import missing_pooler
from torture.tenants import drawn, run


def test_no_context_stays_behind(binaries: Binaries) -> None:
    if reason := missing_pooler():
        pytest.skip(reason)
    result = run(600, seed=7, tenants=40, binaries=binaries)
    assert result.held, result.notes
    assert result.size == 600


def test_the_same_seed_draws_the_same() -> None:
    assert drawn(200, 3, 10) == drawn(200, 3, 10) != drawn(200, 4, 10)
