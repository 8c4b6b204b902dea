"""A user's mistake gets a code, a sentence and a hint: never a traceback, and exit status 2."""

from __future__ import annotations

import json

import pytest

from freehold.testing.database import Database
from tests.cli.command import Command

COULD_NOT_RUN = 2


@pytest.mark.parametrize(
    ("toml", "module", "code", "words"),
    [
        ("", "", "config.invalid", "No data layer is named"),
        ("layer = 'absent:layer'", "", "config.invalid", "No module named 'absent'"),
        ("layer = 'mine:layer'", "layer = 3", "config.invalid", "is not a data layer"),
        ("layer = 'mine:layer'", "1 / 0", "config.invalid", "ZeroDivisionError"),
        ("layer = 'mine:layer'", "def f(:", "config.invalid", "SyntaxError"),
        ("layer = 3", "", "config.invalid", "layer"),
        ("colour = 'red'", "", "config.invalid", "colour"),
        ("layer = ", "", "config.invalid", "cannot be read"),
    ],
)
def test_configuration(bare: Command, toml: str, module: str, code: str, words: str) -> None:
    (bare.folder / "freehold.toml").write_text(toml)
    (bare.folder / "mine.py").write_text(module)
    told = bare("plan", "--url", "postgresql://nobody@127.0.0.1:1/none")
    assert told.status == COULD_NOT_RUN
    assert code in told.err
    assert words in told.err


def test_unclassified_table(bare: Command, database: Database) -> None:
    (bare.folder / "mine.py").write_text(
        "import sqlalchemy as sa\nfrom freehold import DataLayer, Tenancy\n"
        "metadata = sa.MetaData(schema='shop')\n"
        "company = sa.Table('company', metadata, sa.Column('id', sa.Uuid, primary_key=True))\n"
        "stray = sa.Table('stray', metadata, sa.Column('id', sa.BigInteger, primary_key=True))\n"
        "layer = DataLayer(metadata, Tenancy(company), name='shop')\n"
    )
    told = bare("plan", "--layer", "mine:layer", "--url", database.url(), "--json")
    assert told.status == COULD_NOT_RUN
    error = json.loads(told.err)["error"]
    assert error["code"] == "tenancy.unclassified-table"
    assert "shop.stray" in error["message"]
    assert error["hint"]


def test_server(project: Command, database: Database) -> None:
    wrong = {
        "postgresql://postgres@127.0.0.1:1/none": "server.down",
        database.url(password="wrong", user="postgres"): "server.login-refused",
        database.url().replace(database.name, "absent"): "server.database-missing",
        "postgresql://[::1": "input.invalid",
        "postgresql://localhost:port/none": "input.invalid",
    }
    for url, code in wrong.items():
        told = project("plan", "--url", url)
        assert (told.status, code in told.err) == (COULD_NOT_RUN, True), told.err


def test_unprivileged(project: Command, database: Database, layer_name: str) -> None:
    with database.connect(autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {layer_name}_weak LOGIN PASSWORD 'weak-password'")
    told = project("plan", "--url", database.url(user=f"{layer_name}_weak", password="weak-password"))
    assert (told.status, "server.privilege-missing" in told.err) == (COULD_NOT_RUN, True), told.err


def test_names(bare: Command, project: Command, layer_name: str) -> None:
    told = {
        ("init", "Not A Name"): "cannot name a project",
        ("init", layer_name): "there already",
        ("prove", "--room", "absent"): "no probes of a room",
        ("drill", "absent"): "no drill",
        ("drill", "restore"): "needs a server that Freehold runs",
        ("refresh", "absent"): "no report",
        ("apply", "--json"): "--yes",
        ("up",): "somebody else's",
        ("nonsense",): "No such command",
    }
    for arguments, words in told.items():
        place = bare if arguments[0] == "init" else project
        answer = place(*arguments)
        assert (answer.status, words in " ".join(answer.err.split())) == (COULD_NOT_RUN, True), answer.err
