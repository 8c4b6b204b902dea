"""Freehold's own tables, damaged by hand: it says which, and the way out that it names works."""

from __future__ import annotations

import re

import pytest

from tests.bad_input.ground import Ground, refusal

TABLES = ("applied_plan", "applied_step", "managed_object", "evidence", "journal_version")
COMMANDS = (("plan",), ("apply", "--yes"), ("status",), ("prove",))


@pytest.mark.parametrize("table", TABLES)
def test_a_dropped_table(ground: Ground, table: str) -> None:
    ground.run(f"DROP TABLE freehold.{table} CASCADE")
    before = ground.contents()
    for arguments in COMMANDS:
        error = refusal(ground.command, *arguments)
        assert error["code"] == "journal.damaged", arguments
        assert table in error["message"]
    assert ground.contents() == before
    _take_the_way_out(ground, error["hint"])


def _take_the_way_out(ground: Ground, hint: str) -> None:
    found = re.search(r"DROP TABLE IF EXISTS [^;]*;", hint)
    assert found
    ground.run(found[0])
    assert ground.command("apply", "--yes").status == 0
    assert ground.command("plan").status == 0
    assert ground.command("prove", "--room", "history").status == 0
    assert ground.ask("SELECT count(*) FROM {layer}.customer") == [(6,)]


DAMAGES = {
    "ALTER TABLE freehold.applied_step DROP COLUMN title": "applied_step.title",
    "ALTER TABLE freehold.evidence RENAME verdict TO judgement": "evidence.verdict",
    "DELETE FROM freehold.journal_version": "journal_version",
    "UPDATE freehold.journal_version SET version = 99": "99",
}


@pytest.mark.parametrize(("damage", "words"), DAMAGES.items(), ids=DAMAGES.values())
def test_a_damaged_table(ground: Ground, damage: str, words: str) -> None:
    ground.run(damage)
    before = ground.contents()
    for arguments in COMMANDS:
        error = refusal(ground.command, *arguments)
        assert error["code"] == "journal.damaged"
        assert words in error["message"]
    assert ground.contents() == before


def test_without_its_rows_what_it_managed_is_left_alone(ground: Ground) -> None:
    ground.run("TRUNCATE freehold.managed_object, freehold.applied_step, freehold.applied_plan, freehold.evidence")
    assert ground.command("status").status == 0
    ground.write("layer.py", '    History(Customer, keep="7 years"),', "")
    assert ground.command("apply", "--yes").status == 0
    assert ground.ask("SELECT count(*) > 0 FROM {layer}.customer_history") == [(True,)]
