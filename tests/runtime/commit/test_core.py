"""The fast path: values come back as they went in, in as few messages as they allow, and failures leave nothing."""

from __future__ import annotations

import datetime
import decimal
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from freehold import AsyncDatabase, Database
from freehold.errors import (
    CommitInside,
    CommitRefused,
    DataRefused,
    ForeignKeyViolated,
    FreeholdError,
    InputError,
    TransactionOver,
    UniqueViolated,
)
from freehold.events import TransactionEnded
from freehold.runtime.commits import refuse_ending
from freehold.runtime.core import AsyncCoreTransaction, CoreTransaction
from freehold.runtime.literal import sql

from .conftest import WHO, Ledger
from .layer import ONE, TWO, Entry, Invoice, Mood, Sample

ADD = sa.insert(Entry)
ADD_INVOICE = sa.insert(Invoice)
COUNT = sa.select(sa.func.count()).select_from(Entry)
BY_MARK = sa.select(Entry.id, Entry.amount).where(Entry.mark == sa.bindparam("m"))
RAISE = sa.update(Entry).where(Entry.mark == sa.bindparam("m")).values(amount=Entry.amount + sa.bindparam("by"))
NOW = datetime.datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=datetime.UTC)
VALUES: dict[str, Any] = {
    "id": UUID(int=77),
    "price": decimal.Decimal("12345678.9012"),
    "document": {"a": [1, None, "ü"], "b": {"c": True}},
    "words": ["one", "", 'quo"te', "com,ma"],
    "mood": Mood.BAD,
    "at": NOW,
    "day": datetime.date(2026, 2, 28),
    "octets": bytes(range(256)),
    "flag": False,
    "ratio": 0.1,
}


def test_values_come_back_as_they_went_in(db: Database) -> None:
    with db.core(**WHO) as tx:
        tx.execute(sa.insert(Sample), VALUES)
        row = tx.execute(sa.select(Sample.__table__)).mappings().one()
        assert {name: row[name] for name in VALUES} == VALUES
        assert (row["tenant_id"], row["words_default"]) == (ONE, "of the server")
        assert type(row["price"]) is decimal.Decimal
        assert row["at"].utcoffset() is not None


def test_null_stays_null_and_defaults_are_filled(db: Database) -> None:
    nullable = ("price", "words", "mood", "day", "octets", "ratio")
    with db.core(**WHO) as tx:
        made = tx.execute(sa.insert(Sample).returning(Sample.id, Sample.at), dict.fromkeys(nullable)).one()
        assert isinstance(made.id, UUID)
        assert abs(made.at - datetime.datetime.now(datetime.UTC)) < datetime.timedelta(minutes=1)
        row = tx.execute(sa.select(Sample.__table__)).mappings().one()
        assert [row[name] for name in nullable] == [None] * 6
        assert row["flag"] is True


def test_two_inserts_draw_two_defaults(db: Database) -> None:
    with db.core(**WHO) as tx:
        one, two = tx.batch((sa.insert(Sample).returning(Sample.id), {}), (sa.insert(Sample).returning(Sample.id), {}))
        assert one.scalar_one() != two.scalar_one()


def test_lists_of_values_of_any_length(db: Database) -> None:
    within = sa.select(Entry.mark).where(Entry.mark.in_(sa.bindparam("marks", expanding=True))).order_by(Entry.mark)
    with db.core(**WHO) as tx:
        tx.batch(*((ADD, {"mark": mark}) for mark in "abc"))
        assert tx.execute(within, {"marks": ["a", "c"]}).scalars().all() == ["a", "c"]
        assert tx.execute(within, {"marks": ["b"]}).scalars().all() == ["b"]
        assert tx.execute(within, {"marks": []}).scalars().all() == []
        literal = sa.select(Entry.mark).where(Entry.mark.in_(["a", "b"])).order_by(Entry.mark)
        assert tx.execute(literal).scalars().all() == ["a", "b"]


