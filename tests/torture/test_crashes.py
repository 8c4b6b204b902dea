"""The bank and TPC-C through two crashes; a lost, doubled or made-up row is seen, and each condition can be broken."""

from __future__ import annotations

from freehold.servers.binaries import Binaries
from torture import bank, tpcc
from torture.ground import TENANT, ground
from torture.model import layer
from torture.tpcc.conditions import NUMBERS, broken, seen_when_broken
from torture.tpcc.load import load
from torture.tpcc.model import layer as tpcc_layer


def test_bank_through_crashes(binaries: Binaries) -> None:
    with ground(layer(), binaries=binaries, durable=True, settings={"deadlock_timeout": "20ms"}) as where:
        result = bank.attack(where, 2, 1, each=30)
    assert result.size == 2
    assert result.violations == 0, result.notes
    assert (result.defects_seeded, result.defects_caught) == (6, 6)


def test_tpcc_through_crashes() -> None:
    with ground(tpcc_layer(), durable=True) as where:
        result = tpcc.attack(where, 2, 1, each=30)
    assert result.size == 2
    assert result.violations == 0, result.notes
    assert (result.defects_seeded, result.defects_caught) == (12, 12)


def test_a_condition_is_broken_by_its_own_row() -> None:
    with ground(tpcc_layer()) as where, where.admin() as connection:
        load(connection, TENANT)
        assert broken(connection) == {}
        assert [number for number in NUMBERS if not seen_when_broken(connection, number)] == []
        assert broken(connection) == {}
        connection.execute("UPDATE tpcc.warehouse SET w_ytd = w_ytd + 1")
        assert set(broken(connection)) == {1, 8}
        assert not seen_when_broken(connection, 1)  # it was red already, so nothing is proven
