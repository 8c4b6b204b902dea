"""Reads while replicas are away, conflict, are lost, or become the primary."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from freehold import Database, sql
from freehold.errors import ConfigError, ConnectionLost, PoolExhausted, ReplicaConflict, ServerDown, UnsafeLogin
from freehold.events import ReplicaFallback, RetryScheduled
from freehold.runtime import Session
from freehold.runtime.position import Position
from freehold.servers.ports import free_port
from freehold.testing.proxy import KillableProxy
from tests.runtime.commit.layer import Entry
from tests.runtime.conftest import Shop

from .conftest import LONG, RING, WHO, Pair, until, write

STANDBY = sql("SELECT pg_is_in_recovery()")
MARKS = sa.select(Entry.mark)
PID = sql("SELECT pg_backend_pid()")


def served_by_replica(session: Session) -> bool:
    return bool(session.scalar(STANDBY))


def test_an_unreachable_replica_is_no_error_and_comes_back(pair: Pair) -> None:
    with KillableProxy(pair.replica.host, pair.replica.port) as proxy:
        url = pair.url(pair.replica).replace(f":{pair.replica.port}/", f":{proxy.port}/") + "?sslmode=disable"
        proxy.refuse()
        proxy.cut()
        db = pair.connect(replicas=(url,))
        assert not db.run_read(served_by_replica, **WHO)
        (told,) = pair.of(ReplicaFallback)
        assert "No PostgreSQL takes connections" in told.reason
        proxy.resume()
        until(lambda: db.run_read(served_by_replica, **WHO))


def test_nobody_waits_for_one_that_rests(pair: Pair) -> None:
    dead = pair.url(pair.replica).replace(f":{pair.replica.port}/", f":{free_port()}/")
    db = pair.connect(replicas=(dead, pair.url(pair.replica)))
    assert all(db.run_read(served_by_replica, **WHO) for _ in range(4))
    assert pair.of(ReplicaFallback) == []


def test_a_replicas_login_is_checked_at_its_first_use(pair: Pair) -> None:
    db = pair.connect(replicas=(pair.replica.url("pair"),))
    with pytest.raises(UnsafeLogin), db.read(**WHO):
        pass


def test_replicas_need_a_server_that_tells_its_position(shop: Shop) -> None:
    with pytest.raises(ConfigError, match="position"):
        shop.connect(replicas=(shop.url(),))
    with pytest.raises(ConfigError, match="position"):
        shop.connect(positions=True)


@contextmanager
def impatient(pair: Pair) -> Iterator[None]:
    """The replica cancels at once whoever reads what it has to replay."""
    with pair.admin(pair.replica) as connection:
        connection.execute("ALTER SYSTEM SET max_standby_streaming_delay = 0")
        connection.execute("SELECT pg_reload_conf()")
        yield
        connection.execute("ALTER SYSTEM RESET max_standby_streaming_delay")
        connection.execute("SELECT pg_reload_conf()")


def conflict(pair: Pair) -> None:
    """Let the primary lock the table, which the replica's readers are in the way of."""
    with pair.admin() as connection:
        connection.execute("ALTER TABLE ledger.entry SET (fillfactor = 90)")
        connection.execute("ALTER TABLE ledger.entry RESET (fillfactor)")


def test_a_conflict_sends_the_next_attempt_elsewhere(pair: Pair, db: Database) -> None:
    nodes: list[bool] = []

    def work(session: Session) -> int:
        nodes.append(served_by_replica(session))
        session.scalars(MARKS).all()
        if nodes[-1]:
            conflict(pair)
            pair.settle()
        return len(session.scalars(MARKS).all())

    with impatient(pair):
        assert db.run_read(work, **WHO) >= 0
    assert nodes == [True, False]
    assert [event.cause for event in pair.of(RetryScheduled)] == ["serialization failure"]


def test_a_block_tells_the_conflict(pair: Pair, db: Database) -> None:
    with impatient(pair), pytest.raises((ReplicaConflict, ConnectionLost)), db.read(**WHO) as session:
        session.scalars(MARKS).all()
        conflict(pair)
        pair.settle()
        session.scalars(MARKS).all()


