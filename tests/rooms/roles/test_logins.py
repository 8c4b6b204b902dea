"""Real logins: passwords, limits at connection, and what each may do there."""

from __future__ import annotations

import psycopg
import pytest

from freehold.rooms.roles import Roles, set_password
from freehold.testing.database import Database

from .layer import build, layer


def test_a_password_is_sent_as_its_verifier_and_logs_in(database: Database, layer_name: str) -> None:
    app = f"{layer_name}_app_a"
    with database.connect(autocommit=True) as connection:
        build(connection, layer(layer_name, Roles()))
        set_password(connection, app, "correct horse")
        stored = connection.execute("SELECT rolpassword FROM pg_authid WHERE rolname = %s", (app,)).fetchone()
    assert stored is not None
    assert stored[0].startswith("SCRAM-SHA-256$4096:")
    with database.connect(user=app, password="correct horse") as connection:
        shown = connection.execute(
            "SELECT current_setting('search_path'), current_setting('statement_timeout')"
        ).fetchone()
        assert shown == ("pg_catalog", "30s")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SET ROLE postgres")


def test_the_migrator_acts_as_owner_only_after_set_role(database: Database, layer_name: str) -> None:
    migrator = f"{layer_name}_migrator"
    with database.connect(autocommit=True) as connection:
        build(connection, layer(layer_name, Roles()))
        set_password(connection, migrator, "m")
    with database.connect(user=migrator, password="m") as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT FROM shop.company")
        connection.rollback()
        connection.execute(f"SET ROLE {layer_name}_owner".encode())
        connection.execute("ALTER TABLE shop.country ADD COLUMN name text")


def test_a_stranger_cannot_connect(database: Database, layer_name: str) -> None:
    stranger = f"{layer_name}_stranger"
    with database.connect(autocommit=True) as connection:
        build(connection, layer(layer_name, Roles()))
        connection.execute(f"CREATE ROLE {stranger} LOGIN".encode())
        set_password(connection, stranger, "s")
    url = database.conninfo(user=stranger, password="s")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
