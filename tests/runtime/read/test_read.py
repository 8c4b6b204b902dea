"""Reads that see what their reader has seen, and are as fresh as they ask to be, wherever they are served."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest
import sqlalchemy as sa

from freehold import Database, sql
from freehold.errors import InputError, PositionInvalid, ReadOnly, ReplicaError
from freehold.events import ReplicaFallback, TransactionEnded
from freehold.runtime import Workload
from freehold.runtime.position import Position
from tests.runtime.commit.layer import Entry

from .conftest import LONG, RING, WHO, Pair, write

STANDBY = sql("SELECT pg_is_in_recovery(), current_setting('transaction_isolation')")
MARKS = sa.select(Entry.mark)


def test_a_replica_shows_what_its_reader_has_written(pair: Pair, db: Database) -> None:
    position = write(db, "mine")
    with db.read(after=position, wait=LONG, **WHO) as session:
        assert session.execute(STANDBY).one() == (True, "read committed")
        assert "mine" in session.scalars(MARKS).all()
    assert pair.of(ReplicaFallback) == []
    assert pair.of(TransactionEnded)[-1].node == "replica 1"
    assert Position.parse(session.position, RING) >= Position.parse(position, RING)


def test_the_fast_path_does_too(pair: Pair, db: Database) -> None:
    with db.core(**WHO) as tx:
        tx.execute(sa.insert(Entry), {"mark": "fast"})
    with db.read_core(after=tx.position, wait=LONG, max_staleness=60.0, **WHO) as reader:
        assert reader.execute(STANDBY).one()[0]
        assert ("fast",) in [tuple(row) for row in reader.execute(MARKS)]
    assert reader.position


def test_asyncio_does_too(pair: Pair) -> None:
    async def main() -> None:
        db = await pair.layer.connect_async(pair.url(pair.primary), **pair.place())
        try:
            async with db.transaction(**WHO) as session:
                session.add(Entry(mark="async"))
            async with db.read(after=session.position, wait=LONG, **WHO) as reader:
                assert (await reader.execute(STANDBY)).one()[0]
                assert "async" in (await reader.scalars(MARKS)).all()
            async with db.read_core(after=reader.position, wait=LONG, **WHO) as core:
                assert (await core.execute(STANDBY)).one()[0]
            assert await db.run_read(_recovers, after=core.position, wait=LONG, **WHO)
        finally:
            await db.dispose()

    async def _recovers(session: sa.ext.asyncio.AsyncSession) -> bool:
        return bool((await session.execute(STANDBY)).one()[0])

    asyncio.run(main())


def test_a_replica_that_stands_still_is_not_asked_for_what_it_has_not(pair: Pair, db: Database) -> None:
    with pair.paused():
        position = write(db, "late")
        with db.read(after=position, **WHO) as session:
            assert not session.execute(STANDBY).one()[0]
            assert "late" in session.scalars(MARKS).all()
        again = session.position
        (told,) = pair.of(ReplicaFallback)
        assert told.replica == "replica 1"
        assert told.reason.startswith("it is behind by ")
        with db.read(**WHO) as anything:
            assert anything.execute(STANDBY).one()[0]
            assert "late" not in anything.scalars(MARKS).all()
        with db.read(after=again, **WHO) as monotonic:
            assert "late" in monotonic.scalars(MARKS).all()
    assert len(pair.of(ReplicaFallback)) == 2


def test_it_is_waited_for_once_and_not_by_every_read(pair: Pair, db: Database) -> None:
    with pair.paused():
        position = write(db, "waited")
        began = time.monotonic()
        with db.read(after=position, wait=1.0, **WHO) as session:
            session.scalars(MARKS).all()
        assert time.monotonic() - began >= 1.0
        began = time.monotonic()
        with db.read(after=position, wait=30.0, **WHO) as session:
            session.scalars(MARKS).all()
        assert time.monotonic() - began < 10.0


def test_what_was_seen_is_enough_for_older_needs(pair: Pair, db: Database) -> None:
    old = write(db, "old")
    with db.read(after=old, wait=LONG, **WHO) as session:
        session.scalars(MARKS).all()
    with pair.paused():
        with db.read(after=write(db, "new"), **WHO) as session:
            assert not session.execute(STANDBY).one()[0]
        with db.read(after=old, wait=0.0, **WHO) as session:
            assert session.execute(STANDBY).one()[0]


def test_staleness_is_proved_and_not_believed(pair: Pair, db: Database) -> None:
    with db.read(max_staleness=60.0, wait=LONG, **WHO) as session:
        assert session.execute(STANDBY).one()[0]
    with pair.paused():
        write(db, "unseen")
        time.sleep(0.3)
        with db.read(max_staleness=60.0, **WHO) as session:
            assert session.execute(STANDBY).one()[0]
        with db.read(max_staleness=0.2, **WHO) as session:
            assert not session.execute(STANDBY).one()[0]
            assert "unseen" in session.scalars(MARKS).all()


def test_an_idle_database_is_fresh(pair: Pair, db: Database) -> None:
    for _ in range(3):
        with db.read(max_staleness=0.3, wait=LONG, **WHO) as session:
            assert session.execute(STANDBY).one()[0]
        time.sleep(0.4)


def test_a_snapshot_is_the_primarys(pair: Pair, db: Database) -> None:
    with db.read(mode="snapshot", **WHO) as session:
        assert session.execute(STANDBY).one() == (False, "repeatable read")
    assert pair.of(ReplicaFallback) == []


def test_no_replica_is_serializable(pair: Pair) -> None:
    db = pair.connect(workloads=(Workload("ledger", isolation="serializable"),))
    with db.read(workload="ledger", **WHO) as session:
        assert session.execute(STANDBY).one() == (True, "repeatable read")
    with db.read(workload="ledger", mode="snapshot", **WHO) as session:
        assert session.execute(STANDBY).one() == (False, "serializable")


@pytest.mark.parametrize("mode", ["session", "snapshot"])
def test_nothing_is_written(db: Database, mode: str) -> None:
    with pytest.raises(ReadOnly), db.read(mode=mode, **WHO) as session:  # type: ignore[arg-type]
        session.add(Entry(mark="never"))
        session.flush()


def test_without_replicas_the_primary_serves_and_still_gives_positions(pair: Pair) -> None:
    db = pair.connect(replicas=(), positions=True)
    with db.read(after=write(db, "alone"), max_staleness=1.0, **WHO) as session:
        assert "alone" in session.scalars(MARKS).all()
    assert session.position
    assert pair.of(ReplicaFallback) == []


def test_a_read_of_nothing_keeps_the_position(db: Database) -> None:
    position = write(db, "kept")
    with db.read(after=position, wait=LONG, **WHO) as session:
        pass
    assert session.position == position


@pytest.mark.parametrize(
    "token", ["", "1.2.3", "1.7b.1.0.k1.0123456789abcdef01234567", "é.1.1.1.k1.00", "1.1.1.1.k9.00"]
)
def test_a_forged_token_is_refused(db: Database, token: str) -> None:
    if not token:
        with db.read(after=token, **WHO):
            return
    with pytest.raises(PositionInvalid), db.read(after=token, **WHO):
        pass


def test_a_token_of_another_cluster_is_refused(pair: Pair, db: Database) -> None:
    known = Position.parse(write(db, "here"), RING)
    other = replace(known, system_identifier=known.system_identifier + 1).token(RING)
    for _ in range(2):
        with pytest.raises(PositionInvalid, match="another cluster"), db.read(after=other, **WHO):
            pass
    with db.read(**WHO) as session:
        assert session.execute(STANDBY).one()[0]


def test_a_primary_that_was_overtaken_is_refused(pair: Pair, db: Database) -> None:
    known = Position.parse(write(db, "here"), RING)
    with pytest.raises(ReplicaError, match="older than"), db.read(after=replace(known, timeline=9).token(RING), **WHO):
        pass


@pytest.mark.parametrize(
    "wrong", [{"mode": "snap"}, {"wait": -1}, {"max_staleness": -0.1}, {"max_staleness": float("nan")}]
)
def test_wrong_wishes_are_refused(db: Database, wrong: dict[str, object]) -> None:
    with pytest.raises(InputError), db.read(**WHO, **wrong):  # type: ignore[arg-type]
        pass
