"""The same fault is the same class whether the ORM, the fast path or the raw connection met it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from freehold.errors import RowRefused, StatementTimeout, TextInvalid, UniqueViolated
from freehold.runtime import Database, Workload
from tests.rooms.tenancy.layer import A, B, Customer

TAKEN = "1@example.org"


def test_through_the_orm(db: Database) -> None:
    with pytest.raises(UniqueViolated) as caught, db.transaction(tenant=A, actor="ana") as session:
        session.add(Customer(email=TAKEN))
    assert caught.value.columns == ("email",)
    assert caught.value.table == "shop.customer"
    assert TAKEN not in str(caught.value)


def test_through_a_statement_of_the_session(db: Database) -> None:
    with pytest.raises(UniqueViolated), db.transaction(tenant=A, actor="ana") as session:
        session.execute(sa.insert(Customer).values(tenant_id=A, email=TAKEN))
    with pytest.raises(RowRefused) as caught, db.transaction(tenant=A, actor="ana") as session:
        session.execute(sa.insert(Customer).values(tenant_id=B, email="new"))
    assert str(B) not in str(caught.value)


def test_through_the_fast_path(db: Database) -> None:
    with pytest.raises(UniqueViolated) as caught, db.core(tenant=A, actor="ana") as tx:
        tx.execute(sa.insert(Customer), {"email": TAKEN})
    assert caught.value.columns == ("email",)


def test_through_the_raw_connection(db: Database) -> None:
    with pytest.raises(UniqueViolated), db.transaction(tenant=A, actor="ana") as session:
        statement = "INSERT INTO shop.customer (tenant_id, email) VALUES (%s, %s)"
        session.psycopg().execute(statement, (A, TAKEN))
    with pytest.raises(TextInvalid), db.transaction(tenant=A, actor="ana") as session:
        session.psycopg().execute("SELECT 'x'::uuid")


def test_a_savepoint_survives_a_fault(db: Database) -> None:
    with db.transaction(tenant=A, actor="ana") as session:
        with pytest.raises(UniqueViolated), session.begin_nested():
            session.add(Customer(email=TAKEN))
            session.flush()
        session.add(Customer(email="free@example.org"))


def test_the_causes_hold_no_row_of_another_tenant(db: Database) -> None:
    """Row security makes the server leave the values out, so that a log of the whole chain tells none."""
    with pytest.raises(UniqueViolated) as caught, db.transaction(tenant=A, actor="ana") as session:
        session.execute(sa.insert(Customer).values(tenant_id=A, email=TAKEN))
    error: BaseException | None = caught.value
    texts = []
    while error is not None:
        texts.append(str(error))
        error = error.__cause__
    assert len(texts) > 1
    assert not any("DETAIL" in text and TAKEN in text for text in texts)


def test_a_statement_that_takes_too_long(connect: Callable[..., Database]) -> None:
    db = connect(workloads=(Workload("quick", statement_timeout=0.2),))
    statement = sa.select(sa.func.pg_sleep(5))
    with pytest.raises(StatementTimeout) as caught, db.transaction(tenant=A, actor="ana", workload="quick") as session:
        session.execute(statement)
    assert "0.2 s" in caught.value.message
    with pytest.raises(StatementTimeout), db.core(tenant=A, actor="ana", workload="quick") as tx:
        tx.execute(statement)
