"""The scratch database: nothing is left of it, and its cache says what building says."""

from __future__ import annotations

import time
from pathlib import Path

import psycopg
import pytest

from freehold.errors import DeclarationError, FreeholdError
from freehold.kernel.declare import Extra
from freehold.kernel.objects import Grant, Policy, Role
from freehold.kernel.scratch import SCRATCH, build
from freehold.operations import plan_layer
from freehold.testing.database import Database
from tests.kernel.sample import extras, layer, metadata, sample


def leftovers(connection: psycopg.Connection[tuple[object, ...]], prefix: str) -> list[object]:
    """Scratch databases, and roles of the test."""
    query = (
        "SELECT datname FROM pg_database WHERE datname LIKE 'freehold_scratch%%' "
        "UNION ALL SELECT rolname FROM pg_roles WHERE starts_with(rolname, %s)"
    )
    return [row[0] for row in connection.execute(query, (prefix,))]


def roles(prefix: str) -> Extra:
    """A role that the cluster lacks, with a grant."""
    name = f"{prefix}_nobody"
    return Extra(Role(role=name), Grant(on="table", target=("shop", "orders"), grantee=name, privileges=("SELECT",)))


def test_cache_says_what_building_says(database: Database, tmp_path: Path) -> None:
    declared = sample(roles(database.name))
    with database.connect(autocommit=True) as connection:
        built = build(connection, declared.objects, tmp_path)
        (file,) = tmp_path.iterdir()
        loaded = build(connection, declared.objects, tmp_path)
        assert dict(loaded.objects) == {key: loaded.objects[key] for key in built.objects}
        assert loaded.objects == built.objects
        assert {key: needs for key, needs in loaded.needs.items() if needs} == dict(built.needs)
        assert leftovers(connection, database.name) == []
        other = layer(metadata(), Extra(*extras()[:-1]))
        build(connection, other.objects, tmp_path)
        assert len(list(tmp_path.iterdir())) == 2
        assert file.stat().st_mode & 0o077 == 0 or tmp_path.stat().st_mode & 0o077 == 0


def test_damaged_cache_is_built_again(database: Database, tmp_path: Path) -> None:
    declared = sample()
    with database.connect(autocommit=True) as connection:
        built = build(connection, declared.objects, tmp_path)
        (file,) = tmp_path.iterdir()
        file.write_text(file.read_text()[:100])
        assert build(connection, declared.objects, tmp_path).objects == built.objects


def test_nothing_is_left_after_an_error(database: Database) -> None:
    bad = Policy(schema="shop", table="orders", policy="bad", using="no_such_column > 0")
    with database.connect(autocommit=True) as connection:
        with pytest.raises(DeclarationError):
            plan_layer(connection, sample(roles(database.name), Extra(bad)))
        assert leftovers(connection, database.name) == []


@pytest.mark.parametrize("powers", ["CREATEDB CREATEROLE", "CREATEDB", "CREATEROLE"])
def test_login_that_is_no_superuser_plans_or_is_told_what_it_lacks(database: Database, powers: str) -> None:
    login = f"{database.name}_l"
    with database.connect(autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {login} LOGIN PASSWORD 'secret-enough' {powers}".encode())
    declared = sample(roles(database.name))
    with database.connect(user=login, password="secret-enough", autocommit=True) as connection:
        if powers == "CREATEDB CREATEROLE":
            assert len(plan_layer(connection, declared).steps) > 10
        else:
            with pytest.raises(FreeholdError) as caught:
                plan_layer(connection, declared)
            assert caught.value.code == "server.privilege-missing"
            assert login in caught.value.message
        assert [name for name in leftovers(connection, database.name) if name != login] == []


def test_scratch_databases_of_killed_plans_are_swept(database: Database) -> None:
    old, young = f"{SCRATCH}1000000000_dead", f"{SCRATCH}{int(time.time())}_{database.name}"
    with database.connect(autocommit=True) as connection:
        for name in (old, young):
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        plan_layer(connection, sample())
        names = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
        connection.execute(f'DROP DATABASE "{young}"'.encode())
    assert old not in names
    assert young in names
