"""Transactions: the tenant is bound, filled in and named; only the block ends them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import aliased

from freehold.errors import (
    CommitInside,
    CommitRefused,
    ContextMissing,
    DataRefused,
    ReadOnly,
    RowRefused,
    UniqueViolated,
)
from freehold.runtime import Database
from freehold.runtime.literal import sql
from tests.rooms.tenancy.layer import A, B, Company, Customer, Order, Product


def emails(db: Database, tenant: object) -> list[str]:
    with db.transaction(tenant=tenant, actor="ana") as session:
        return sorted(session.scalars(sa.select(Customer.email)))


def test_each_tenant_sees_its_own_rows_through_one_cached_statement(db: Database) -> None:
    with db.transaction(tenant=A, actor="ana") as session:
        session.execute(sa.update(Customer).values(email=sa.func.concat("a", Customer.email)))
    assert emails(db, A) == ["a1@example.org", "a2@example.org", "a3@example.org"]
    assert emails(db, B) == ["1@example.org", "2@example.org", "3@example.org"]
    assert emails(db, str(A)) == emails(db, A)


def test_the_tenant_column_is_filled_in(db: Database) -> None:
    with db.transaction(tenant=str(A), actor="ana") as session:
        session.add(Customer(email="new@example.org"))
    with db.transaction(tenant=A, actor="ana") as session:
        found = session.scalars(sa.select(Customer).where(Customer.email == "new@example.org")).one()
        assert found.tenant_id == A


def test_a_row_of_another_tenant_is_refused(db: Database) -> None:
    with pytest.raises(RowRefused), db.transaction(tenant=A, actor="ana") as session:
        session.add(Customer(tenant_id=B, email="new@example.org"))
    assert len(emails(db, B)) == 3


def test_every_reference_of_a_tenants_table_names_the_tenant(db: Database) -> None:
    seen: list[str] = []
    sa.event.listen(db.engine, "before_cursor_execute", lambda *call: seen.append(call[2]))
    buyer = aliased(Customer)
    with db.transaction(tenant=A, actor="ana") as session:
        same = buyer.id == Order.customer_id
        session.execute(sa.select(Order, buyer).join(buyer, same)).all()
        session.execute(sa.delete(Order).where(Order.id == -1))
        session.execute(sa.select(Product)).all()
        within = sa.select(Customer.id).where(Customer.email == "x")
        session.execute(sa.select(Order).where(Order.customer_id.in_(within))).all()
    statements = [text for text in seen if "set_config" not in text]
    assert [text.count("freehold_tenant") for text in statements] == [2, 1, 0, 2]


def test_the_context_travels_as_a_parameter(db: Database) -> None:
    with db.transaction(tenant=A, actor="ana") as session:
        texts = session.scalars(sql("SELECT statement FROM pg_prepared_statements")).all()
    assert any("set_config('freehold.context', $1" in text for text in texts)
    assert not any("|v1|" in text for text in texts)


def test_the_context_is_gone_after_the_transaction(connect: Callable[..., Database]) -> None:
    db = connect(pool_size=1, max_overflow=0)
    emails(db, A)
    with db.engine.connect() as connection:
        assert connection.scalar(sql("SELECT current_setting('freehold.context', true)")) == ""
        with pytest.raises(ContextMissing):
            connection.execute(sql("SELECT * FROM shop.customer"))


def test_without_a_tenant_only_shared_tables_are_reached(db: Database) -> None:
    with db.transaction(actor="ana") as session:
        assert session.scalars(sa.select(Product)).all() == []
        assert session.scalar(sql("SELECT freehold.actor_v1()")) == "ana"
    with pytest.raises(ContextMissing), db.transaction(actor="ana") as session:
        session.scalars(sa.select(Customer)).all()


@pytest.mark.parametrize("method", ["commit", "rollback", "close"])
def test_only_the_block_ends_the_transaction(db: Database, method: str) -> None:
    with pytest.raises(CommitInside), db.transaction(tenant=A, actor="ana") as session:
        session.add(Customer(email="new@example.org"))
        session.flush()
        getattr(session, method)()
    assert len(emails(db, A)) == 3


def test_the_connection_does_not_commit_either(db: Database) -> None:
    with pytest.raises(CommitInside), db.transaction(tenant=A, actor="ana") as session:
        session.execute(sa.delete(Order))
        session.connection().commit()
    with db.transaction(tenant=A, actor="ana") as session:
        assert len(session.scalars(sa.select(Order)).all()) == 1


def test_a_savepoint_undoes_a_part(db: Database) -> None:
    with db.transaction(tenant=A, actor="ana") as session:
        session.add(Customer(email="kept@example.org"))
        with pytest.raises(UniqueViolated), session.begin_nested():
            session.add(Customer(email="1@example.org"))
        session.add(Customer(email="also@example.org"))
    assert emails(db, A)[3:] == ["also@example.org", "kept@example.org"]


def test_a_swallowed_error_does_not_pass_for_a_commit(db: Database) -> None:
    with pytest.raises(CommitRefused), db.transaction(tenant=A, actor="ana") as session:
        session.execute(sa.insert(Customer).values(tenant_id=A, email="lost@example.org"))
        with pytest.raises(DataRefused):
            session.execute(sql("SELECT 1 / 0"))
    assert "lost@example.org" not in emails(db, A)


def test_an_exception_rolls_back_and_leaves_the_pool_clean(connect: Callable[..., Database]) -> None:
    db = connect(pool_size=1, max_overflow=0)
    with pytest.raises(KeyError), db.transaction(tenant=A, actor="ana") as session:
        session.execute(sa.delete(Order))
        raise KeyError("of the application")
    with db.transaction(tenant=B, actor="ana") as session:
        assert len(session.scalars(sa.select(Order)).all()) == 1
    with db.transaction(tenant=A, actor="ana") as session:
        assert len(session.scalars(sa.select(Order)).all()) == 1


def test_read_only_is_held_by_the_server(db: Database) -> None:
    with pytest.raises(ReadOnly), db.transaction(tenant=A, actor="ana", read_only=True) as session:
        assert len(session.scalars(sa.select(Order)).all()) == 1
        session.execute(sa.delete(Order))


def test_two_tenants_at_once_on_one_thread(db: Database) -> None:
    with db.transaction(tenant=A, actor="ana") as one, db.transaction(tenant=B, actor="ben") as two:
        for session, tenant in ((one, A), (two, B), (one, A)):
            assert {row.tenant_id for row in session.scalars(sa.select(Customer))} == {tenant}
            assert session.scalars(sa.select(Company.id)).all() == [tenant]


def test_lazy_loads_and_refreshes_stay_inside_the_tenant(db: Database) -> None:
    with db.transaction(tenant=A, actor="ana") as session:
        order = session.scalars(sa.select(Order)).one()
        session.expire(order)
        assert order.tenant_id == A
        assert session.get(Customer, (A, order.customer_id)) is not None
    with db.transaction(tenant=B, actor="ben") as session:
        assert session.get(Customer, (A, order.customer_id)) is None
