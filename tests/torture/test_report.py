"""The document keeps the rows of harnesses that were not run; a harness that misses a defect is not called held."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from torture.__main__ import HARNESSES, arguments, chosen
from torture.report import known_rows, write
from torture.result import Result

FINE = Result(
    name="bank", size=20, seed=7, violations=0, seconds=1.5, defects_seeded=2, defects_caught=2, notes="a | b\nc"
)


def test_a_part_replaces_its_own_row_alone(tmp_path: Path) -> None:
    document = tmp_path / "reliability.md"
    write([FINE, replace(FINE, name="append read committed")], "18.6", ["append read committed", "bank"], document)
    before = known_rows(document)
    write([replace(FINE, violations=3)], "18.7", ["append read committed", "bank"], document)
    after = known_rows(document)
    assert list(after) == ["append read committed", "bank"]
    assert after["append read committed"] == before["append read committed"]
    assert "| **no** | 20 | 3 | 2 of 2 |" in after["bank"]
    assert "a / b c" in after["bank"]


@pytest.mark.parametrize(
    "result",
    [
        replace(FINE, violations=1),
        replace(FINE, defects_caught=1),
        replace(FINE, defects_seeded=0, defects_caught=0),
        replace(FINE, size=0),
    ],
)
def test_not_held(result: Result) -> None:
    assert FINE.held
    assert not result.held


def test_harnesses_are_called_by_the_beginning_of_their_names() -> None:
    assert [each.name for each in chosen(["append", "bank"])][-1] == "bank"
    assert len(chosen(["append"])) == 3
    assert chosen([]) == list(HARNESSES)
    assert arguments(["bank", "--scale", "0.1"]).scale == 0.1
