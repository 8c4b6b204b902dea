"""Exactly once: whatever cuts the connection, a key's work is done once, and its caller learns the one result."""

from __future__ import annotations

import asyncio
import datetime
import decimal
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

import pytest
import sqlalchemy as sa

from freehold import AsyncDatabase, Database
from freehold.errors import (
    CommitUnknown,
    InputError,
    KeyReused,
    OutcomeAborted,
    OutcomeError,
    ResultNotStorable,
    ResultTooLarge,
)
from freehold.events import CommitAmbiguous, OutcomeResolved, RetryScheduled
from freehold.runtime import settling
from freehold.runtime.asynchronous import AsyncSession
from freehold.runtime.core import AsyncCoreTransaction, CoreTransaction
from freehold.runtime.outcome import Claim, Place, Verdict, decode, encode
from freehold.runtime.session import Session
from freehold.runtime.workload import Retry, Workload
from freehold.testing.proxy import Cut, Held, KillableProxy

from .conftest import WHO, Ledger
from .layer import LARGEST, TWO, Entry

ADD = sa.insert(Entry)
COMMIT = b"COMMIT\0"
"""The statement as a connection's first COMMIT carries it; BEGIN's "READ COMMITTED" is another."""
LEVELS = ("read committed", "repeatable read", "serializable")
WORKLOADS = tuple(
    Workload(level, isolation=level, retry=Retry(base=0.001))  # type: ignore[arg-type]
    for level in LEVELS
)


def put(session: Session, mark: str) -> dict[str, str]:
    session.add(Entry(mark=mark))
    session.flush()
    return {"mark": mark}


def put_core(tx: CoreTransaction, mark: str) -> dict[str, str]:
    tx.execute(ADD, {"mark": mark})
    return {"mark": mark}


def put_at_once(tx: CoreTransaction, mark: str) -> dict[str, str]:
    tx.finish((ADD, {"mark": mark}), result={"mark": mark})
    return {"mark": mark}


async def put_async(session: AsyncSession, mark: str) -> dict[str, str]:
    session.add(Entry(mark=mark))
    await session.flush()
    return {"mark": mark}


async def put_core_async(tx: AsyncCoreTransaction, mark: str) -> dict[str, str]:
    await tx.finish((ADD, {"mark": mark}), result={"mark": mark})
    return {"mark": mark}


Call = Callable[..., Any]


@dataclass(frozen=True)
class Way:
    """One of the four ways to run under a key."""

    ledger: Ledger
    name: str

    def __call__(self, mark: str, proxy: KillableProxy | None = None, **options: Any) -> Any:
        options = {**WHO, **options}
        match self.name:
            case "orm":
                return self.ledger.connect(proxy, workloads=WORKLOADS).run(put, mark, **options)
            case "core":
                return self.ledger.connect(proxy, workloads=WORKLOADS).run_core(put_core, mark, **options)
            case "core at once":
                return self.ledger.connect(proxy, workloads=WORKLOADS).run_core(put_at_once, mark, **options)
            case "async orm":
                call: Call = lambda db: db.run(put_async, mark, **options)  # noqa: E731
            case _:
                call = lambda db: db.run_core(put_core_async, mark, **options)  # noqa: E731
        return self.ledger.run_async(call, proxy=proxy, workloads=WORKLOADS)


@pytest.fixture(params=["orm", "core", "core at once", "async orm", "async core"])
def way(request: pytest.FixtureRequest, ledger: Ledger) -> Way:
    return Way(ledger, request.param)


@pytest.fixture(params=["orm", "core at once"])
def sync_way(request: pytest.FixtureRequest, ledger: Ledger) -> Way:
    return Way(ledger, request.param)


def test_the_work_is_done_once_and_the_result_given_again(way: Way) -> None:
    assert [way("x", key="k") for _ in range(3)] == [{"mark": "x"}] * 3
    assert way("x", key="k", tenant=TWO) == {"mark": "x"}
    assert way.ledger.marks() == {"x": 2}


def test_another_request_under_the_same_key_is_refused(way: Way) -> None:
    way("x", key="k", request={"pay": 1})
    with pytest.raises(KeyReused, match="'k'"):
        way("y", key="k", request={"pay": 2})
    assert way("x", key="k", request={"pay": 1}) == {"mark": "x"}
    assert way.ledger.marks() == {"x": 1}


@pytest.mark.parametrize("trap", ["cut_before", "cut_after"])
@pytest.mark.parametrize("how", [Cut.RESET, Cut.CLOSE], ids=lambda how: how.value)
def test_a_cut_in_commit_is_settled(way: Way, killable_proxy: KillableProxy, trap: str, how: Cut) -> None:
    cut = getattr(killable_proxy, trap)(COMMIT, how)
    assert way("x", killable_proxy, key="k") == {"mark": "x"}
    assert cut.is_set()
    assert way.ledger.marks() == {"x": 1}
    assert len(way.ledger.of(CommitAmbiguous)) == 1
    verdict = "committed" if trap == "cut_after" else "aborted"
    assert [event.verdict for event in way.ledger.of(OutcomeResolved)] == [verdict]


