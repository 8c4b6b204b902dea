"""A run inside a run is a part of it: it joins by a savepoint, and asks for nothing that the outer one has not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa

from freehold import AsyncDatabase, Database
from freehold.errors import NestedTransaction, SerializationFailed, UniqueViolated
from freehold.events import RetryScheduled, TransactionEnded
from freehold.runtime.asynchronous import AsyncSession
from freehold.runtime.core import AsyncCoreTransaction, CoreTransaction
from freehold.runtime.literal import sql
from freehold.runtime.session import Session
from freehold.runtime.workload import Workload

from .conftest import WHO, Ledger
from .layer import TWO, Entry, Invoice

FAILING = sql("DO $$ BEGIN RAISE EXCEPTION SQLSTATE '40001'; END $$")
ADD, ADD_INVOICE = sa.insert(Entry), sa.insert(Invoice)


def inner(session: Session, mark: str) -> str:
    session.add(Entry(mark=mark))
    return mark


def test_it_joins(ledger: Ledger) -> None:
    db = ledger.connect()

    def outer(session: Session) -> str:
        session.add(Entry(mark="outer"))
        return db.run(inner, "inner", **WHO)

    assert db.run(outer, **WHO) == "inner"
    assert ledger.marks() == {"outer": 1, "inner": 1}
    assert len(ledger.of(TransactionEnded)) == 1


def test_its_failure_undoes_its_part_alone(ledger: Ledger) -> None:
    db = ledger.connect()

    def twice(session: Session) -> None:
        session.add(Entry(mark="undone"))
        session.flush()
        session.add_all([Invoice(number=1), Invoice(number=2, code="x"), Invoice(number=3, code="x")])
        session.flush()

    def outer(session: Session) -> None:
        session.add(Entry(mark="outer"))
        with pytest.raises(UniqueViolated):
            db.run(twice, **WHO)
        session.add(Entry(mark="after"))

    db.run(outer, **WHO)
    assert ledger.marks() == {"outer": 1, "after": 1}


def test_its_failure_on_the_fast_path_undoes_its_part_alone(ledger: Ledger) -> None:
    db = ledger.connect()

    def twice(tx: CoreTransaction) -> None:
        tx.execute(ADD, {"mark": "undone"})
        tx.batch((ADD_INVOICE, {"number": 1, "code": "x"}), (ADD_INVOICE, {"number": 2, "code": "x"}))

    def outer(tx: CoreTransaction) -> None:
        tx.execute(ADD, {"mark": "outer"})
        with pytest.raises(UniqueViolated):
            db.run_core(twice, **WHO)
        db.run_core(lambda part: part.execute(ADD, {"mark": "joined"}), **WHO)
        tx.finish((ADD, {"mark": "after"}))

    db.run_core(outer, **WHO)
    assert ledger.marks() == {"outer": 1, "joined": 1, "after": 1}


def test_a_part_does_not_end_the_whole(ledger: Ledger) -> None:
    db = ledger.connect()

    def outer(tx: CoreTransaction) -> None:
        tx.execute(ADD, {"mark": "outer"})
        db.run_core(lambda part: part.finish((ADD, {"mark": "part"})), **WHO)

    with pytest.raises(NestedTransaction):
        db.run_core(outer, **WHO)
    assert ledger.marks() == {}


def test_a_conflict_runs_the_whole_again(ledger: Ledger) -> None:
    db, calls = ledger.connect(), list[str]()

    def part(session: Session) -> None:
        calls.append("part")
        inner(session, "part")
        if len(calls) < 4:
            session.execute(FAILING)

    def outer(session: Session) -> None:
        calls.append("outer")
        db.run(part, **WHO)

    db.run(outer, **WHO)
    assert calls == ["outer", "part", "outer", "part"] or calls == ["outer", "part"] * 2
    assert [event.attempt for event in ledger.of(RetryScheduled)] == [1]
    assert ledger.marks() == {"part": 1}


def test_a_conflict_whose_error_is_swallowed_is_still_no_reason_to_repeat_a_part(ledger: Ledger) -> None:
    db, calls = ledger.connect(), list[int]()

    def part(session: Session) -> None:
        calls.append(1)
        session.execute(FAILING)

    def outer(session: Session) -> None:
        with pytest.raises(SerializationFailed):
            db.run(part, **WHO)
        inner(session, "outer")

    db.run(outer, **WHO)
    assert (calls, ledger.marks()) == ([1], {"outer": 1})


@pytest.mark.parametrize(
    "asked",
    [{"tenant": TWO}, {"actor": "ben"}, {"key": "k"}, {"workload": "strict"}],
    ids=["tenant", "actor", "key", "workload"],
)
def test_another_wish_is_refused(ledger: Ledger, asked: dict[str, Any]) -> None:
    db = ledger.connect(workloads=(Workload("strict", isolation="serializable"),))

    def outer(session: Session) -> None:
        inner(session, "outer")
        with pytest.raises(NestedTransaction):
            db.run(inner, "inner", **{**WHO, **asked})

    db.run(outer, **WHO)
    assert ledger.marks() == {"outer": 1}


def test_after_the_outer_one_a_run_is_its_own(ledger: Ledger) -> None:
    db = ledger.connect()
    db.run(inner, "x", **WHO)
    db.run(inner, "y", tenant=TWO, actor="ben")
    with db.transaction(**WHO) as session:
        session.add(Entry(mark="block"))
        db.run(inner, "beside", tenant=TWO, actor="ben")
    assert ledger.marks() == {"x": 1, "y": 1, "block": 1, "beside": 1}
    assert len(ledger.of(TransactionEnded)) == 4


def test_under_asyncio(ledger: Ledger) -> None:
    async def main(db: AsyncDatabase) -> None:
        async def part(session: AsyncSession, mark: str, fail: bool) -> None:
            session.add(Entry(mark=mark))
            await session.flush()
            if fail:
                raise KeyError(mark)

        async def outer(session: AsyncSession) -> None:
            await db.run(part, "kept", False, **WHO)
            with pytest.raises(KeyError):
                await db.run(part, "undone", True, **WHO)
            with pytest.raises(NestedTransaction):
                await db.run(part, "other", False, tenant=TWO, actor="ana")

        async def core(tx: AsyncCoreTransaction) -> None:
            await db.run_core(core_part, "fast", **WHO)

        async def core_part(tx: AsyncCoreTransaction, mark: str) -> None:
            await tx.execute(ADD, {"mark": mark})

        await db.run(outer, **WHO)
        await db.run_core(core, **WHO)
        await asyncio.gather(*(db.run(part, "beside", False, **WHO) for _ in range(3)))

    ledger.run_async(main)
    assert ledger.marks() == {"kept": 1, "fast": 1, "beside": 3}


def test_the_other_kind_of_run_is_refused(db: Database) -> None:
    def outer(session: Session) -> None:
        with pytest.raises(NestedTransaction):
            db.run_core(lambda tx: tx.execute(ADD, {"mark": "x"}), **WHO)

    db.run(outer, **WHO)
