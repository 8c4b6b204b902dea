"""What an application may do wrong, or in an order that nobody thought of, and what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from unittest.mock import Mock

import pytest
import sqlalchemy as sa

from freehold import AsyncDatabase, AsyncSession, CoreTransaction, Session
from freehold.errors import CommitInside, FreeholdError, InputError, TransactionOver
from freehold.events import TransactionEnded
from freehold.runtime.exchange import PREPARED_MAX
from freehold.runtime.literal import sql

from .conftest import WHO, Ledger
from .layer import Entry, Sample

COUNT = sa.select(sa.func.count()).select_from(Entry)


@pytest.mark.filterwarnings("ignore:Column 'ledger.entry.tenant_id'")
def test_an_insert_that_was_first_used_without_a_tenant_is_given_one_later(ledger: Ledger) -> None:
    db, add = ledger.connect(), sa.insert(Entry)
    with pytest.raises(FreeholdError), db.core(tenant=None, actor="ana") as tx:
        tx.execute(add, {"mark": "x"})
    with db.core(**WHO) as tx:
        tx.execute(add, {"mark": "x"})
    assert ledger.marks() == {"x": 1}


def test_a_default_of_the_model_beside_a_list(ledger: Ledger) -> None:
    class Base(sa.orm.DeclarativeBase):
        metadata = sa.MetaData(schema="ledger")

    class Touched(Base):
        __tablename__ = "entry"
        id: sa.orm.Mapped[int] = sa.orm.mapped_column(sa.BigInteger, primary_key=True)
        mark: sa.orm.Mapped[str]
        amount: sa.orm.Mapped[int] = sa.orm.mapped_column(onupdate=lambda: 7)

    db = ledger.connect()
    db.run_core(lambda tx: tx.execute(sa.insert(Entry), {"mark": "x"}).rowcount, **WHO)
    touch = sa.update(Touched).where(Touched.mark.in_(sa.bindparam("marks", expanding=True))).values(mark="y")
    with db.core(**WHO) as tx:
        tx.execute(touch, {"marks": ["x", "z"]})
        assert tx.execute(sa.select(Entry.mark, Entry.amount)).one() == ("y", 7)


@pytest.mark.parametrize("misuse", [Session.reset, Session.invalidate])
def test_a_session_is_not_thrown_away_inside_its_block(ledger: Ledger, misuse: Callable[[Session], None]) -> None:
    db = ledger.connect()
    with pytest.raises(CommitInside), db.transaction(**WHO) as session:
        session.add(Entry(mark="x"))
        session.flush()
        misuse(session)
    assert ledger.marks() == {}


@pytest.mark.parametrize("misuse", [AsyncSession.reset, AsyncSession.invalidate])
def test_nor_under_asyncio(ledger: Ledger, misuse: Callable[[AsyncSession], Awaitable[None]]) -> None:
    async def main(db: AsyncDatabase) -> None:
        with pytest.raises(CommitInside):
            async with db.transaction(**WHO) as session:
                session.add(Entry(mark="x"))
                await session.flush()
                await misuse(session)

    ledger.run_async(main)
    assert ledger.marks() == {}


def _of_sqlalchemy(session: Session) -> sa.orm.SessionTransaction:
    found = session.get_transaction()
    assert found is not None
    return found


def _rolls_back(session: Session) -> None:
    _of_sqlalchemy(session).rollback()


def _closes(session: Session) -> None:
    _of_sqlalchemy(session).close()


def _resets_past_the_session(session: Session) -> None:
    sa.orm.Session.reset(session)


def _rolls_back_in_the_driver(session: Session) -> None:
    session.psycopg().rollback()


@pytest.mark.parametrize("misuse", [_rolls_back, _closes, _resets_past_the_session, _rolls_back_in_the_driver])
def test_what_was_rolled_back_by_another_way_is_not_told_as_committed(
    ledger: Ledger, misuse: Callable[[Session], None]
) -> None:
    db, followed = ledger.connect(pool_size=1, max_overflow=0), Mock()
    with pytest.raises(CommitInside), db.transaction(**WHO) as session:
        session.after_commit(followed)
        session.add(Entry(mark="x"))
        session.flush()
        misuse(session)
    assert not followed.called
    assert [ended.outcome for ended in ledger.of(TransactionEnded)] == ["rolled back"]
    assert ledger.marks() == {}
    with db.core(**WHO) as tx:
        assert tx.execute(COUNT).scalar_one() == 0


@pytest.mark.parametrize("misuse", [_rolls_back, _closes, _resets_past_the_session])
def test_nothing_begins_anew_after_it(ledger: Ledger, misuse: Callable[[Session], None]) -> None:
    db = ledger.connect()
    with pytest.raises(CommitInside), db.transaction(**WHO) as session:
        session.add(Entry(mark="x"))
        session.flush()
        misuse(session)
        with pytest.raises(CommitInside):
            session.execute(COUNT)
        with pytest.raises(CommitInside):
            session.connection(bind_arguments={"bind": db.engine})
        session.add(Entry(mark="y"))
    assert ledger.marks() == {}


def test_nothing_begins_anew_after_a_rollback_in_the_driver(ledger: Ledger) -> None:
    db = ledger.connect()
    with pytest.raises(CommitInside), db.transaction(**WHO) as session:
        session.add(Entry(mark="x"))
        session.flush()
        session.psycopg().rollback()
        for _ in range(2):
            with pytest.raises(CommitInside):
                session.execute(COUNT)
        with pytest.raises(CommitInside):
            session.psycopg().execute("SELECT 1")
    assert ledger.marks() == {}


def test_a_rollback_in_the_driver_before_anything_began_leaves_the_block_to_begin(ledger: Ledger) -> None:
    db = ledger.connect()
    with db.transaction(**WHO) as session:
        session.psycopg().rollback()
        session.add(Entry(mark="x"))
    assert ledger.marks() == {"x": 1}


def test_a_connection_taken_out_of_its_pool_stores_nothing(ledger: Ledger) -> None:
    db = ledger.connect(pool_size=1, max_overflow=0)
    with pytest.raises(CommitInside, match="detached"), db.transaction(**WHO) as session:
        session.add(Entry(mark="x"))
        session.flush()
        session.connection().detach()
    assert [ended.outcome for ended in ledger.of(TransactionEnded)] == ["rolled back"]
    assert ledger.marks() == {}
    with db.core(**WHO) as tx:
        assert tx.execute(COUNT).scalar_one() == 0


def test_a_session_is_over_with_its_block(ledger: Ledger) -> None:
    db = ledger.connect()
    with db.transaction(**WHO) as session:
        session.execute(COUNT)
    with pytest.raises(TransactionOver):
        session.execute(COUNT)
    with pytest.raises(TransactionOver):
        session.connection(bind_arguments={"bind": db.engine})
    session.add(Entry(mark="x"))
    with pytest.raises(TransactionOver):
        session.commit()
    assert ledger.marks() == {}

    async def main() -> None:
        async with ledger.connect_async() as asynchronous:
            async with asynchronous.transaction(**WHO) as later:
                await later.execute(COUNT)
            with pytest.raises(TransactionOver):
                await later.execute(COUNT)

    asyncio.run(main())


def test_a_tenant_that_is_no_key_is_told_as_such(ledger: Ledger) -> None:
    db = ledger.connect()
    with pytest.raises(InputError, match="no key of a tenant"), db.transaction(tenant="abc", actor="ana") as session:
        session.scalars(sa.select(Entry)).all()
    with pytest.raises(InputError, match="no key of a tenant"), db.core(tenant="abc", actor="ana") as tx:
        tx.execute(sa.insert(Entry), {"mark": "x"})


def test_a_connection_keeps_a_bounded_number_of_statements(ledger: Ledger) -> None:
    db = ledger.connect(pool_size=1, max_overflow=0)
    column: sa.ColumnElement[int] = sa.literal_column("1")
    for number in range(2 * PREPARED_MAX // 5 + 1):
        with db.core(**WHO) as tx:
            tx.batch(*(sa.select(column.label(f"c{number}_{place}")) for place in range(5)))
    with db.core(**WHO) as tx:
        kept = tx.execute(sql("SELECT count(*) FROM pg_prepared_statements")).scalar_one()
    assert PREPARED_MAX / 2 < kept < PREPARED_MAX + 20


def test_a_connection_whose_statements_were_thrown_away_prepares_them_anew(ledger: Ledger) -> None:
    db = ledger.connect(pool_size=1, max_overflow=0)

    def throw_away(tx: CoreTransaction) -> Any:
        return tx.execute(sql("DEALLOCATE ALL")).rowcount

    for _ in range(2):
        with db.core(**WHO) as tx:
            tx.execute(COUNT)
    with pytest.raises(FreeholdError), db.core(**WHO) as tx:
        throw_away(tx)
        tx.execute(COUNT)
    with db.core(**WHO) as tx:
        assert tx.execute(COUNT).scalar_one() == 0


def test_statements_thrown_away_at_the_end_of_a_block(ledger: Ledger) -> None:
    db = ledger.connect(pool_size=1, max_overflow=0)
    for _ in range(2):
        with db.core(**WHO) as tx:
            tx.execute(COUNT)
    with pytest.raises(FreeholdError), db.core(**WHO) as tx:
        tx.execute(sa.insert(Entry), {"mark": "x"})
        tx.execute(sql("DEALLOCATE ALL"))
    assert ledger.marks() == {}
    assert [ended.outcome for ended in ledger.of(TransactionEnded)][-1] == "rolled back"
    for _ in range(2):
        with db.core(**WHO) as tx:
            assert tx.execute(COUNT).scalar_one() == 0


def test_a_name_that_the_application_never_prepared_leaves_none_behind(ledger: Ledger) -> None:
    db, kept = ledger.connect(pool_size=1, max_overflow=0), []
    for _ in range(4):
        with pytest.raises(FreeholdError), db.core(**WHO) as tx:
            tx.execute(COUNT)
            tx.execute(sql("EXECUTE nothing"))
        with db.core(**WHO) as tx:
            kept.append(tx.execute(sql("SELECT count(*) FROM pg_prepared_statements")).scalar_one())
    assert len(set(kept[1:])) == 1


def test_a_column_that_went_away_moves_no_value_under_another_name(ledger: Ledger) -> None:
    db, every = ledger.connect(), sql("SELECT * FROM ledger.sample")
    with db.core(**WHO) as tx:
        tx.execute(sa.insert(Sample), {"price": 5})
        assert tx.execute(every).one().flag is True
    with ledger.admin() as admin:
        admin.execute("ALTER TABLE ledger.sample DROP COLUMN price")
    again = ledger.connect()
    again._compiler = db._compiler
    with again.core(**WHO) as tx:
        row = tx.execute(every).one()
    assert "price" not in row._fields
    assert row.flag is True
    assert str(row.tenant_id) == str(WHO["tenant"])