@pytest.mark.parametrize("trap", ["cut_before", "cut_after"])
def test_without_a_key_a_cut_in_commit_is_unknown_and_never_repeated(
    way: Way, killable_proxy: KillableProxy, trap: str
) -> None:
    getattr(killable_proxy, trap)(COMMIT)
    with pytest.raises(CommitUnknown) as caught:
        way("x", killable_proxy)
    assert caught.value.token == ""
    assert way.ledger.of(RetryScheduled) == []
    assert way.ledger.marks()["x"] == (trap == "cut_after")
    assert way.ledger.of(CommitAmbiguous) == [CommitAmbiguous("default", keyed=False)]


@pytest.mark.parametrize("fenced", [True, False], ids=["fenced", "unfenced"])
@pytest.mark.parametrize("level", LEVELS)
def test_a_commit_that_arrives_after_its_verdict_fails(
    sync_way: Way, killable_proxy: KillableProxy, level: str, fenced: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    way = sync_way
    if not fenced:
        # A resolver that may not end the backend, because another login's holds the key.
        monkeypatch.setattr(settling, "FENCE", b"SELECT $1::text, $2::text")
    held = killable_proxy.hold(COMMIT)
    settled: list[Any] = []
    caller = threading.Thread(target=lambda: settled.append(way("x", killable_proxy, key="k", workload=level)))
    caller.start()
    if not fenced:
        # The second attempt waits for the first one's lock, until that one's late COMMIT has failed.
        wait_for(lambda: bool(way.ledger.of(OutcomeResolved)))
        # Above read committed the tombstone came after the late transaction's snapshot.
        assert (b"FH021" if level == "read committed" else b"40001") in held.release()
        caller.join()
    else:
        caller.join()
        answer = held.release()
        assert b"FH021" in answer or b"57P01" in answer or answer == b""
    assert settled == [{"mark": "x"}]
    assert way.ledger.marks() == {"x": 1}
    assert [event.verdict for event in way.ledger.of(OutcomeResolved)] == ["aborted"]


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = monotonic() + 5
    while not condition():
        assert monotonic() < deadline


def test_a_late_commit_of_the_second_attempt_fails_as_well(ledger: Ledger, killable_proxy: KillableProxy) -> None:
    db = ledger.connect(killable_proxy)
    held: list[Held] = []

    def work(tx: CoreTransaction) -> None:
        if len(held) < 2:
            held.append(killable_proxy.hold(b"its mark"))
        tx.finish((ADD, {"mark": "its mark"}))

    # The connection then knows where it leads, and all goes in one message from BEGIN to COMMIT.
    db.run_core(put_core, "warm", key="warm", **WHO)
    db.run_core(work, key="k", **WHO)
    assert [b"FH021" in each.release() for each in held] == [True, True]
    assert ledger.marks() == {"warm": 1, "its mark": 1}


@pytest.mark.parametrize("way_name", ["orm", "core"])
def test_an_attempt_whose_client_is_gone_does_not_hold_up_the_next(
    ledger: Ledger, killable_proxy: KillableProxy, way_name: str
) -> None:
    db = ledger.connect(killable_proxy)
    held: list[Held] = []

    def hold() -> None:
        if not held:
            # The server waits for a message that never comes, with the key in its hands.
            held.append(killable_proxy.hold(b"the mark"))

    def orm(session: Session) -> None:
        hold()
        put(session, "the mark")

    def core(tx: CoreTransaction) -> None:
        hold()
        tx.execute(ADD, {"mark": "the mark"})

    began = monotonic()
    db.run(orm, key="k", **WHO) if way_name == "orm" else db.run_core(core, key="k", **WHO)
    assert monotonic() - began < 4
    assert ledger.marks() == {"the mark": 1}
    held[0].release(0.1)
    assert ledger.marks() == {"the mark": 1}


def test_callers_at_once_have_one_effect(ledger: Ledger) -> None:
    db = ledger.connect()
    calls: list[int] = []

    def work(session: Session) -> int:
        calls.append(1)
        put(session, "x")
        return len(calls)

    results: list[int] = []
    threads = [threading.Thread(target=lambda: results.append(db.run(work, key="k", **WHO))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (results, calls) == ([1] * 8, [1])
    assert ledger.marks() == {"x": 1}


@pytest.mark.parametrize("level", LEVELS)
def test_callers_at_once_under_each_level(ledger: Ledger, level: str) -> None:
    async def main(db: AsyncDatabase) -> list[Any]:
        return list(
            await asyncio.gather(
                *(db.run(put_async, "x", key="k", workload=level, **WHO) for _ in range(6)),
                *(db.run_core(put_core_async, "x", key="k", workload=level, **WHO) for _ in range(6)),
            )
        )

    assert ledger.run_async(main, workloads=WORKLOADS) == [{"mark": "x"}] * 12
    assert ledger.marks() == {"x": 1}


def test_a_failed_function_leaves_its_key_free(ledger: Ledger) -> None:
    db = ledger.connect()
    with pytest.raises(KeyError):
        db.run(lambda session: put(session, "x")["y"], key="k", **WHO)
    assert db.run(put, "x", key="k", **WHO) == {"mark": "x"}
    assert ledger.marks() == {"x": 1}


@pytest.mark.parametrize("way_name", ["orm", "core"])
@pytest.mark.parametrize(
    ("result", "error"),
    [(object(), ResultNotStorable), (float("nan"), ResultNotStorable), ("x" * LARGEST, ResultTooLarge)],
)
def test_a_result_that_cannot_be_stored_undoes_the_work(
    ledger: Ledger, way_name: str, result: Any, error: type[Exception]
) -> None:
    db = ledger.connect()
    for _ in range(2):
        with pytest.raises(error):
            if way_name == "orm":
                db.run(lambda session: (put(session, "x"), result)[1], key="k", **WHO)
            else:
                db.run_core(lambda tx: tx.finish((ADD, {"mark": "x"}), result=result), key="k", **WHO)
    assert ledger.marks() == {}


def test_stored_values_keep_their_types(db: Database) -> None:
    value = {
        "uuid": uuid.UUID(int=5),
        "sum": decimal.Decimal("1.50"),
        "at": datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC),
        "day": datetime.date(2026, 1, 2),
        "time": datetime.time(1, 2, 3),
        "long": datetime.timedelta(seconds=1.5),
        "octets": b"\0\xff",
        "rest": [None, True, 1.5, "ü\\"],
    }
    assert decode(encode(value)) == value
    assert [db.run(lambda session: value, key="k", **WHO) for _ in range(2)] == [value, value]


@pytest.mark.parametrize("key", ["", "k" * 513, "ü" * 257])
def test_a_key_of_another_size_is_refused(db: Database, key: str) -> None:
    with pytest.raises(InputError, match="bytes"):
        db.run(put, "x", key=key, **WHO)


def test_a_request_that_json_cannot_say_is_refused(db: Database) -> None:
    with pytest.raises(InputError, match="JSON"):
        db.run(put, "x", key="k", request=object(), **WHO)


def test_an_external_effect_is_not_repeated_after_a_lost_commit(ledger: Ledger, killable_proxy: KillableProxy) -> None:
    db = ledger.connect(killable_proxy)
    calls: list[int] = []

    def work(session: Session) -> None:
        calls.append(1)
        put(session, "x")
        session.external("charge card")

    killable_proxy.cut_before(COMMIT)
    with pytest.raises(OutcomeAborted):
        db.run(work, key="k", **WHO)
    assert (calls, ledger.marks()) == ([1], {})
    killable_proxy.cut_after(COMMIT)
    db.run(work, key="k", **WHO)
    assert (len(calls), ledger.marks()) == (2, {"x": 1})


def test_without_a_budget_an_aborted_commit_is_told_as_such(ledger: Ledger, killable_proxy: KillableProxy) -> None:
    once = Workload("once", retry=Retry(attempts=1))
    killable_proxy.cut_before(COMMIT)
    with pytest.raises(OutcomeAborted):
        ledger.connect(killable_proxy, workloads=(once,)).run(put, "x", key="k", workload="once", **WHO)
    assert ledger.marks() == {}


def test_what_cannot_be_asked_now_is_asked_later_by_anybody(ledger: Ledger, killable_proxy: KillableProxy) -> None:
    db = ledger.connect(killable_proxy)
    db._body.settling.patience = 0.2
    for trap, verdict in (("cut_before", Verdict.ABORTED), ("cut_after", Verdict.COMMITTED)):

        def work(session: Session, trap: str = trap) -> dict[str, str]:
            killable_proxy.resume()
            getattr(killable_proxy, trap)(COMMIT)
            killable_proxy.refuse()
            return put(session, trap)

        killable_proxy.resume()
        with pytest.raises(CommitUnknown) as caught:
            db.run(work, key=trap, **WHO)
        assert caught.value.token
        settled = ledger.connect().resolve(caught.value.token)
        assert settled.verdict is verdict
        assert settled.result == ({"mark": trap} if verdict is Verdict.COMMITTED else None)
    assert ledger.marks() == {"cut_after": 1}


def test_a_key_that_another_request_has_taken_meanwhile_is_told(ledger: Ledger) -> None:
    db = ledger.connect()
    token = Claim.of("k", {"pay": 2}).token(str(WHO["tenant"]))
    db.run(put, "x", key="k", request={"pay": 1}, **WHO)
    with pytest.raises(KeyReused):
        db.resolve(token)


def test_another_cluster_knows_no_verdict(ledger: Ledger) -> None:
    db = ledger.connect()
    elsewhere = Claim.of("k", None)
    elsewhere.place = Place(42, 1)
    settled = db.resolve(elsewhere.token(str(WHO["tenant"])))
    assert settled.verdict is Verdict.UNKNOWN
    assert "another cluster" in settled.reason


@pytest.mark.parametrize("token", ["", "x", "bm90IGpzb24", "WzIsIDFd", "W10"])
def test_a_malformed_token_is_refused(db: Database, token: str) -> None:
    with pytest.raises(OutcomeError):
        db.resolve(token)