def test_a_statement_built_anew_each_time_is_never_mistaken_for_another(db: Database) -> None:
    with db.core(**WHO) as tx:
        tx.batch(*((ADD, {"mark": f"m{number}", "amount": number}) for number in range(5)))
        for number in range(5):
            found = tx.execute(sa.select(Entry.amount).where(Entry.mark == f"m{number}"))
            assert found.scalar_one() == number
            one_more = sa.update(Entry).where(Entry.mark == f"m{number}").values(amount=number * 10)
            assert tx.execute(one_more).rowcount == 1


def test_the_tenant_is_filled_in_and_kept_apart(db: Database) -> None:
    with db.core(**WHO) as tx:
        assert tx.execute(ADD.returning(Entry.tenant_id), {"mark": "mine"}).scalar_one() == ONE
    with db.core(tenant=str(TWO), actor="ben") as tx:
        assert tx.execute(COUNT).scalar_one() == 0
        assert tx.execute(ADD.returning(Entry.tenant_id), {"mark": "mine"}).scalar_one() == TWO
        assert tx.execute(RAISE, {"m": "mine", "by": 1}).rowcount == 1
    with pytest.raises(FreeholdError), db.core(**WHO) as tx:
        tx.execute(ADD, {"mark": "theirs", "tenant_id": TWO})


def test_the_benchmark_transaction_takes_two_round_trips(ledger: Ledger) -> None:
    db = ledger.connect()
    with db.core(**WHO) as tx:
        tx.finish((ADD, {"mark": "stock"}))
    ledger.told.clear()
    with db.core(**WHO) as tx:
        assert tx.execute(BY_MARK, {"m": "stock"}).one().amount == 0
        line, stock = tx.finish((ADD, {"mark": "line"}), (RAISE, {"m": "stock", "by": 3}))
        assert (line.rowcount, stock.rowcount) == (1, 1)
    (ended,) = ledger.of(TransactionEnded)
    assert (ended.outcome, ended.round_trips, ended.statements) == ("committed", 2, 3)
    assert ledger.marks() == {"stock": 1, "line": 1}


def test_a_transaction_that_asks_nothing_sends_nothing(ledger: Ledger) -> None:
    with ledger.connect().core(**WHO):
        pass
    assert [ended.round_trips for ended in ledger.of(TransactionEnded)] == [0]


@pytest.mark.parametrize("last", [False, True], ids=["batch", "finish"])
def test_an_error_in_the_middle_leaves_nothing(ledger: Ledger, last: bool) -> None:
    db = ledger.connect()
    items: tuple[Any, ...] = ((ADD, {"mark": "a"}), (sql("SELECT 1 / 0"), {}), (ADD, {"mark": "b"}))
    with pytest.raises(DataRefused), db.core(**WHO) as tx:
        tx.finish(*items) if last else tx.batch(*items)
    assert ledger.marks() == {}
    with db.core(**WHO) as tx:
        assert tx.execute(COUNT).scalar_one() == 0


def test_a_swallowed_error_does_not_pass_for_a_commit(ledger: Ledger) -> None:
    with pytest.raises(CommitRefused), ledger.connect().core(**WHO) as tx:
        tx.execute(ADD, {"mark": "a"})
        with pytest.raises(DataRefused):
            tx.execute(sql("SELECT 1 / 0"))
    with pytest.raises(CommitRefused), ledger.connect().core(**WHO) as tx:
        tx.execute(ADD, {"mark": "a"})
        with pytest.raises(DataRefused):
            tx.execute(sql("SELECT 1 / 0"))
        tx.finish((ADD, {"mark": "b"}))
    assert ledger.marks() == {}
    assert {ended.outcome for ended in ledger.of(TransactionEnded)} == {"rolled back"}


@pytest.mark.parametrize("last", [False, True], ids=["block", "finish"])
def test_a_constraint_at_commit_is_typed(ledger: Ledger, last: bool) -> None:
    with pytest.raises(ForeignKeyViolated) as caught, ledger.connect().core(**WHO) as tx:
        orphan = (ADD_INVOICE, {"number": 1, "parent": 99})
        tx.finish(orphan) if last else tx.execute(*orphan)
    assert caught.value.constraint == "invoice_parent"
    with ledger.connect().core(**WHO) as tx:
        tx.batch((ADD_INVOICE, {"number": 1, "parent": 2}), (ADD_INVOICE, {"number": 2}))


