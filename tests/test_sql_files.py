"""Every .sql file of the package that is a statement as it stands can be prepared on every major version."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

import freehold
from freehold.servers.owned import OwnedServer
from freehold.testing.database import Database

SOURCE = Path(freehold.__file__).parent
TEMPLATE = re.compile(r"\{\w*\}")
PARAMETER = re.compile(r"%(?:\((\w+)\))?s")
PREPARABLE = re.compile(r"(--[^\n]*\n|\s)*(SELECT|INSERT|UPDATE|DELETE|MERGE|WITH|VALUES)\b")
OF_A_LAYER = (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedFunction, psycopg.errors.InvalidSchemaName)
"""What a statement about a layer's own objects meets where there is no layer: its syntax was right."""


def statements(*folders: str) -> list[Path]:
    """Files below these folders that are whole statements, named verb_thing; others are parts of function bodies."""
    found = (file for folder in folders for file in sorted((SOURCE / folder).rglob("sql/*_*.sql")))
    return [file for file in found if not TEMPLATE.search(text := file.read_text()) and PREPARABLE.match(text)]


STOPS_EVERYTHING = re.compile(r"VACUUM FULL|\bCLUSTER \{|\bTRUNCATE \{\}|DROP [^\"\n]*\bCASCADE\b")
OWN = {"moving.py": "a successor that was begun for another declaration, and that nobody uses"}


def test_no_step_stops_everything() -> None:
    """No change is written by a rewrite under ACCESS EXCLUSIVE, and none takes along what it does not name."""
    files = [file for folder in ("objects", "online") for file in (SOURCE / "kernel" / folder).rglob("*.py")]
    assert len(files) > 20
    assert {file.name for file in files if STOPS_EVERYTHING.search(file.read_text())} == set(OWN)


def prepared(connection: psycopg.Connection[object], file: Path) -> None:
    """Let the server parse and plan the statement, its parameters numbered."""
    numbers: dict[str, int] = {}
    text = PARAMETER.sub(lambda found: f"${numbers.setdefault(found[1], len(numbers) + 1)}", file.read_text())
    connection.execute(f"PREPARE it AS {text.replace('%%', '%')}".encode())
    connection.execute("DEALLOCATE it")


def test_own_statements_run_everywhere(database: Database) -> None:
    with database.connect(autocommit=True) as connection:
        connection.execute((SOURCE / "journal" / "schema.sql").read_bytes())
        files = [*statements("kernel", "journal"), *(f for f in statements("isolation") if f.name.startswith("read_"))]
        assert len(files) > 25
        for file in files:
            prepared(connection, file)


def test_statements_of_rooms_and_runtime_parse_everywhere(database: Database) -> None:
    files = statements("rooms", "runtime", "servers", "cli", "isolation")
    assert len(files) > 10
    with database.connect(autocommit=True) as connection:
        for file in files:
            try:
                prepared(connection, file)
            except OF_A_LAYER:
                continue


def test_wrong_statement_is_seen(server: OwnedServer, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.sql"
    wrong.write_text("SELECT FROM WHERE %(x)s")
    with server.connect("postgres", autocommit=True) as connection, pytest.raises(psycopg.errors.SyntaxError):
        prepared(connection, wrong)
