"""Every end of a transaction is told as what it is: to hooks, to listeners, and to a caller who goes on after it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa

from freehold import AsyncCoreTransaction, CoreTransaction, Session
from freehold.errors import CommitUnknown, FreeholdError, TransactionBusy, UniqueViolated
from freehold.events import CommitAmbiguous, Event, TransactionEnded
from freehold.runtime.commits import CancelledAfterCommit
from freehold.runtime.literal import sql
from freehold.testing.proxy import KillableProxy

from .conftest import RING, WHO, Ledger
from .layer import Entry

ADD = sa.insert(Entry)
COMMIT = b"COMMIT\0"


def outcomes(ledger: Ledger) -> list[str]:
    return [ended.outcome for ended in ledger.of(TransactionEnded)]


def hooked(tx: Any, seen: list[str]) -> None:
    tx.after_commit(lambda: seen.append("committed"))
    tx.after_rollback(lambda: seen.append("rolled back"))


def test_a_nested_run_that_fails_takes_its_own_work_along_and_that_of_runs_inside_it(ledger: Ledger) -> None:
    db = ledger.connect()

    def innermost(tx: CoreTransaction) -> None:
        tx.execute(ADD, {"mark": "innermost"})
        raise KeyError("innermost")

    def inner(tx: CoreTransaction) -> None:
        tx.execute(ADD, {"mark": "inner, before"})
        with pytest.raises(KeyError):
            db.run_core(innermost, **WHO)
        tx.execute(ADD, {"mark": "inner, after"})
        raise ValueError("inner")

    def outer(tx: CoreTransaction) -> None:
        tx.execute(ADD, {"mark": "outer"})
        with pytest.raises(ValueError, match="inner"):
            db.run_core(inner, **WHO)

    db.run_core(outer, **WHO)
    assert ledger.marks() == {"outer": 1}


def test_an_unknown_commit_on_the_fast_path_is_no_rollback(ledger: Ledger, killable_proxy: KillableProxy) -> None:
    db, seen = ledger.connect(killable_proxy), list[str]()
    killable_proxy.cut_after(COMMIT)
    with pytest.raises(CommitUnknown), db.core(**WHO) as tx:
        hooked(tx, seen)
        tx.finish((ADD, {"mark": "x"}))
    assert (seen, outcomes(ledger)) == ([], ["unknown"])


@pytest.mark.parametrize("goes_on", ["returns", "finishes again", "executes"])
def test_an_unknown_commit_that_is_caught_is_told_again(
    ledger: Ledger, killable_proxy: KillableProxy, goes_on: str
) -> None:
    db, calls = ledger.connect(killable_proxy), list[int]()

    def work(tx: CoreTransaction) -> None:
        calls.append(1)
        try:
            tx.finish((ADD, {"mark": "x"}))
        except FreeholdError:
            if goes_on == "finishes again":
                tx.finish((ADD, {"mark": "y"}))
            elif goes_on == "executes":
                tx.execute(ADD, {"mark": "y"})

    killable_proxy.cut_after(COMMIT)
    with pytest.raises(CommitUnknown):
        db.run_core(work, **WHO)
    assert len(calls) == 1
    assert ledger.marks() == {"x": 1}
    assert outcomes(ledger) == ["unknown"]


def test_a_settled_rollback_has_its_hooks_and_is_told_once(ledger: Ledger, killable_proxy: KillableProxy) -> None:
    db, seen = ledger.connect(killable_proxy), list[str]()

    def work(session: Session) -> None:
        session.add(Entry(mark="x"))
        hooked(session, seen)

    killable_proxy.cut_before(COMMIT)
    db.run(work, key="k", **WHO)
    assert seen == ["rolled back", "committed"]
    assert outcomes(ledger) == ["rolled back", "committed"]
    killable_proxy.cut_after(COMMIT)
    db.run(work, key="l", **WHO)
    assert outcomes(ledger)[2:] == ["committed"]
    assert ledger.marks() == {"x": 2}


def test_a_task_cancelled_while_its_commit_is_settled_is_not_told_that_it_stands(
    ledger: Ledger, killable_proxy: KillableProxy
) -> None:
    async def work(tx: AsyncCoreTransaction) -> None:
        await tx.execute(ADD, {"mark": "x"})

    async def main() -> None:
        task: asyncio.Task[None]

        def cancel(event: Event) -> None:
            if isinstance(event, CommitAmbiguous):
                asyncio.get_running_loop().call_soon(task.cancel)

        db = await ledger.layer.connect_async(ledger.url(killable_proxy), keys=RING, listener=cancel)
        killable_proxy.cut_before(COMMIT)
        task = asyncio.ensure_future(db.run_core(work, key="k", **WHO))
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        assert not isinstance(caught.value, CancelledAfterCommit)
        await db.dispose()

    asyncio.run(main())
    assert ledger.marks() == {}


def test_a_connection_forgets_the_key_of_its_last_transaction(ledger: Ledger) -> None:
    db = ledger.connect(pool_size=1, max_overflow=0, positions=True)
    db.run_core(lambda tx: tx.execute(ADD, {"mark": "x"}).rowcount, key="k", **WHO)
    with db.engine.begin() as connection:
        assert connection.execute(sql("SELECT 1")).scalar_one() == 1


@pytest.mark.parametrize("end", ["finish", "return", "raise"])
def test_a_hook_of_the_fast_path_may_use_the_connection_that_its_transaction_had(ledger: Ledger, end: str) -> None:
    db = ledger.connect(pool_size=1, max_overflow=0, pool_timeout=1.0)

    def again() -> None:
        db.run_core(lambda tx: tx.finish((ADD, {"mark": "hook"})), **WHO)

    def work(tx: CoreTransaction) -> None:
        tx.after_commit(again)
        tx.after_rollback(again)
        last = tx.finish if end == "finish" else tx.batch
        last((ADD, {"mark": "x"}))
        if end == "raise":
            raise KeyError(end)

    if end == "raise":
        with pytest.raises(KeyError), db.core(**WHO) as tx:
            work(tx)
    else:
        with db.core(**WHO) as tx:
            work(tx)
    assert ledger.marks() == ({"hook": 1} if end == "raise" else {"x": 1, "hook": 1})
    told = {ended.outcome: ended for ended in ledger.of(TransactionEnded)}
    assert told["rolled back" if end == "raise" else "committed"].statements == 1


def test_two_tasks_on_one_transaction_are_refused(ledger: Ledger) -> None:
    async def main() -> list[Any]:
        async with ledger.connect_async() as db, db.core(**WHO) as tx:
            one = tx.execute(ADD, {"mark": "x"})
            return list(await asyncio.gather(one, tx.execute(ADD, {"mark": "y"}), return_exceptions=True))

    first, second = asyncio.run(main())
    assert isinstance(second, TransactionBusy)
    assert first.rowcount == 1
    assert ledger.marks() == {"x": 1}


def test_what_the_raw_connection_says_is_typed_under_run_as_well(ledger: Ledger) -> None:
    db, tenant = ledger.connect(), WHO["tenant"]

    def work(session: Session) -> None:
        session.psycopg().execute(
            b"INSERT INTO ledger.invoice (tenant_id, number) VALUES (%s, 1), (%s, 1)", [tenant] * 2
        )

    with pytest.raises(UniqueViolated):
        db.run(work, **WHO)
    with pytest.raises(UniqueViolated), db.transaction(**WHO) as session:
        work(session)


def test_a_listener_that_fails_does_not_change_the_end(ledger: Ledger) -> None:
    def fail(event: Event) -> None:
        if isinstance(event, TransactionEnded):
            raise KeyError("of the listener")

    seen: list[str] = []
    db = ledger.layer.connect(ledger.url(), keys=RING, listener=fail)
    ledger.opened.append(db)
    with db.core(**WHO) as tx:
        hooked(tx, seen)
        tx.finish((ADD, {"mark": "x"}))
    assert (seen, ledger.marks()) == (["committed"], {"x": 1})


def test_an_attempt_that_finds_its_key_used_is_rolled_back(ledger: Ledger) -> None:
    db = ledger.connect()

    def work(tx: CoreTransaction) -> str:
        tx.finish((ADD, {"mark": "x"}), result="done")
        return "done"

    assert [db.run_core(work, key=key, **WHO) for key in "aab"] == ["done", "done", "done"]
    assert outcomes(ledger) == ["committed", "rolled back", "committed"]
    assert ledger.marks() == {"x": 2}
