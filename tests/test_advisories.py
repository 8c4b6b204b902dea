"""The list of advisories says of a version what is true of it, and one of its entries is seen at work."""

from __future__ import annotations

import psycopg
import pytest

from freehold.advisories import (
    ADVISORIES,
    InUse,
    advisories_for,
    refuse_false_promises,
    told,
    version_of,
    written_version,
)
from freehold.errors import VersionRefused
from freehold.runtime.workload import Workload
from freehold.testing.database import Database

LEDGER = Workload("ledger", isolation="serializable")
UPSERT = "release note 15.20: serializable, ON CONFLICT"


def test_every_entry_is_whole() -> None:
    assert len({each.identifier for each in ADVISORIES}) == len(ADVISORIES)
    for each in ADVISORIES:
        assert each.ranges
        assert each.breaks
        for found in each.ranges:
            assert found.first < found.fixed
            assert each.affects(found.first)
            assert not each.affects(found.fixed)
            assert each.fixed_in(found.first) == ".".join(map(str, found.fixed))


@pytest.mark.parametrize(
    ("in_use", "holds", "lacks"),
    [
        ({"server": (18, 6)}, {UPSERT, "CVE-2026-16237"}, {"CVE-2026-14666", "CVE-2025-8713"}),
        ({"server": (18, 7)}, set(), {UPSERT, "CVE-2026-16237"}),
        ({"server": (15, 2)}, {"CVE-2023-2455", "CVE-2024-10976"}, {"CVE-2025-1094"}),
        ({"server": (16, 0)}, {"CVE-2024-10976"}, {"CVE-2023-2455", "CVE-2024-0985"}),
        ({"pgbouncer": (1, 18, 0)}, {"CVE-2026-107350", "CVE-2026-6664"}, {UPSERT}),
        ({"pgbouncer": (1, 26, 1)}, set(), {"CVE-2026-107350", "CVE-2026-6664"}),
        ({"libpq": (17, 2)}, {"CVE-2025-1094", "CVE-2025-12818"}, set()),
    ],
)
def test_versions(in_use: InUse, holds: set[str], lacks: set[str]) -> None:
    found = {each.identifier for each in advisories_for(in_use)}
    assert holds <= found
    assert not lacks & found
    assert found == holds or holds


def test_versions_are_read() -> None:
    assert version_of(180006) == (18, 6)
    assert written_version("1.18.0-1+deb12u1") == (1, 18)
    assert written_version("1.25.2 (built)") == (1, 25, 2)
    assert written_version("") == ()


def test_a_level_with_a_hole_is_refused() -> None:
    in_use: InUse = {"server": (18, 6)}
    with pytest.raises(VersionRefused) as refused:
        refuse_false_promises(in_use, (Workload("web"), LEDGER), {})
    assert "ledger" in refused.value.message
    assert UPSERT in refused.value.detail
    assert "18.7" in refused.value.hint
    refuse_false_promises(in_use, (Workload("web"), Workload("month", isolation="repeatable read")), {})
    refuse_false_promises(in_use, (LEDGER,), {UPSERT: "the ledger has no upsert"})
    refuse_false_promises({"server": (18, 7)}, (LEDGER,), {})


def test_each_is_told_with_its_cure() -> None:
    events = {each.identifier: each for each in told({"server": (18, 6)}, {UPSERT: "no upsert"})}
    assert events[UPSERT].accepted
    assert events[UPSERT].fixed_in == "18.7"
    assert not events["CVE-2026-16237"].accepted
    assert events["CVE-2026-16237"].version == "18.6"


def test_the_hole_of_upserts_is_there_where_the_list_says_so(database: Database) -> None:
    """Two transactions that cannot follow each other in any order: both commit where the defect is."""
    with database.connect(autocommit=True) as admin:
        admin.execute("CREATE TABLE duty (id int PRIMARY KEY)")
        admin.execute("INSERT INTO duty VALUES (1), (2)")
    with database.connect() as one, database.connect() as two:
        for each in (one, two):
            each.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
        # One meets row 1 and removes row 2; two reads row 2 and removes row 1.
        assert one.execute("INSERT INTO duty VALUES (1) ON CONFLICT DO NOTHING").rowcount == 0
        assert two.execute("SELECT 1 FROM duty WHERE id = 2").fetchone() == (1,)
        version = version_of(one.info.server_version)
        hole = any(each.identifier == UPSERT for each in advisories_for({"server": version}))
        try:
            one.execute("DELETE FROM duty WHERE id = 2")
            two.execute("DELETE FROM duty WHERE id = 1")
            one.commit()
            two.commit()
        except psycopg.errors.SerializationFailure:
            assert not hole
        else:
            assert hole
