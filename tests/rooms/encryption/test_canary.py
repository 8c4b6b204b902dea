"""Clear text never reaches the server: a canary is looked for in all that the server keeps."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql

from freehold import Database, Encryption
from freehold.errors import ClearTextRefused
from freehold.operations import apply_layer
from freehold.rooms.encryption.local_keys import LocalKeyFile
from freehold.rooms.encryption.runtime import cipher_of
from freehold.servers import OwnedServer, disposable
from freehold.testing.database import create_database

from .conftest import RING, Built
from .layer import ONE, SECRET, Contact, layer


def holders(folder: Path, needle: bytes) -> set[str]:
    """The folders of the files below a data directory that hold some bytes; files may go meanwhile."""
    found = set()
    for path in folder.rglob("*"):
        try:
            if path.is_file() and needle in path.read_bytes():
                found.add(path.relative_to(folder).parts[0])
        except OSError:
            continue
    return found


def test_a_canary_is_nowhere(built: Built) -> None:
    folder = built.place.server.data_directory
    assert folder is not None
    secret, clear = f"secret-{uuid4().hex}@example.org", f"clear-{uuid4().hex}"
    for setting, value in (("log_statement", "all"), ("log_min_duration_statement", "0"), ("work_mem", "64kB")):
        text = sql.SQL("ALTER ROLE {} SET {} = {}")
        role = sql.Identifier(f"{built.name}_app_a")
        built.connection.execute(text.format(role, sql.Identifier(setting), sql.Literal(value)))
    fresh = built.layer.connect(built.url, keys=RING, encryption=built.encryption)
    with fresh.transaction(tenant=ONE, actor="ann") as session:
        session.add_all([Contact(mail=secret, phone=secret, badge=f"{secret}{n}", name=clear) for n in range(40)])
    with fresh.transaction(tenant=ONE, actor="ann") as session:
        cipher = cipher_of(session)
        assert len(cipher.find(session, Contact.mail, secret)) == 40
        session.scalars(sa.select(Contact).order_by(Contact.mail, Contact.name)).all()[0].mail = f"{secret}2"
    for statement in (sa.select(Contact).where(Contact.mail == secret), sa.update(Contact).values(mail=secret)):
        with (
            pytest.raises(ClearTextRefused),
            fresh.transaction(tenant=ONE, actor="a") as session,
        ):
            session.execute(statement)
    built.connection.execute("CHECKPOINT")
    activity = built.connection.execute("SELECT query FROM pg_stat_activity").fetchall()
    assert secret not in str(activity)
    assert {"base", "pg_wal"} <= holders(folder, clear.encode())
    assert holders(folder, secret.encode()) == set()
    fresh.dispose()


def test_a_temporary_file_holds_no_clear_value(built: Built, db: Database) -> None:
    """A sort that spills is read from its file while the cursor is open."""
    folder = built.place.server.data_directory
    assert folder is not None
    secret, clear = f"secret-{uuid4().hex}", f"clear-{uuid4().hex}"
    with db.transaction(tenant=ONE, actor="ann") as session:
        session.add_all([Contact(mail=secret + "x" * 500, name=clear + str(n)) for n in range(600)])
    with built.place.connect() as connection:
        connection.execute("SET work_mem = '64kB'")
        with psycopg.ServerCursor(connection, "spilled") as cursor:
            cursor.execute("SELECT name, email FROM shop.contact ORDER BY name, email").fetchone()
            spilled = [path for path in (folder / "base" / "pgsql_tmp").rglob("*") if path.is_file()]
            assert any(clear.encode() in path.read_bytes() for path in spilled)
            assert not any(secret.encode() in path.read_bytes() for path in spilled)


def test_statistics_and_logged_plans_hold_no_clear_value(server: OwnedServer, tmp_path: Path) -> None:
    """The extension that keeps statements, and the one that logs plans with their parameters."""
    secret, clear = f"secret-{uuid4().hex}@example.org", f"clear-{uuid4().hex}"
    settings = {
        "shared_preload_libraries": "pg_stat_statements,auto_explain",
        "auto_explain.log_min_duration": "0",
        "auto_explain.log_analyze": "on",
        "auto_explain.log_parameter_max_length": "-1",
        "log_parameter_max_length": "-1",
        "log_statement": "all",
    }
    with disposable(server.binaries, settings=settings) as own:
        place = create_database(own, "canary")
        made = layer("canary")
        with place.connect(autocommit=True) as connection:
            apply_layer(connection, made.declared)
            connection.execute("SELECT freehold.add_context_key_v1('k1', %s)", (SECRET,))
            connection.execute("ALTER ROLE canary_app_a PASSWORD 'of the application'")
            connection.execute("INSERT INTO shop.company (id) VALUES (%s)", (ONE,))
            connection.execute("CREATE EXTENSION pg_stat_statements SCHEMA public")
            url = place.url(user="canary_app_a", password="of the application")
            db = made.connect(url, keys=RING, encryption=Encryption(LocalKeyFile.create(tmp_path / "keys")))
            with db.transaction(tenant=ONE, actor="ann") as session:
                session.add(Contact(mail=secret, phone=secret, badge=secret, name=clear))
            with db.transaction(tenant=ONE, actor="ann") as session:
                assert len(cipher_of(session).find(session, Contact.mail, secret)) == 1
            db.dispose()
            kept = str(connection.execute("SELECT query FROM public.pg_stat_statements").fetchall())
        assert "shop.contact" in kept
        assert secret not in kept
        logged = own.log_path.read_text(encoding="utf-8", errors="replace")
    assert clear in logged, "parameters are logged"
    assert secret not in logged
