"""Each promise of the room is seen held, then broken by a sabotage, then held again."""

from __future__ import annotations

from .conftest import Built

THERE = "every row of shop.event that is neither too old nor too far ahead has a partition"
DEFAULT = "no default partition hides misplaced rows of shop.event"
WHOLE = "the application reaches shop.event only as a whole"
OUTSIDE = "a row that no partition of shop.event is for is refused"
PRUNED = "a query over one day of shop.event reads one partition"


def test_everything_holds(built: Built) -> None:
    assert built.unheld() == []


def test_a_partition_that_is_gone(built: Built) -> None:
    built.connection.execute("ALTER TABLE shop.event DETACH PARTITION shop.event_p2026_04_02")
    assert THERE in built.unheld()
    built.connection.execute(
        "ALTER TABLE shop.event ATTACH PARTITION shop.event_p2026_04_02"
        " FOR VALUES FROM ('2026-04-02 00:00:00+00') TO ('2026-04-03 00:00:00+00')"
    )
    assert built.unheld() == []


def test_a_default_partition(built: Built) -> None:
    built.connection.execute("CREATE TABLE shop.rest PARTITION OF shop.event DEFAULT")
    assert built.unheld() == [DEFAULT, OUTSIDE]
    built.connection.execute("ALTER TABLE shop.event DETACH PARTITION shop.rest")
    assert built.unheld() == []


def test_a_partition_that_is_open(built: Built) -> None:
    built.connection.execute(f"GRANT SELECT ON shop.event_p2026_04_02 TO {built.name}_rw".encode())
    built.connection.execute("ALTER TABLE shop.event_p2026_04_02 DISABLE ROW LEVEL SECURITY")
    assert built.unheld() == [WHOLE]


def test_a_server_that_does_not_prune(built: Built) -> None:
    built.connection.execute("SET enable_partition_pruning = off")
    assert built.unheld() == [PRUNED]
    built.connection.execute("RESET enable_partition_pruning")
    assert built.unheld() == []
