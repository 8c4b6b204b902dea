"""A reduced run of the harness on both servers."""

from __future__ import annotations

from freehold.servers.binaries import Binaries
from torture.tampering import attack, vault


def test_every_alteration_is_named(binaries: Binaries) -> None:
    with vault(binaries) as where:
        result = attack(where, 40, 1)
    assert result.held, result.notes
