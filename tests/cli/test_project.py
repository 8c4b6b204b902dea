"""A new project's whole life: planned, applied, used, proved, broken, found out."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path
from xml.etree import ElementTree as Xml

from freehold.servers.binaries import Binaries
from freehold.testing.database import Database
from tests.cli.command import Command

ONE = "00000000-0000-0000-0000-000000000001"
TWO = "00000000-0000-0000-0000-000000000002"
PENDING = 3


def test_whole_life(project: Command, database: Database, layer_name: str, tmp_path: Path) -> None:
    assert project("plan").status == PENDING
    assert project("apply", stdin="n\n").status == PENDING
    first = project("apply", "--yes")
    assert (first.status, "steps applied" in first.err) == (0, True), first.err
    assert project("apply").out == "-- nothing to do\n"
    assert project("plan").status == 0

    _fill(project, layer_name)
    proved = project("prove", "--json", "--junit", str(tmp_path / "verdicts.xml"))
    verdicts = json.loads(proved.out)
    assert {verdict["verdict"] for verdict in verdicts} == {"held"}, proved.out
    assert proved.status == 0
    assert len(list(Xml.parse(tmp_path / "verdicts.xml").iter("testcase"))) == len(verdicts)

    with database.connect(autocommit=True) as connection:
        connection.execute(f"ALTER TABLE {layer_name}.customer NO FORCE ROW LEVEL SECURITY")
    broken = project("prove", "--room", "tenancy")
    assert (broken.status, "BROKEN" in broken.out) == (1, True)
    standing = project("status", "--json")
    assert standing.status == 1
    assert json.loads(standing.out)["pending_steps"] == 1
    assert project("apply", "--yes").status == 0
    assert project("prove", "--room", "tenancy").status == 0


def _fill(project: Command, layer: str) -> None:
    for tenant in (ONE, TWO):
        rows = (
            f"INSERT INTO {layer}.company (id, name) VALUES ('{tenant}', 'C');"
            f"INSERT INTO {layer}.customer (tenant_id, name) VALUES ('{tenant}', 'X');"
            f"INSERT INTO {layer}.invoice (tenant_id, customer_id, amount)"
            f" SELECT tenant_id, id, 5 FROM {layer}.customer"
        )
        done = project("psql", "--tenant", tenant, "-c", rows)
        assert done.status == 0, done.err
    refreshed = project("refresh", "--json")
    assert [(row["report"], row["changed"]) for row in json.loads(refreshed.out)] == [("invoiced", 2)]


def test_plan_pastes_into_psql(project: Command, database: Database, binaries: Binaries, tmp_path: Path) -> None:
    planned = project("plan")
    (tmp_path / "plan.sql").write_text(planned.out)
    psql = (binaries.program("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database.url())
    done = project.run(*psql, "-f", str(tmp_path / "plan.sql"))
    assert done.status == 0, done.err
    assert project("plan").status == 0


def test_keys_and_credentials(project: Command, layer_name: str, tmp_path: Path) -> None:
    assert project("keys", "rotate").status == 2, "nothing is applied yet"
    assert project("apply", "--yes").status == 0
    (first,) = json.loads(project("keys", "list", "--json").out)
    assert first["signs"]
    assert project("keys", "retire", first["key_id"]).status == 2, "the signing key stays"
    second = json.loads(project("keys", "rotate", "--json").out)["key_id"]
    assert project("keys", "retire", first["key_id"]).status == 0
    keys = project.folder / ".freehold" / "context.keys"
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600
    assert second in keys.read_text()
    assert first["key_id"] not in keys.read_text()

    secret = tmp_path / "url"
    assert project("credentials", "app_a", "--file", str(secret)).out == ""
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert project("credentials", "owner").status == 2, "the owner is no login"
    assert project("credentials", "app_b", "--prompt", stdin="short\n").status == 2
    used = Command(project.folder, {"DATABASE_URL": secret.read_text().strip()}).run(sys.executable, "app.py")
    assert used.out == "invoice 1\n19.90 invoiced\n", used.err


def test_psql_takes_role_and_tenant(project: Command, layer_name: str) -> None:
    assert project("apply", "--yes").status == 0
    _fill(project, layer_name)
    count = f"SELECT current_user, count(*) FROM {layer_name}.customer"
    assert f"{layer_name}_app_a |     1" in project("psql", "--tenant", ONE, "-c", count).out
    after = project("psql", "--tenant", ONE, stdin=f"COMMIT;\nSELECT current_user;\n{count};\n")
    assert f"{layer_name}_app_a" in after.out, "after COMMIT nobody is the administrator again"
    assert "no tenant context" in after.err
    assert f"{layer_name}_ro" in project("psql", "--role", "ro", "-c", "SELECT current_user").out
    assert project("psql", "--actor", "ada").status == 2
