"""What follows a commit runs once it stands, and what follows a rollback once nothing is stored."""

from __future__ import annotations

import pytest

from freehold import AsyncDatabase, Database
from freehold.errors import AfterCommitFailed, CommitUnknown, Deadlock
from freehold.events import TransactionEnded
from freehold.runtime.asynchronous import AsyncSession
from freehold.runtime.core import CoreTransaction
from freehold.runtime.literal import sql
from freehold.runtime.session import Session
from freehold.testing.proxy import KillableProxy

from .conftest import WHO, Ledger
from .layer import Entry

FAILING = sql("DO $$ BEGIN RAISE EXCEPTION SQLSTATE '40P01'; END $$")


def test_they_run_in_order_and_see_what_is_stored(ledger: Ledger) -> None:
    db, seen = ledger.connect(), list[str]()

    def count() -> None:
        seen.append(f"{ledger.marks()['x']} stored")

    with db.transaction(**WHO) as session:
        session.add(Entry(mark="x"))
        session.after_commit(lambda: seen.append("first"))
        session.after_commit(count)
        session.after_rollback(lambda: seen.append("rolled back"))
        session.flush()
        assert seen == []
    assert seen == ["first", "1 stored"]


@pytest.mark.parametrize("path", ["orm", "core"])
def test_a_rollback_has_its_own(db: Database, path: str) -> None:
    seen: list[str] = []
    with pytest.raises(KeyError), db.transaction(**WHO) if path == "orm" else db.core(**WHO) as tx:
        tx.after_commit(lambda: seen.append("committed"))
        tx.after_rollback(lambda: seen.append("rolled back"))
        raise KeyError("of the application")
    assert seen == ["rolled back"]


def test_each_attempt_has_its_own(ledger: Ledger) -> None:
    db, seen = ledger.connect(), list[str]()

    def work(session: Session) -> None:
        number = len(seen)
        session.after_commit(lambda: seen.append(f"committed {number}"))
        session.after_rollback(lambda: seen.append(f"rolled back {number}"))
        session.add(Entry(mark="x"))
        session.flush()
        if number < 2:
            session.execute(FAILING)

    db.run(work, **WHO)
    assert seen == ["rolled back 0", "rolled back 1", "committed 2"]
    assert ledger.marks() == {"x": 1}


@pytest.mark.parametrize("path", ["block", "run", "run_core"])
def test_one_that_fails_does_not_undo_the_commit_nor_stop_the_others(ledger: Ledger, path: str) -> None:
    db, seen = ledger.connect(), list[str]()

    def fail() -> None:
        raise KeyError("of the hook")

    def work(tx: Session | CoreTransaction) -> None:
        tx.after_commit(fail)
        tx.after_commit(lambda: seen.append("second"))
        if isinstance(tx, Session):
            tx.add(Entry(mark="x"))
        else:
            tx.finish((Entry.__table__.insert(), {"mark": "x"}))  # type: ignore[attr-defined]

    with pytest.raises(AfterCommitFailed, match="KeyError") as caught:
        if path == "block":
            with db.transaction(**WHO) as session:
                work(session)
        elif path == "run":
            db.run(work, **WHO)
        else:
            db.run_core(work, **WHO)
    assert isinstance(caught.value.__cause__, KeyError)
    assert (seen, ledger.marks()) == (["second"], {"x": 1})
    assert [ended.outcome for ended in ledger.of(TransactionEnded)] == ["committed"]


def test_a_rollback_hook_that_fails_does_not_hide_the_error(db: Database) -> None:
    seen: list[str] = []

    def fail() -> None:
        raise KeyError("of the hook")

    with pytest.raises(ValueError, match="of the application"), db.transaction(**WHO) as session:
        session.after_rollback(fail)
        session.after_rollback(lambda: seen.append("second"))
        raise ValueError("of the application")
    assert seen == ["second"]


def test_after_an_unknown_commit_neither_runs(ledger: Ledger, killable_proxy: KillableProxy) -> None:
    db, seen = ledger.connect(killable_proxy), list[str]()
    killable_proxy.cut_after(b"COMMIT\0")
    with pytest.raises(CommitUnknown), db.transaction(**WHO) as session:
        session.add(Entry(mark="x"))
        session.after_commit(lambda: seen.append("committed"))
        session.after_rollback(lambda: seen.append("rolled back"))
    assert seen == []


def test_after_a_settled_commit_it_runs_once(ledger: Ledger, killable_proxy: KillableProxy) -> None:
    db, seen = ledger.connect(killable_proxy), list[str]()

    def work(session: Session) -> None:
        session.add(Entry(mark="x"))
        session.after_commit(lambda: seen.append("committed"))

    killable_proxy.cut_after(b"COMMIT\0")
    db.run(work, key="k", **WHO)
    db.run(work, key="k", **WHO)
    assert (seen, ledger.marks()) == (["committed"], {"x": 1})


def test_coroutine_functions_are_awaited(ledger: Ledger) -> None:
    seen: list[str] = []

    async def note(what: str) -> None:
        seen.append(what)

    async def work(session: AsyncSession, fail: bool) -> None:
        session.after_commit(lambda: note("committed"))
        session.after_commit(lambda: seen.append("plain"))
        session.after_rollback(lambda: note("rolled back"))
        session.add(Entry(mark="x"))
        if fail:
            raise KeyError("of the application")

    async def main(db: AsyncDatabase) -> None:
        await db.run(work, False, **WHO)
        with pytest.raises(KeyError):
            await db.run(work, True, **WHO)
        async with db.core(**WHO) as tx:
            tx.after_commit(lambda: note("fast"))
            await tx.finish((Entry.__table__.insert(), {"mark": "y"}))  # type: ignore[attr-defined]

    ledger.run_async(main)
    assert seen == ["committed", "plain", "rolled back", "fast"]


def test_a_hook_may_open_a_transaction_of_its_own(ledger: Ledger) -> None:
    db = ledger.connect(pool_size=1, max_overflow=0)

    def follow(session: Session) -> None:
        session.add(Entry(mark="y"))

    def work(session: Session) -> None:
        session.add(Entry(mark="x"))
        session.after_commit(lambda: db.run(follow, **WHO))

    db.run(work, **WHO)
    assert ledger.marks() == {"x": 1, "y": 1}


def test_a_given_up_run_rolls_back(ledger: Ledger) -> None:
    seen: list[str] = []

    def work(session: Session) -> None:
        session.after_rollback(lambda: seen.append("rolled back"))
        session.external("mail")
        session.execute(FAILING)

    with pytest.raises(Deadlock):
        ledger.connect().run(work, **WHO)
    assert seen == ["rolled back"]