def test_a_replica_lost_in_the_middle_is_left_alone(pair: Pair) -> None:
    with KillableProxy(pair.replica.host, pair.replica.port) as proxy:
        url = pair.url(pair.replica).replace(f":{pair.replica.port}/", f":{proxy.port}/") + "?sslmode=disable"
        db = pair.connect(replicas=(url,))
        nodes: list[bool] = []

        def work(session: Session) -> None:
            nodes.append(served_by_replica(session))
            if nodes[-1]:
                proxy.refuse()
                proxy.cut()
            session.scalars(MARKS).all()

        db.run_read(work, **WHO)
        assert nodes == [True, False]
        proxy.resume()
        until(lambda: db.run_read(served_by_replica, **WHO))
        with pytest.raises(ConnectionLost), db.read(**WHO) as session:
            served_by_replica(session)
            proxy.cut()
            session.scalars(MARKS).all()


def test_a_commit_lost_on_a_replica_is_no_doubt(pair: Pair) -> None:
    with KillableProxy(pair.replica.host, pair.replica.port) as proxy:
        url = pair.url(pair.replica).replace(f":{pair.replica.port}/", f":{proxy.port}/") + "?sslmode=disable"
        db = pair.connect(replicas=(url,))
        # A connection prepares COMMIT at its first transaction, and names it only afterwards.
        cut = proxy.cut_before(b"COMMIT\0")
        # A replica that is behind just now is passed over.
        until(lambda: db.run_read(served_by_replica, **WHO) is not None and cut.is_set())
        until(lambda: db.run_read(served_by_replica, **WHO))
        db.dispose()
        cut = proxy.cut_before(b"COMMIT\0")
        with pytest.raises(ConnectionLost), db.read(**WHO) as session:
            assert served_by_replica(session)
        assert cut.is_set()


@pytest.mark.parametrize("outer", ["run", "run_read"])
def test_a_read_inside_a_run_joins_it(pair: Pair, outer: str) -> None:
    db = pair.connect(pair.both)

    def inner(session: Session) -> int:
        return int(session.scalar(PID) or 0)

    def work(session: Session) -> tuple[int, int]:
        return int(session.scalar(PID) or 0), db.run_read(inner, **WHO)

    one, other = getattr(db, outer)(work, **WHO)
    assert one == other


def test_a_promoted_replica_takes_over(own_pair: Pair) -> None:
    db = own_pair.connect(own_pair.both)
    before = write(db, "before")
    with db.read(after=before, wait=LONG, **WHO) as session:
        assert served_by_replica(session)
    own_pair.settle()
    own_pair.primary.kill()
    own_pair.promote()

    db.run(lambda session: session.add(Entry(mark="after")), **WHO)
    after = write(db, "again")
    assert (Position.parse(before, RING).timeline, Position.parse(after, RING).timeline) == (1, 2)
    with db.read(after=before, **WHO) as session:
        assert {"before", "after"} <= set(session.scalars(MARKS).all())
    assert Position.parse(session.position, RING).timeline == 2


def test_a_write_that_meets_a_server_gone_read_only_finds_the_new_primary(own_pair: Pair) -> None:
    db = own_pair.connect(f"{own_pair.both}?target_session_attrs=read-write")
    write(db, "before")
    own_pair.settle()
    own_pair.promote()
    with own_pair.admin() as connection:
        connection.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        connection.execute("SELECT pg_reload_conf()")
    until(lambda: _fenced(own_pair))
    db.run(lambda session: session.add(Entry(mark="moved")), **WHO)
    assert "server became read-only" in {event.cause for event in own_pair.of(RetryScheduled)}
    with own_pair.admin(own_pair.replica) as connection:
        assert ("moved",) in connection.execute("SELECT mark FROM ledger.entry").fetchall()


def _fenced(pair: Pair) -> bool:
    with pair.admin() as connection:
        return connection.execute("SHOW default_transaction_read_only").fetchone() == ("on",)


