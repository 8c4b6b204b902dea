"""Reading a report with its age, and refreshing it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.orm import Session
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from freehold.errors import ReportStale
from freehold.rooms.reports.declare import Report
from freehold.servers.faults import translated

Columns = ReadOnlyColumnCollection[str, Any]
Where = Callable[[Columns], sa.ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a report says.

    ``as_of`` is a moment before which everything committed is in the rows; None where the report was never refreshed.
    ``fresh`` says whether that is within the declared bound, ``live`` whether the query itself was run.
    """

    rows: Sequence[sa.Row[Any]]
    as_of: datetime | None
    fresh: bool
    live: bool = False


def read_report(session: Session, report: Report, where: Where | None = None, *, now: datetime | None = None) -> Answer:
    """Read the report under the session's tenant, and do what is declared where it is stale.

    Parameters
    ----------
    session
        A session under a tenant; with ``AsyncSession``, ``await session.run_sync(read_report, report)``.
    report
        The declaration.
    where
        A condition over the report's columns: ``lambda column: column.day >= date(2011, 3, 1)``.
    now
        The time to judge the age by; the server's clock where it is not given.

    Raises
    ------
    ReportStale
        The report is older than declared, and the declaration says ``fail``.
    """
    as_of, clock = _state(session, report)
    if _fresh(report, as_of, now or clock):
        return Answer(_rows(session, _kept(report), where), as_of, fresh=True)
    return _stale(session, report, where, as_of, now or clock)


def refresh_report(session: Session, report: Report) -> int:
    """Refresh the rows of the session's tenant, in its transaction; returns how many rows changed."""
    function = getattr(getattr(sa.func, report.schema), report.function("refresh"))
    return int(session.scalars(sa.select(function(type_=sa.BigInteger))).one())


@translated("refresh")
def refresh_all(connection: psycopg.Connection[Any], report: Report) -> int:
    """Refresh every tenant's rows, as the operator; returns how many rows changed."""
    name = sql.Identifier(report.schema, report.function("refresh", "_all_v1"))
    row = connection.execute(sql.SQL("SELECT {}()").format(name)).fetchone()
    assert row is not None
    return int(row[0])


def _stale(session: Session, report: Report, where: Where | None, as_of: datetime | None, now: datetime) -> Answer:
    if report.when_stale == "label":
        return Answer(_rows(session, _kept(report), where), as_of, fresh=False)
    if report.when_stale == "refresh":
        refresh_report(session, report)
        refreshed, _ = _state(session, report)
        return Answer(_rows(session, _kept(report), where), refreshed, fresh=True)
    if report.when_stale == "live":
        return Answer(_rows(session, report.query.subquery(), where), now, fresh=True, live=True)
    raise ReportStale(
        f"Report {report.schema}.{report.name} is older than {report.fresh}",
        detail=f"It is as of {as_of.isoformat()}." if as_of else "It was never refreshed for this tenant.",
        hint=f"Refresh it, or declare when_stale='label', 'refresh' or 'live': freehold refresh {report.name}",
    )


def _fresh(report: Report, as_of: datetime | None, now: datetime) -> bool:
    return as_of is not None and (now - as_of).total_seconds() <= report.max_age


def _state(session: Session, report: Report) -> tuple[datetime | None, datetime]:
    """When the tenant's rows were refreshed, and the server's time; read before the rows, so never too late."""
    function = getattr(getattr(sa.func, report.schema), report.function("state_of"))
    moment = sa.DateTime(timezone=True)
    state = function().table_valued(sa.column("as_of", moment), sa.column("now", moment))
    as_of, now = session.execute(sa.select(state.c.as_of, state.c.now)).one()
    return as_of, now


def _kept(report: Report) -> sa.FromClause:
    columns = report.query.selected_columns
    return sa.table(report.name, *(sa.column(name, item.type) for name, item in columns.items()), schema=report.schema)


def _rows(session: Session, source: sa.FromClause, where: Where | None) -> Sequence[sa.Row[Any]]:
    query = sa.select(*source.c)
    if where:
        query = query.where(where(source.c))
    return session.execute(query).all()
