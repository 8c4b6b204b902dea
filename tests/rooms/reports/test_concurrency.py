"""Two refreshes at once, and one that is killed."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from freehold.rooms.reports import refresh_all
from tests.rooms.building import Connection

from .conftest import Built
from .layer import ONE, REVENUE

BIND = "SELECT set_config('freehold.context', freehold.issue_context_v1(%s::text, 'ann', '1 minute'), false)"
MINE = "SELECT shop.refresh_revenue_v1()"
EXACT = """
    SELECT count(*) FROM (
        (SELECT tenant_id, article, sum(amount), count(*) FROM shop.sale GROUP BY 1, 2 EXCEPT TABLE shop.revenue)
        UNION ALL
        (TABLE shop.revenue EXCEPT SELECT tenant_id, article, sum(amount), count(*) FROM shop.sale GROUP BY 1, 2)
    ) AS d
"""
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'"


def wait_until_blocked(watcher: Connection, pid: int) -> None:
    """Return when the backend waits for a lock."""
    deadline = time.monotonic() + 20
    while watcher.execute(WAITING, (pid,)).fetchall() != [(1,)]:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_second_refresh_waits_and_sees_what_was_committed_meanwhile(built: Built) -> None:
    with built.database.connect() as first, built.database.connect() as second, ThreadPoolExecutor(1) as pool:
        for connection in (first, second):
            connection.execute(BIND, (ONE,))
            connection.commit()
        assert first.execute(MINE).fetchall() == [(2,)]
        waiting = pool.submit(lambda: second.execute(MINE).fetchall())
        wait_until_blocked(built.connection, second.info.backend_pid)
        built.connection.execute("INSERT INTO shop.sale VALUES (%s, 50, 'rice', 1)", (ONE,))
        first.commit()
        assert waiting.result(timeout=20) == [(1,)]
        second.commit()
    refresh_all(built.connection, REVENUE)
    assert built.connection.execute(EXACT).fetchall() == [(0,)]


def test_many_refreshes_of_all_and_of_one_never_clash(built: Built) -> None:
    def work(number: int) -> None:
        with built.database.connect(autocommit=True) as connection:
            connection.execute(BIND, (ONE,))
            for turn in range(8):
                connection.execute(
                    "INSERT INTO shop.sale VALUES (%s, %s, 'rice', 1)", (ONE, 1000 + number * 100 + turn)
                )
                connection.execute(MINE if (number + turn) % 2 else "SELECT shop.refresh_revenue_all_v1()")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    refresh_all(built.connection, REVENUE)
    assert built.connection.execute(EXACT).fetchall() == [(0,)]


def test_a_killed_refresh_leaves_nothing_half_done(built: Built) -> None:
    refresh_all(built.connection, REVENUE)
    state = "SELECT * FROM freehold.report_state ORDER BY 1"
    before = built.connection.execute(state).fetchall()
    built.connection.execute("DELETE FROM shop.sale WHERE article = 'jam'")
    with built.database.connect() as doomed:
        doomed.execute("SELECT shop.refresh_revenue_all_v1()")
        built.connection.execute("SELECT pg_terminate_backend(%s)", (doomed.info.backend_pid,))
        with pytest.raises(psycopg.OperationalError):
            doomed.execute("SELECT 1")
    assert built.connection.execute(state).fetchall() == before
    assert built.connection.execute("SELECT count(*) FROM shop.revenue").fetchall() == [(4,)]
    assert refresh_all(built.connection, REVENUE) == 2
