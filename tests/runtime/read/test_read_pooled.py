"""Behind PgBouncer each transaction may meet another backend, so every one of them is judged for itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from freehold import Database, sql
from freehold.errors import PositionInvalid
from freehold.events import ReplicaFallback
from freehold.runtime.position import Position
from freehold.servers.pooler import Pooler, pooler_for
from freehold.testing.servers import missing_pooler
from tests.runtime.commit.layer import PASSWORD, Entry

from .conftest import LONG, NAME, RING, WHO, Pair, write

STANDBY = sql("SELECT pg_is_in_recovery()")
MARKS = sa.select(Entry.mark)


def url(pooler: Pooler) -> str:
    """The application's URL by way of the pooler."""
    return pooler.url(NAME, user=f"{NAME}_app_a", password=PASSWORD)


@pytest.fixture
def pooled(pair: Pair) -> Iterator[Database]:
    reason = missing_pooler()
    if reason:
        pytest.skip(reason)
    with pooler_for(pair.primary, pool_size=2) as primary, pooler_for(pair.replica, pool_size=2) as replica:
        yield pair.connect(url(primary), replicas=(url(replica),))


def test_reads_are_judged_inside_their_transaction(pair: Pair, pooled: Database) -> None:
    position = write(pooled, "pooled")
    for _ in range(2):
        with pooled.read(after=position, max_staleness=60.0, wait=LONG, **WHO) as session:
            assert session.scalar(STANDBY)
            assert "pooled" in session.scalars(MARKS).all()
        with pooled.read_core(after=session.position, wait=LONG, **WHO) as core:
            assert core.execute(STANDBY).scalar_one()
    assert pair.of(ReplicaFallback) == []


def test_one_that_stands_still_is_left_for_the_primary(pair: Pair, pooled: Database) -> None:
    with pair.paused():
        position = write(pooled, "later")
        for read in (pooled.read, pooled.read_core):
            with read(after=position, **WHO) as reader:
                assert not reader.execute(STANDBY).scalar_one()
                assert ("later",) in [tuple(row) for row in reader.execute(MARKS)]
    assert len(pair.of(ReplicaFallback)) == 2
    assert pooled.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_a_token_of_another_cluster_is_refused(pooled: Database) -> None:
    known = Position.parse(write(pooled, "here"), RING)
    other = Position(known.system_identifier + 1, known.timeline, known.lsn).token(RING)
    for read in (pooled.read, pooled.read_core):
        with pytest.raises(PositionInvalid), read(after=other, **WHO):
            pass
    assert pooled.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
