"""Every way past row tenancy that docs/isolation.md lists has a probe, which holds on the example and is seen red."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from freehold.kernel.prove import Outcome, run_probes
from freehold.rooms.tenancy.bypasses import MAKING, READING, WRITING
from tests.isolation.conftest import LAYER, Retail

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
KEYS = (
    "every unique and exclusion key of a tenant's table holds the tenant",
    "every foreign key between tenants' tables holds the tenant",
)
ALONE = {way.promise for way in (*READING, *WRITING, *MAKING)} | set(KEYS)
PROMISES = [probe.promise for probe in LAYER.declared.probes]


def rows() -> list[tuple[str, ...]]:
    """Number, way, promise or reason, and standing of each row of the page."""
    return [tuple(cell.strip() for cell in row) for row in ROW.findall((ROOT / "docs" / "isolation.md").read_text())]


def broken(retail: Retail) -> set[str]:
    """The promises that an attack breaks now."""
    verdicts = run_probes(retail.connection, [probe for probe in retail.declared.probes if probe.promise in ALONE])
    return {verdict.promise for verdict in verdicts if verdict.verdict is Outcome.BROKEN}


def test_page_and_probes_agree() -> None:
    listed = rows()
    blocked = [promise.strip("`") for _, _, promise, standing in listed if standing != "residual"]
    assert [int(row[0]) for row in listed] == list(range(1, len(listed) + 1))
    assert len(blocked) >= 40
    assert [each for each in blocked if not any(each in promise for promise in PROMISES)] == []
    assert ALONE - set(blocked) == set()


def test_each_row_says_where_its_probe_was_seen_red() -> None:
    for _, way, promise, standing in rows():
        if standing == "residual":
            assert len(promise) > 30, way
        else:
            assert any((ROOT / "tests" / name).is_file() for name in standing.strip("`").split()), way


def test_every_probe_of_the_page_holds(retail: Retail) -> None:
    wanted = [promise.strip("`") for _, _, promise, standing in rows() if standing != "residual"]
    probes = [probe for probe in retail.declared.probes if any(each in probe.promise for each in wanted)]
    verdicts = run_probes(retail.connection, probes)
    assert [f"{v.promise}: {v.detail}" for v in verdicts if v.verdict is not Outcome.HELD] == []


def _sabotaged(retail: Retail, statements: Sequence[str], promises: set[str]) -> None:
    assert broken(retail) == set()
    retail.run(*statements)
    assert promises - broken(retail) == set()


def test_reads_and_writes_are_seen_without_row_security(retail: Retail) -> None:
    table = "ALTER TABLE retail.customer DISABLE ROW LEVEL SECURITY"
    _sabotaged(retail, (table, "ANALYZE retail.customer"), {way.promise for way in (*READING, *WRITING)})


def test_what_the_application_would_make_is_seen_with_a_superuser(retail: Retail) -> None:
    try:
        _sabotaged(retail, ("ALTER ROLE {app} SUPERUSER",), {way.promise for way in MAKING})
    finally:
        retail.run("ALTER ROLE {app} NOSUPERUSER")


def test_keys_without_the_tenant_are_seen(retail: Retail) -> None:
    statements = (
        "CREATE UNIQUE INDEX oracle ON retail.credit_note (id)",
        "ALTER TABLE retail.credit_line ADD FOREIGN KEY (credit_note_id) REFERENCES retail.credit_note (id)",
    )
    _sabotaged(retail, statements, set(KEYS))
