"""What cannot be adopted is refused with a reason, and nothing is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from freehold.adopt import adopt
from freehold.errors import AdoptionRefused
from freehold.testing.database import Database
from tests.cli.command import Command

TABLE = b"CREATE TABLE customer (id int PRIMARY KEY, name text)"


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """The command in an empty folder."""
    return Command(tmp_path)


def test_empty_database(command: Command, database: Database) -> None:
    answer = command("adopt", database.url(), "--to", "shop", "--json")
    assert (answer.status, json.loads(answer.err)["error"]["code"]) == (2, "adopt.refused")
    assert not (command.folder / "shop").exists()


def test_folder_with_files_is_left_alone(command: Command, database: Database) -> None:
    with database.connect(autocommit=True) as connection:
        connection.execute(TABLE)
    (command.folder / "shop").mkdir()
    (command.folder / "shop" / "models.py").write_text("mine")
    answer = command("adopt", database.url(), "--to", "shop")
    assert (answer.status, "not empty" in answer.err) == (2, True)
    assert (command.folder / "shop" / "models.py").read_text() == "mine"
    (command.folder / "file").write_text("mine")
    assert command("adopt", database.url(), "--to", "file").status == 2
    assert command("adopt", database.url(), "--to", "file/below").status == 2


@pytest.mark.parametrize(
    "url", ["postgresql://127.0.0.1:1/none", "mysql://127.0.0.1/none", "nonsense", "postgresql://[::1"]
)
def test_wrong_url(command: Command, url: str) -> None:
    answer = command("adopt", url, "--to", "shop")
    assert answer.status == 2, answer.err
    assert "error: " in answer.err
    assert not (command.folder / "shop").exists()


def test_unknown_database_and_wrong_name(command: Command, database: Database) -> None:
    assert command("adopt", database.url() + "_not_there", "--to", "shop").status == 2
    with database.connect(autocommit=True) as connection:
        connection.execute(TABLE)
    answer = command("adopt", database.url(), "--to", "shop", "--name", "Not A Name")
    assert (answer.status, "cannot name a data layer" in answer.err) == (2, True)
    assert not (command.folder / "shop").exists()


def test_login_without_rights(command: Command, database: Database) -> None:
    login = f"{database.name}_l"
    with database.connect(autocommit=True) as connection:
        connection.execute(TABLE)
        connection.execute(f"CREATE ROLE {login} LOGIN PASSWORD 'secret-enough'".encode())
    answer = command("adopt", database.url(user=login, password="secret-enough"), "--to", "shop", "--json")
    assert (answer.status, json.loads(answer.err)["error"]["code"]) == (2, "server.privilege-missing")


def test_applied_layer_is_not_adopted(command: Command, database: Database, layer_name: str) -> None:
    assert command("init", layer_name).status == 0
    project = Command(command.folder / layer_name, {"FREEHOLD_URL": database.url()})
    assert project("apply", "--yes").status == 0
    with database.connect(autocommit=True) as connection, pytest.raises(AdoptionRefused) as caught:
        adopt(connection, "")
    assert "applied to" in caught.value.message
