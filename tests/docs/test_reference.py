"""The reference pages say what the code says."""

from __future__ import annotations

from tools.write_docs import stale


def test_pages_are_current() -> None:
    assert stale() == [], "run python -m tools.write_docs"
