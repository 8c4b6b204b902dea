"""Reading a report with its age, and what happens when it is stale."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from freehold.errors import ReportStale
from freehold.rooms.reports import Report, read_report, refresh_all, refresh_report
from freehold.rooms.reports.declare import WhenStale
from freehold.runtime.literal import sql

from .conftest import Built
from .layer import FAMILIES, ONE, REVENUE, THREE, TWO, as_tenant

FULL = [(ONE, "jam", Decimal("49999.95"), 5), (ONE, "tea", Decimal("49999.95"), 5)]


def when(stale: WhenStale) -> Report:
    """The same report, with another answer to staleness."""
    return Report("revenue", REVENUE.query, REVENUE.keys, REVENUE.fresh, stale)


def rows(found: Any) -> list[tuple[Any, ...]]:
    return sorted(tuple(row) for row in found.rows)


@dataclass
class Clock:
    """The server's time."""

    built: Built

    def now(self) -> datetime:
        row = self.built.connection.execute("SELECT clock_timestamp()").fetchone()
        assert row is not None
        found: datetime = row[0]
        return found


def test_never_refreshed_is_stale(built: Built) -> None:
    with as_tenant(built.engine, built.name, ONE) as session:
        with pytest.raises(ReportStale, match="older than 1 hour") as caught:
            read_report(session, REVENUE)
        labelled = read_report(session, when("label"))
    assert "never refreshed" in caught.value.detail
    assert (rows(labelled), labelled.as_of, labelled.fresh) == ([], None, False)


def test_a_refreshed_report_answers_with_its_age(built: Built) -> None:
    before = Clock(built).now()
    with as_tenant(built.engine, built.name, ONE) as session:
        assert refresh_report(session, REVENUE) == 2
    with as_tenant(built.engine, built.name, ONE) as session:
        found = read_report(session, REVENUE)
    assert rows(found) == FULL
    assert found.fresh
    assert not found.live
    assert found.as_of is not None
    assert before < found.as_of < Clock(built).now()


def test_conditions_are_over_the_reports_columns(built: Built) -> None:
    for report in (when("refresh"), when("live")):
        with as_tenant(built.engine, built.name, ONE) as session:
            found = read_report(session, report, where=lambda column: column.article == "tea")
            assert rows(found) == FULL[1:]


def test_the_bound_is_the_declared_one(built: Built) -> None:
    with as_tenant(built.engine, built.name, ONE) as session:
        refresh_report(session, REVENUE)
        as_of = read_report(session, REVENUE).as_of
        assert as_of is not None
        assert read_report(session, REVENUE, now=as_of + timedelta(hours=1)).fresh
        with pytest.raises(ReportStale, match="older than 1 hour") as caught:
            read_report(session, REVENUE, now=as_of + timedelta(hours=1, microseconds=1))
        assert as_of.isoformat() in caught.value.detail


def test_label_refresh_and_live_when_stale(built: Built) -> None:
    later = datetime.now(UTC) + timedelta(hours=2)
    with as_tenant(built.engine, built.name, ONE) as session:
        refresh_report(session, REVENUE)
        session.execute(sql("DELETE FROM shop.sale WHERE article = 'jam'"))
        labelled = read_report(session, when("label"), now=later)
        assert (rows(labelled), labelled.fresh) == (FULL, False)
        live = read_report(session, when("live"), now=later)
        assert (rows(live), live.live, live.as_of) == (FULL[1:], True, later)
        refreshed = read_report(session, when("refresh"), now=later)
        assert (rows(refreshed), refreshed.fresh) == (FULL[1:], True)
        assert rows(read_report(session, REVENUE)) == FULL[1:]


def test_tenants_are_refreshed_and_read_apart(built: Built) -> None:
    with as_tenant(built.engine, built.name, ONE) as session:
        refresh_report(session, REVENUE)
    with as_tenant(built.engine, built.name, TWO) as session:
        assert rows(read_report(session, when("label"))) == []
        assert session.execute(sql("SELECT count(*) FROM freehold.report_state")).scalar_one() == 0
        refresh_report(session, REVENUE)
        assert {row[0] for row in rows(read_report(session, REVENUE))} == {TWO}
    assert built.connection.execute("SELECT count(*) FROM shop.revenue").fetchall() == [(4,)]


def test_the_operator_refreshes_every_tenant_even_one_without_rows(built: Built) -> None:
    assert refresh_all(built.connection, REVENUE) == 4
    assert refresh_all(built.connection, REVENUE) == 0
    with as_tenant(built.engine, built.name, THREE) as session:
        found = read_report(session, REVENUE)
    assert (rows(found), found.fresh) == ([], True)
    assert built.connection.execute("SELECT row_count FROM freehold.report_state ORDER BY tenant_id").fetchall() == [
        (2,),
        (2,),
        (0,),
    ]


def test_a_refresh_writes_only_what_changed(built: Built) -> None:
    refresh_all(built.connection, REVENUE)
    place = "SELECT ctid::text FROM shop.revenue WHERE tenant_id = %s AND article = 'tea'"
    before = built.connection.execute(place, (ONE,)).fetchall()
    built.connection.execute("DELETE FROM shop.sale WHERE tenant_id = %s AND article = 'jam'", (ONE,))
    built.connection.execute("UPDATE shop.sale SET amount = 0 WHERE tenant_id = %s", (TWO,))
    built.connection.execute("INSERT INTO shop.sale VALUES (%s, 99, '50%%off', 1), (%s, 98, 'it''s', 1)", (ONE, ONE))
    assert refresh_all(built.connection, REVENUE) == 3
    assert built.connection.execute(place, (ONE,)).fetchall() == before
    assert built.connection.execute("SELECT count(*), sum(amount) FROM shop.revenue").fetchall() == [
        (3, Decimal("49999.95"))
    ]


def test_a_report_over_shared_tables(built: Built) -> None:
    with as_tenant(built.engine, built.name, ONE) as session:
        refresh_report(session, FAMILIES)
    with as_tenant(built.engine, built.name, TWO) as session:
        found = read_report(session, FAMILIES)
    assert (rows(found), found.fresh) == ([("drinks", 2), ("spreads", 1)], True)


def test_one_snapshot_for_the_whole_transaction_is_dated_by_its_beginning(built: Built) -> None:
    with as_tenant(built.engine, built.name, ONE, isolation="REPEATABLE READ") as session:
        session.execute(sql("SELECT 1"))
        middle = Clock(built).now()
        built.connection.execute("DELETE FROM shop.sale")
        refresh_report(session, REVENUE)
        found = read_report(session, REVENUE)
    assert rows(found) == FULL
    assert found.as_of is not None
    assert found.as_of < middle


def test_without_a_context_nothing_is_refreshed(built: Built) -> None:
    with built.connection.transaction(force_rollback=True):
        built.connection.execute("SELECT set_config('role', %s, true)", (f"{built.name}_app_a",))
        with pytest.raises(psycopg.Error) as caught:
            built.connection.execute("SELECT shop.refresh_revenue_v1()")
    assert caught.value.sqlstate == "FH001"
