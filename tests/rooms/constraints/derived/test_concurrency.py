"""Derived columns are right after eight sessions wrote to the same parents, with no deadlock."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa

from freehold import Retry, Session, Workload
from freehold.errors import Deadlock
from freehold.rooms.constraints import rebuild
from freehold.runtime.workload import ISOLATIONS, Isolation
from freehold.testing.layers import LayerDatabase

from .layer import BALANCE, ENTRIES, Account, Entry

PARENTS, THREADS, TURNS = 5, 8, 12
WRONG = (
    "SELECT count(*) FROM shop.account AS a CROSS JOIN LATERAL ("
    "SELECT coalesce(sum(amount) FILTER (WHERE posted), 0) AS balance, count(*) AS entries"
    " FROM shop.entry AS e WHERE e.tenant_id = a.tenant_id AND account_id = a.id) AS s"
    " WHERE (a.balance, a.entries) <> (s.balance, s.entries)"
)


def name_of(level: Isolation) -> str:
    return level.replace(" ", "_")


@pytest.mark.parametrize("levels", [*((level,) for level in ISOLATIONS), ISOLATIONS], ids=", ".join)
def test_eight_sessions(freehold_database: LayerDatabase, who: dict[str, Any], levels: tuple[Isolation, ...]) -> None:
    workloads = tuple(Workload(name_of(level), isolation=level, retry=Retry(attempts=200)) for level in ISOLATIONS)
    db = freehold_database.connect(pool_size=THREADS + 2, workloads=workloads)
    with db.transaction(**who) as session:
        session.add_all(Account(id=number) for number in range(PARENTS))
    gate, deadlocks = Barrier(THREADS), []

    def write(thread: int) -> None:
        chosen = random.Random(thread)

        def turn(session: Session, first: int) -> None:
            accounts = chosen.sample(range(PARENTS), PARENTS)
            try:
                rows = [
                    {"tenant_id": who["tenant"], "id": first + at, "account_id": account, "amount": at + 1}
                    for at, account in enumerate(accounts)
                ]
                session.execute(sa.insert(Entry).values(rows))
                session.execute(
                    sa.update(Entry)
                    .where(Entry.id >= thread * 10_000, Entry.id < (thread + 1) * 10_000)
                    .values(account_id=(Entry.account_id + 1) % PARENTS, posted=~Entry.posted)
                )
            except Deadlock:
                deadlocks.append(thread)
                raise

        gate.wait(20)
        for number in range(TURNS):
            first = thread * 10_000 + number * PARENTS
            db.run(
                lambda session, first=first: turn(session, first), workload=name_of(levels[thread % len(levels)]), **who
            )

    with ThreadPoolExecutor(THREADS + 1) as pool:
        writing = [pool.submit(write, thread) for thread in range(THREADS)]
        with freehold_database.admin() as admin:
            while not all(each.done() for each in writing):
                assert [rebuild(admin, rule, batch=2).mended for rule in (BALANCE, ENTRIES)] == [0, 0]
        for each in writing:
            each.result()
    with freehold_database.admin() as admin:
        assert admin.execute(WRONG).fetchall() == [(0,)]
        assert admin.execute("SELECT count(*) FROM shop.entry").fetchall() == [(THREADS * TURNS * PARENTS,)]
    assert deadlocks == []
