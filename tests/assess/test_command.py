"""The command: text, JSON, a page, and what it exits with."""

from __future__ import annotations

import json
from pathlib import Path

from freehold.testing.database import Database
from tests.assess.test_checks import GROUND
from tests.cli.command import Command


def test_a_review_of_a_database_without_a_project(database: Database, tmp_path: Path) -> None:
    with database.connect(autocommit=True) as connection:
        connection.execute(GROUND)
        connection.execute('CREATE TABLE app.keyless (a text, "<b>" text)')
    run, page = Command(tmp_path), tmp_path / "review.html"
    told = run("assess", database.url(), "--html", str(page))
    assert told.status == 0, told.err
    assert "HIGH    B201 app.keyless" in told.out
    text = page.read_text()
    assert "app.keyless" in text
    assert "&lt;b&gt;" in text
    assert "<script" not in text
    failed = run("assess", database.url(), "--json", "--fail-on", "high")
    assert failed.status == 1
    content = json.loads(failed.out)
    assert content["tenant_column"] == "company_id"
    assert {"code", "subject", "evidence", "mend", "prevented_by"} <= set(content["findings"][0])


def test_a_page_that_cannot_be_written(database: Database, tmp_path: Path) -> None:
    told = Command(tmp_path)("assess", database.url(), "--html", str(tmp_path / "none" / "review.html"))
    assert told.status == 2
    assert "input.invalid" in told.err


def test_a_wrong_address(tmp_path: Path) -> None:
    told = Command(tmp_path)("assess", "postgresql://127.0.0.1:1/none")
    assert told.status == 2
    assert "server.down" in told.err
