"""COPY and raw psycopg under the same context."""

from __future__ import annotations

import psycopg
import pytest
import sqlalchemy as sa

from freehold.errors import ContextExpired
from freehold.runtime import Database, Session
from freehold.runtime.driver import Connection
from tests.rooms.tenancy.layer import TABLES, A, B, Customer
from tests.runtime.bulk_ground import REFUSED, sqlstate


def count(session: Session) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(Customer)) or 0


def test_rows_are_stored_for_the_contexts_tenant(db: Database) -> None:
    with db.transaction(tenant=A, actor="ana") as session:
        rows = ((f"c{n}@example.org",) for n in range(1000))
        assert session.copy_in(Customer, ["email"], rows) == 1000
        assert session.copy_in(TABLES["shop.customer"], ["email"], [b"d1@example.org\nd2@", b"example.org\n"]) == 2
        assert count(session) == 1005
    with db.transaction(tenant=B, actor="ana") as session:
        assert count(session) == 3


def test_policies_check_every_row(db: Database) -> None:
    with pytest.raises(REFUSED) as caught, db.transaction(tenant=A, actor="ana") as session:
        session.copy_in(Customer, ["tenant_id", "email"], [(A, "mine@example.org"), (B, "theirs@example.org")])
    assert sqlstate(caught.value) == "42501"
    with db.transaction(tenant=A, actor="ana") as session:
        assert count(session) == 3


def test_conflicts_are_skipped_on_request(db: Database) -> None:
    with db.transaction(tenant=A, actor="ana") as session:
        rows = [("1@example.org",), ("new@example.org",)]
        assert session.copy_in(Customer, ["email"], rows, skip_conflicts=True) == 1


def test_copy_straight_into_the_table_is_refused_by_the_server(db: Database) -> None:
    """The reason for the staging table; a server that took it would make the staging unnecessary."""
    with db.transaction(tenant=A, actor="ana") as session, session.begin_nested() as part:
        copying = session.psycopg().cursor().copy("COPY shop.customer (tenant_id, email) FROM STDIN")
        with pytest.raises(psycopg.errors.FeatureNotSupported), copying:
            pass
        part.rollback()


def test_raw_connection_is_under_the_context(db: Database) -> None:
    with db.transaction(tenant=B, actor="ana") as session:
        raw = session.psycopg()
        assert raw.execute("SELECT DISTINCT tenant_id FROM shop.customer").fetchall() == [(B,)]


def test_a_refused_context_on_the_raw_connection_is_a_typed_error(db: Database) -> None:
    with pytest.raises(ContextExpired), db.transaction(tenant=B, actor="ana") as session:
        raw = session.psycopg()
        assert isinstance(raw, Connection)
        expired = session.unit.frame.signer.token(session.context, raw.backend, lifetime=-60)
        raw.execute("SELECT set_config('freehold.context', %s, true)", (expired,))
        raw.execute("SELECT * FROM shop.customer")