def test_a_taken_key_is_typed(db: Database) -> None:
    with pytest.raises(UniqueViolated) as caught, db.core(**WHO) as tx:
        tx.batch((ADD_INVOICE, {"number": 1, "code": "x"}), (ADD_INVOICE, {"number": 2, "code": "x"}))
    assert caught.value.columns == ("code",)


def test_after_its_end_nothing_more(db: Database) -> None:
    with pytest.raises(TransactionOver), db.core(**WHO) as tx:
        tx.finish((ADD, {"mark": "a"}))
        tx.execute(COUNT)
    with pytest.raises(TransactionOver):
        tx.execute(COUNT)


def test_a_raw_commit_inside_is_refused(ledger: Ledger) -> None:
    with pytest.raises(CommitInside), ledger.connect().core(**WHO) as tx:
        tx.execute(ADD, {"mark": "a"})
        tx.execute(sql("COMMIT"))
    assert ledger.marks()["a"] == 0


@pytest.mark.parametrize(
    "text", ["commit", " COMMIT AND CHAIN", "End;", "abort", "ROLLBACK", "rollback work", "prepare transaction 'x'"]
)
def test_what_ends_a_transaction_is_not_sent(text: str) -> None:
    with pytest.raises(CommitInside):
        refuse_ending(text)


@pytest.mark.parametrize("text", ["rollback to s", "ROLLBACK WORK TO SAVEPOINT s", "SELECT 'commit'", "ending", ""])
def test_what_does_not_is(text: str) -> None:
    refuse_ending(text)


def test_a_missing_parameter_and_no_statement_are_named(db: Database) -> None:
    with pytest.raises(InputError, match="'m' is missing"), db.core(**WHO) as tx:
        tx.execute(BY_MARK, {"n": 1})
    with pytest.raises(InputError), db.core(**WHO) as tx:
        tx.execute("SELECT 1")


def test_an_exception_rolls_back(ledger: Ledger) -> None:
    db = ledger.connect(pool_size=1, max_overflow=0)
    with pytest.raises(KeyError), db.core(**WHO) as tx:
        tx.execute(ADD, {"mark": "a"})
        raise KeyError("of the application")
    with db.core(**WHO) as tx:
        assert tx.execute(COUNT).scalar_one() == 0


def test_the_same_under_asyncio(ledger: Ledger) -> None:
    async def work(db: AsyncDatabase) -> None:
        async with db.core(**WHO) as tx:
            await tx.execute(ADD, {"mark": "stock"})
            assert (await tx.execute(COUNT)).scalar_one() == 1
        async with db.core(**WHO) as tx:
            assert (await tx.execute(BY_MARK, {"m": "stock"})).one().amount == 0
            (done,) = await tx.finish((RAISE, {"m": "stock", "by": 3}))
            assert done.rowcount == 1
        with pytest.raises(DataRefused):
            async with db.core(**WHO) as tx:
                await tx.batch((ADD, {"mark": "a"}), sql("SELECT 1 / 0"))
        with pytest.raises(ForeignKeyViolated):
            async with db.core(**WHO) as tx:
                await tx.finish((ADD_INVOICE, {"number": 1, "parent": 99}))

    ledger.run_async(work)
    assert ledger.marks() == {"stock": 1}
    assert [ended.round_trips for ended in ledger.of(TransactionEnded)[1:2]] == [2]


def test_run_core_gives_the_functions_result(ledger: Ledger) -> None:
    def add(tx: CoreTransaction, mark: str, *, finish: bool) -> str:
        tx.finish((ADD, {"mark": mark})) if finish else tx.execute(ADD, {"mark": mark})
        return f"did {mark}"

    async def add_async(tx: AsyncCoreTransaction, mark: str) -> str:
        await tx.finish((ADD, {"mark": mark}))
        return f"did {mark}"

    db = ledger.connect()
    assert db.run_core(add, "a", finish=True, **WHO) == "did a"
    assert db.run_core(add, "b", finish=False, **WHO) == "did b"
    assert ledger.run_async(lambda other: other.run_core(add_async, "c", **WHO)) == "did c"
    assert ledger.marks() == {"a": 1, "b": 1, "c": 1}
