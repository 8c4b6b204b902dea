"""Freehold's own tables, damaged by hand: it says which, and the way out that it names works."""

from __future__ import annotations

import re

from tests.bad_input.ground import Ground, refusal

TABLES = ("applied_plan", "applied_step", "managed_object", "evidence", "journal_version")
COMMANDS = (("plan",), ("apply", "--yes"), ("status",), ("prove",))


def test_a_lost_table(ground: Ground) -> None:
    for table in TABLES:
        ground.run(f"ALTER TABLE freehold.{table} RENAME TO lost")
        for arguments in COMMANDS:
            error = refusal(ground.command, *arguments)
            assert error["code"] == "journal.damaged", arguments
            assert table in error["message"]
        ground.run(f"ALTER TABLE freehold.lost RENAME TO {table}")
    assert ground.command("plan").status == 0
    ground.run("DROP TABLE freehold.applied_plan CASCADE")
    before = ground.contents()
    error = refusal(ground.command, "apply", "--yes")
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


# Each damage, its undoing, and what is told of it.
DAMAGES = (
    ("ALTER TABLE freehold.applied_step RENAME title TO t", "RENAME t TO title", "applied_step.title"),
    ("ALTER TABLE freehold.evidence RENAME verdict TO v", "RENAME v TO verdict", "evidence.verdict"),
    ("UPDATE freehold.journal_version SET version = version + 97", "", "99"),
    ("DELETE FROM freehold.journal_version", "", "journal_version"),
)


def test_a_damaged_table(ground: Ground) -> None:
    for damage, undo, words in DAMAGES:
        ground.run(damage)
        for arguments in COMMANDS:
            error = refusal(ground.command, *arguments)
            assert error["code"] == "journal.damaged"
            assert words in error["message"]
        if undo:
            ground.run(f"{damage.split(' RENAME ')[0]} {undo}")


def test_without_its_rows_what_it_managed_is_left_alone(ground: Ground) -> None:
    ground.run("TRUNCATE freehold.managed_object, freehold.applied_step, freehold.applied_plan, freehold.evidence")
    assert ground.command("status").status == 0
    ground.write("layer.py", '    History(Customer, keep="7 years"),', "")
    assert ground.command("apply", "--yes").status == 0
    assert ground.ask("SELECT count(*) > 0 FROM {layer}.customer_history") == [(True,)]
