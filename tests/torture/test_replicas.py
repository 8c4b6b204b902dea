"""Reads on laggards at a reduced size, with the careless routers that the harness must see; and the long fork."""

from __future__ import annotations

from freehold.servers.binaries import Binaries
from freehold.servers.settings import Settings
from torture import long_fork, replicas
from torture.ground import ground
from torture.model import layer

SETTINGS: Settings = {"synchronous_commit": "on", "wal_keep_size": "256MB"}


def test_a_client_sees_what_it_wrote_and_what_it_saw(binaries: Binaries) -> None:
    with ground(layer(), binaries=binaries, settings=SETTINGS) as where:
        result = replicas.attack(where, 300, 1, defect_size=1_000)
    assert result.violations == 0, result.notes
    assert (result.defects_seeded, result.defects_caught) == (3, 3), result.notes
    assert "replica 2" in result.notes


def test_reads_of_two_servers_are_not_one_history_and_snapshots_are(binaries: Binaries) -> None:
    with ground(layer(), binaries=binaries, settings=SETTINGS) as where:
        result = long_fork.attack(where, 2_000, 1, part=4_000, parts=10)
    assert result.held, result.notes
