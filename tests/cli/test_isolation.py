"""``freehold prove tenancy`` on a new project: all accounted for, then a stranger, named with what to do."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as Xml

from freehold.testing.database import Database
from tests.cli.command import Command


def test_ledger_of_a_new_project(project: Command, database: Database, layer_name: str, tmp_path: Path) -> None:
    assert project("apply", "--yes").status == 0
    ledger = project("prove", "tenancy", "--json", "--junit", str(tmp_path / "ledger.xml"))
    told = json.loads(ledger.out)
    # Of other tests' roles and standbys the cluster has some.
    mine = [line for line in told["exits"] if line["kind"] not in ("role", "standby")]
    assert {line["standing"] for line in mine} == {"proven", "tested"}, ledger.out
    assert {promise["verdict"] for promise in told["promises"]} == {"held"}
    assert len(list(Xml.parse(tmp_path / "ledger.xml").iter("testcase"))) == len(told["exits"]) + len(told["promises"])

    with database.connect(autocommit=True) as connection:
        connection.execute(f"CREATE TABLE {layer_name}.copied AS TABLE {layer_name}.customer".encode())
        connection.execute(f"GRANT SELECT ON {layer_name}.copied TO {layer_name}_ro".encode())
    seen = project("prove", "tenancy")
    assert seen.status == 1
    assert f"BROKEN   table {layer_name}.copied" in seen.out
    assert "do: Add the table to the metadata" in seen.out
    assert project("status", "--json").status == 1


def test_only_tenancy_has_a_ledger(project: Command) -> None:
    for arguments in (("prove", "history"), ("prove", "tenancy", "--room", "roles")):
        refused = project(*arguments)
        assert (refused.status, "hint:" in refused.err) == (2, True), refused.err


def test_canaries_have_to_be_declared(project: Command) -> None:
    refused = project("prove", "--canaries")
    assert (refused.status, "Canaries(one, two)" in refused.err) == (2, True), refused.err