def test_after_a_restore_to_an_earlier_place_the_token_is_judged_anew(own_pair: Pair) -> None:
    db = own_pair.connect()
    own_pair.settle()
    own_pair.replica.stop()
    lost = write(db, "lost")
    own_pair.primary.kill()
    own_pair.replica.start()
    own_pair.promote()
    with own_pair.admin(own_pair.replica) as connection:
        until(lambda: connection.execute("SELECT pg_is_in_recovery()").fetchone() == (False,))
    restored = own_pair.connect(own_pair.url(own_pair.replica))
    with restored.read(after=lost, **WHO) as session:
        assert "lost" not in session.scalars(MARKS).all()
    found = Position.parse(session.position, RING)
    assert found.timeline == 2 > Position.parse(lost, RING).timeline


def test_in_an_outage_of_the_primary_reads_without_a_bound_go_on(own_pair: Pair) -> None:
    db = own_pair.connect()
    position = write(db, "kept")
    with db.read(after=position, max_staleness=60.0, wait=LONG, **WHO) as session:
        assert served_by_replica(session)
    own_pair.primary.kill()
    assert db.run_read(served_by_replica, after=position, **WHO)
    assert db.run_read(served_by_replica, max_staleness=60.0, **WHO)
    time.sleep(0.2)
    with pytest.raises(ServerDown), db.read(max_staleness=0.1, **WHO) as session:
        session.scalars(MARKS).all()


def test_a_primary_lost_while_it_is_judged_is_asked_again(pair: Pair) -> None:
    position = write(pair.connect(), "kept")
    with KillableProxy(pair.primary.host, pair.primary.port) as proxy:
        url = pair.url(pair.primary).replace(f":{pair.primary.port}/", f":{proxy.port}/") + "?sslmode=disable"
        db = pair.connect(url, replicas=())
        cut = proxy.cut_before(b"position_v1")
        assert not db.run_read(served_by_replica, after=position, **WHO)
        assert cut.is_set()
        db.dispose()
        cut = proxy.cut_before(b"position_v1")
        with pytest.raises(ConnectionLost), db.read(after=position, **WHO) as session:
            session.scalar(PID)
        assert cut.is_set()


def test_a_connection_made_before_the_promotion_is_judged_anew(own_pair: Pair) -> None:
    db = own_pair.connect(own_pair.both)
    before = write(db, "before")
    own_pair.settle()
    early = own_pair.connect(own_pair.url(own_pair.replica), replicas=(), pool_size=1, max_overflow=0)
    with early.read(after=before, **WHO) as session:
        assert served_by_replica(session)
    own_pair.primary.kill()
    own_pair.promote()
    db.run(lambda session: session.add(Entry(mark="after")), **WHO)
    after = write(db, "again")
    with early.read(after=after, **WHO) as session:
        assert {"after", "again"} <= set(session.scalars(MARKS).all())


def test_a_primary_whose_connections_are_all_taken_is_no_dead_one(pair: Pair) -> None:
    db = pair.connect(pool_size=1, max_overflow=0, pool_timeout=0.1)
    with db.transaction(**WHO) as session:
        kept = session.scalar(PID)
        with pytest.raises(PoolExhausted), db.read(max_staleness=60.0, **WHO) as other:
            other.scalar(PID)
    with db.transaction(**WHO) as session:
        assert session.scalar(PID) == kept


def test_a_replica_whose_connections_are_all_taken_is_passed_over_and_not_left_alone(pair: Pair) -> None:
    db = pair.connect(pool_size=1, max_overflow=0, pool_timeout=0.1)
    with db.read(**WHO) as first:
        kept = first.scalar(PID)
        assert served_by_replica(first)
        with db.read(**WHO) as second:
            assert not served_by_replica(second)
    (told,) = pair.of(ReplicaFallback)
    assert "taken" in told.reason
    with db.read(**WHO) as third:
        assert served_by_replica(third)
        assert third.scalar(PID) == kept
