"""A transaction runs again after what may pass, and after nothing else, within its budget."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest
import sqlalchemy as sa

from freehold import AsyncDatabase, Database
from freehold.errors import (
    ConnectionLost,
    Deadlock,
    FreeholdError,
    SerializationFailed,
    UniqueViolated,
)
from freehold.events import DeadlockMet, RetryGivenUp, RetryScheduled, TransactionEnded
from freehold.runtime.asynchronous import AsyncSession
from freehold.runtime.core import CoreTransaction
from freehold.runtime.literal import sql
from freehold.runtime.retry import Budget, Cause
from freehold.runtime.scope import acting
from freehold.runtime.session import Session
from freehold.runtime.workload import Retry, Workload

from .conftest import WHO, Ledger
from .layer import Entry, Invoice

FAST = Retry(attempts=4, base=0.001, cap=0.002)
WORKLOADS = (
    Workload("strict", isolation="serializable", retry=FAST),
    Workload("snapshot", isolation="repeatable read", retry=FAST),
    Workload("numbers", retry=Retry(attempts=6, base=0.001, cap=0.002, derived=frozenset({"invoice_pkey"}))),
)
ADD = sa.insert(Entry)
TOTAL = sa.select(sa.func.coalesce(sa.func.sum(Entry.amount), 0))


def put(session: Session, mark: str, amount: int = 0) -> None:
    session.add(Entry(mark=mark, amount=amount))
    session.flush()


def causes(ledger: Ledger) -> list[str]:
    return [event.cause for event in ledger.of(RetryScheduled)]


class Meeting:
    """The first attempts of two callers wait for each other; later ones do not."""

    def __init__(self) -> None:
        self._barrier = threading.Barrier(2)
        self._seen: set[str] = set()

    def wait(self, who: str) -> None:
        if who not in self._seen:
            self._seen.add(who)
            self._barrier.wait(10)


def both(*calls: Callable[[], Any]) -> list[Any]:
    """Run the calls in a thread each; gives results and errors."""
    found: list[Any] = [None] * len(calls)

    def note(place: int, call: Callable[[], Any]) -> None:
        try:
            found[place] = call()
        except FreeholdError as error:
            found[place] = error

    threads = [threading.Thread(target=note, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_a_write_skew_is_run_again(ledger: Ledger) -> None:
    db, meeting = ledger.connect(workloads=WORKLOADS), Meeting()

    def add(session: Session, who: str) -> int:
        total = int(session.scalar(TOTAL) or 0)
        meeting.wait(who)
        put(session, who, total + 1)
        return total + 1

    found = both(*(lambda who=who: db.run(add, who, workload="strict", **WHO) for who in "ab"))
    assert found in ([1, 2], [2, 1])
    assert set(causes(ledger)) == {"serialization failure"}
    assert ledger.marks() == {"a": 1, "b": 1}
    assert max(ended.attempts for ended in ledger.of(TransactionEnded)) >= 2


def test_a_lost_update_is_run_again_on_the_fast_path(ledger: Ledger) -> None:
    db, meeting = ledger.connect(workloads=WORKLOADS), Meeting()
    db.run_core(lambda tx: tx.finish((ADD, {"mark": "sum"})), **WHO)

    def add(tx: CoreTransaction, who: str) -> None:
        total = tx.execute(TOTAL).scalar_one()
        meeting.wait(who)
        tx.finish(sa.update(Entry).where(Entry.mark == "sum").values(amount=total + 1))

    both(*(lambda who=who: db.run_core(add, who, workload="snapshot", **WHO) for who in "ab"))
    assert causes(ledger) == ["serialization failure"]
    with db.core(**WHO) as tx:
        assert tx.execute(TOTAL).scalar_one() == 2


def test_a_deadlock_is_run_again(ledger: Ledger) -> None:
    db, meeting = ledger.connect(), Meeting()
    with db.transaction(**WHO) as session:
        session.add_all([Entry(mark="a"), Entry(mark="b")])

    def touch(session: Session, first: str, second: str) -> None:
        raised = sa.update(Entry).values(amount=Entry.amount + 1)
        session.execute(raised.where(Entry.mark == first))
        meeting.wait(first)
        session.execute(raised.where(Entry.mark == second))

    found = both(lambda: db.run(touch, "a", "b", **WHO), lambda: db.run(touch, "b", "a", **WHO))
    assert found == [None, None], found
    assert causes(ledger) == ["deadlock"]
    (met,) = ledger.of(DeadlockMet)
    assert {met.statement[:21], met.other_statement[:21]} == {"UPDATE ledger.entry SE"[:21]}
    with db.core(**WHO) as tx:
        assert tx.execute(TOTAL).scalar_one() == 4


SLOWLY = sql(
    "WITH raised AS (UPDATE ledger.entry SET amount = 7 WHERE mark = :mark RETURNING 1) SELECT pg_sleep(1) FROM raised"
)
AT_ONCE = sql("UPDATE ledger.entry SET amount = 7 WHERE mark = :mark")


@pytest.mark.parametrize(("second", "seen"), [(SLOWLY, ("ledger.entry",)), (AT_ONCE, ())], ids=["at it", "gone on"])
def test_the_other_side_of_a_deadlock_in_another_process(ledger: Ledger, second: Any, seen: tuple[str, ...]) -> None:
    dbs, meeting = [ledger.connect(), ledger.connect()], Meeting()
    with dbs[0].transaction(**WHO) as session:
        session.add_all([Entry(mark="a"), Entry(mark="b")])

    def touch(tx: CoreTransaction, mine: str, other: str) -> None:
        tx.execute(AT_ONCE, {"mark": mine})
        meeting.wait(mine)
        tx.execute(second, {"mark": other})

    both(lambda: dbs[0].run_core(touch, "a", "b", **WHO), lambda: dbs[1].run_core(touch, "b", "a", **WHO))
    (met,) = ledger.of(DeadlockMet)
    assert met.other_tables == seen
    assert bool(met.other_statement) == bool(seen)


def next_invoice(session: Session, meeting: Meeting, who: str, code: str | None = None) -> int:
    number = int(session.scalar(sa.select(sa.func.coalesce(sa.func.max(Invoice.number), 0))) or 0) + 1
    meeting.wait(who)
    session.add(Invoice(number=number, code=code))
    return number


def test_a_derived_key_is_drawn_again_where_that_is_declared(ledger: Ledger) -> None:
    db, meeting = ledger.connect(workloads=WORKLOADS), Meeting()
    calls = (lambda who=who: db.run(next_invoice, meeting, who, workload="numbers", **WHO) for who in "ab")
    assert sorted(both(*calls)) == [1, 2]
    assert causes(ledger) == ["outdated derived key"]


def test_a_key_that_is_not_declared_as_derived_is_the_callers(ledger: Ledger) -> None:
    db, meeting = ledger.connect(workloads=WORKLOADS), Meeting()
    found = both(*(lambda who=who: db.run(next_invoice, meeting, who, **WHO) for who in "ab"))
    assert [type(each) for each in found if each != 1] == [UniqueViolated]
    pair = [Invoice(number=number, code="x") for number in (8, 9)]
    with pytest.raises(UniqueViolated):
        db.run(lambda session: session.add_all(pair), workload="numbers", **WHO)
    assert causes(ledger) == []


def test_a_changed_plan_is_made_again(ledger: Ledger) -> None:
    db = ledger.connect(pool_size=1, max_overflow=0)
    every: sa.Select[Any] = sa.select(sa.literal_column("*")).select_from(Entry)
    last: list[Any] = []

    def read(tx: CoreTransaction) -> int:
        last.append(tx.execute(every).all())
        return len(last)

    for number in range(1, 4):
        assert db.run_core(read, **WHO) == number
    with ledger.admin() as admin:
        admin.execute("ALTER TABLE ledger.entry ADD COLUMN more text")
    assert db.run_core(read, **WHO) == 4
    assert causes(ledger) == ["changed plan"]


def test_a_changed_plan_is_made_again_for_the_orm(ledger: Ledger) -> None:
    db = ledger.connect(pool_size=1, max_overflow=0)

    def read(session: Session) -> list[Any]:
        put(session, "x")
        return list(session.execute(sql("SELECT * FROM ledger.entry WHERE mark = :mark"), {"mark": "x"}))

    for _ in range(8):
        db.run(read, **WHO)
    with ledger.admin() as admin:
        admin.execute("ALTER TABLE ledger.entry ADD COLUMN more text")
    assert len(db.run(read, **WHO)) == 9
    assert ledger.marks() == {"x": 9}


@pytest.mark.parametrize("way", ["run", "run_core"])
def test_never_after_an_external_effect(ledger: Ledger, way: str) -> None:
    db, calls = ledger.connect(), []

    def work(session: Any) -> None:
        calls.append(1)
        session.execute(ADD, {"mark": "x"}) if way == "run_core" else put(session, "x")
        session.external("charge card")
        session.execute(sql("DO $$ BEGIN RAISE EXCEPTION SQLSTATE '40001'; END $$"))

    with pytest.raises(SerializationFailed):
        getattr(db, way)(work, **WHO)
    assert calls == [1]
    assert ledger.marks() == {}


@pytest.mark.parametrize("state", ["22012", "42P01", "P0001", "57014", "23502"])
def test_nothing_else_is_run_again(ledger: Ledger, state: str) -> None:
    db, calls = ledger.connect(), []

    def work(session: Session) -> None:
        calls.append(1)
        session.execute(sql("DO $$ BEGIN RAISE EXCEPTION SQLSTATE '{}'; END $$".replace("{}", state)))

    with pytest.raises((FreeholdError, sa.exc.DBAPIError)):
        db.run(work, **WHO)
    assert calls == [1]
    with pytest.raises(KeyError):
        db.run(lambda session: dict[str, int]()["x"], **WHO)


def always(session: Session, calls: list[float]) -> None:
    calls.append(monotonic())
    session.execute(sql("DO $$ BEGIN RAISE EXCEPTION SQLSTATE '40P01'; END $$"))


def test_the_budget_of_attempts(ledger: Ledger) -> None:
    db, calls = ledger.connect(workloads=WORKLOADS), list[float]()
    with pytest.raises(Deadlock):
        db.run(always, calls, workload="strict", **WHO)
    assert len(calls) == 4
    assert ledger.of(RetryGivenUp) == [RetryGivenUp("strict", 4, "deadlock")]
    assert [(event.attempt, event.workload) for event in ledger.of(RetryScheduled)] == [
        (number, "strict") for number in (1, 2, 3)
    ]


def test_the_budget_of_seconds(ledger: Ledger) -> None:
    slow = Workload("slow", retry=Retry(attempts=10_000, seconds=0.3, base=0.05, cap=0.05))
    db, calls = ledger.connect(workloads=(slow,)), list[float]()
    with pytest.raises(Deadlock):
        db.run(always, calls, workload="slow", **WHO)
    assert 2 < len(calls) < 100
    assert calls[-1] - calls[0] <= 0.3


def test_full_jitter_lies_between_zero_and_a_bound_that_doubles() -> None:
    retry = Retry(attempts=8, seconds=100, base=0.01, cap=0.1)
    highest = Budget(retry, draw=lambda: 1.0)
    assert [highest.next_wait() for _ in range(8)] == [0.01, 0.02, 0.04, 0.08, 0.1, 0.1, 0.1, None]
    assert [Budget(retry, draw=lambda: 0.0).next_wait() for _ in range(3)] == [0.0] * 3
    drawn = [Budget(retry).next_wait() or 0.0 for _ in range(2000)]
    assert 0 <= min(drawn) < 0.001 < 0.009 < max(drawn) <= 0.01
    assert 0.0045 < sum(drawn) / len(drawn) < 0.0055


def test_a_connection_lost_before_commit_is_no_unknown_commit(ledger: Ledger) -> None:
    db, calls = ledger.connect(), []

    def work(session: Session) -> str:
        calls.append(1)
        put(session, "x")
        if len(calls) == 1:
            terminate(ledger, session.psycopg().info.backend_pid)
            put(session, "y")
        return "done"

    assert db.run(work, **WHO) == "done"
    assert causes(ledger) == [Cause.CONNECTION_LOST.value]
    assert ledger.marks() == {"x": 1}


def terminate(ledger: Ledger, pid: int) -> None:
    with ledger.admin() as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))


def test_a_block_is_told_of_a_lost_connection_and_is_not_run_again(ledger: Ledger) -> None:
    db = ledger.connect()
    with pytest.raises(ConnectionLost), db.transaction(**WHO) as session:
        put(session, "x")
        terminate(ledger, session.psycopg().info.backend_pid)
        put(session, "y")
    with pytest.raises(ConnectionLost), db.core(**WHO) as tx:
        tx.execute(ADD, {"mark": "x"})
        with ledger.admin() as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = %s", (ledger.user,)
            )
        tx.finish((ADD, {"mark": "y"}))
    assert ledger.marks() == {}
    assert causes(ledger) == []


def test_the_same_under_asyncio(ledger: Ledger) -> None:
    calls: list[int] = []

    async def work(session: AsyncSession, mark: str) -> str:
        calls.append(1)
        session.add(Entry(mark=mark))
        await session.flush()
        if len(calls) < 3:
            await session.execute(sql("DO $$ BEGIN RAISE EXCEPTION SQLSTATE '40001'; END $$"))
        return mark

    async def main(db: AsyncDatabase) -> None:
        assert await db.run(work, "x", workload="strict", **WHO) == "x"
        assert len(calls) == 3
        with pytest.raises(Deadlock):
            await db.run(give_up, **WHO)

    async def give_up(session: AsyncSession) -> None:
        session.external("mail")
        await session.execute(sql("DO $$ BEGIN RAISE EXCEPTION SQLSTATE '40P01'; END $$"))

    ledger.run_async(main, workloads=WORKLOADS)
    assert ledger.marks() == {"x": 1}
    assert causes(ledger) == ["serialization failure"] * 2


def test_a_decorated_function_runs_again(ledger: Ledger) -> None:
    from_scope = ledger.connect(workloads=WORKLOADS)
    calls: list[int] = []

    @from_scope.transactional(workload="strict")
    def add(session: Session, mark: str) -> str:
        calls.append(1)
        put(session, mark)
        if len(calls) == 1:
            session.execute(sql("DO $$ BEGIN RAISE EXCEPTION SQLSTATE '40001'; END $$"))
        return mark

    with acting(**WHO):
        assert add("x") == "x"
    assert ledger.marks() == {"x": 1}


def test_many_tasks_at_once_each_have_their_own_transaction(ledger: Ledger) -> None:
    async def add(session: AsyncSession, mark: str) -> None:
        session.add(Entry(mark=mark))
        await session.flush()
        await asyncio.sleep(0.001)

    async def main(db: AsyncDatabase) -> None:
        await asyncio.gather(*(db.run(add, f"m{number}", **WHO) for number in range(30)))

    ledger.run_async(main)
    assert ledger.marks() == {f"m{number}": 1 for number in range(30)}


def test_a_restarted_server_is_met_again(own_ledger: Ledger) -> None:
    server = own_ledger.place.server
    db: Database = own_ledger.connect(pool_size=4)
    both(*(lambda: db.run(lambda session: put(session, "warm"), **WHO) for _ in range(4)))
    server.restart()  # type: ignore[attr-defined]
    calls: list[int] = []

    def work(session: Session) -> None:
        calls.append(1)
        put(session, "after")

    own_ledger.told.clear()
    with db.transaction(**WHO) as session:
        put(session, "block")
    db.run(work, **WHO)
    assert calls == [1]
    assert causes(own_ledger) == []
    assert own_ledger.marks()["after"] == 1 == own_ledger.marks()["block"]

    def through_a_restart(session: Session) -> None:
        calls.append(1)
        put(session, "restarted")
        if len(calls) == 2:
            server.restart()  # type: ignore[attr-defined]
            put(session, "gone")

    db.run(through_a_restart, **WHO)
    assert len(calls) == 3
    assert own_ledger.marks()["restarted"] == 1
