"""The command's whole way: adopt, plan nothing, change a model, plan that change alone, apply it."""

from __future__ import annotations

import json
from pathlib import Path

from freehold.testing.database import Database
from tests.cli.command import Command

SCRIPT = b"""
CREATE TABLE company (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE customer (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, company_id uuid NOT NULL REFERENCES company, name text NOT NULL
);
CREATE TABLE invoice (id serial PRIMARY KEY, company_id uuid NOT NULL REFERENCES company, amount numeric(12, 2));
CREATE TYPE address AS (street text);
CREATE TABLE office (id int PRIMARY KEY, place address);
"""


def test_whole_way(database: Database, tmp_path: Path) -> None:
    with database.connect(autocommit=True) as connection:
        connection.execute(SCRIPT)
        connection.execute(b"INSERT INTO company VALUES (gen_random_uuid(), 'one')")
    answer = Command(tmp_path)("adopt", database.url(), "--to", "shop", "--name", "shop", "--json")
    assert answer.status == 0, answer.err
    told = json.loads(answer.out)
    assert told["files"] == ["models.py", "layer.py", "freehold.toml"]
    assert told["tables"] == 3
    assert told["tenants"] == {"root": "Company", "column": "company_id", "tables": 2}
    assert "table public.office" in [each["object"] for each in told["left_alone"]]

    project = Command(tmp_path / "shop", {"FREEHOLD_URL": database.url()})
    assert (project("plan").status, project("plan").out) == (0, "-- nothing to do\n")
    assert project("apply", "--yes").status == 0
    assert project("status").status == 0
    assert "declares nothing that could be proved" in project("prove").err

    models = project.folder / "models.py"
    models.write_text(models.read_text().replace("    name: Mapped[str] = mapped_column(sa.Text)\n", "", 1))
    kept = project("plan")
    assert (kept.status, kept.out) == (0, "-- nothing to do\n"), "what Freehold never applied it does not drop"
    models.write_text(models.read_text() + '\n    note: Mapped[str | None] = mapped_column(comment="free text")\n')
    changed = json.loads(project("plan", "--json").out)
    assert {step["room"] for step in changed["steps"]} == {"journal", "model"}
    assert project("apply", "--yes").status == 0
    assert project("plan").status == 0


def test_folder_is_made_and_the_terminal_tells(database: Database, tmp_path: Path) -> None:
    with database.connect(autocommit=True) as connection:
        connection.execute(SCRIPT)
    answer = Command(tmp_path)("adopt", database.url(), "--to", "a/b/shop")
    assert answer.status == 0, answer.err
    assert "3 tables adopted; the first plan is empty." in answer.err
    assert "table public.office: " in answer.err
    assert "Company looks like the table of tenants" in answer.err
    assert (tmp_path / "a" / "b" / "shop" / "layer.py").exists()
