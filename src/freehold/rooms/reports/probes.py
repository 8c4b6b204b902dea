"""Attacks on the promise that a report says what its query says, to its tenant alone, and that nobody writes it."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.kernel.model import Model
from freehold.kernel.names import Sql, ddl, ident, qualified
from freehold.kernel.objects import Key, table_key
from freehold.kernel.room import Probe, Raises, Returns
from freehold.kernel.template import fill, read_sql
from freehold.rooms.reports.declare import Report
from freehold.rooms.reports.layout import Layout, layout_of
from freehold.rooms.reports.source import query_sql

PACKAGE = __package__ or ""


def probe_report(declaration: Report, model: Model) -> Iterator[Probe]:
    """Every attack on one report."""
    layout = layout_of(declaration, model)
    application = model.role("app_a")
    if Key("role", (application,)) not in model.objects:
        return
    if layout.tenant:
        yield from _tenants(layout, application)
    else:
        yield _same(layout, application, (_refresh(layout),), ())
    yield from _closed(layout, application)


def _tenants(layout: Layout, application: str) -> Iterator[Probe]:
    source = next(table for table in layout.sources if table.facts.tenant_column)
    rows_in = (source.schema, source.table, source.facts.tenant_column)
    bound = Sql(read_sql(PACKAGE, "bind_tenant").strip())
    yield _same(layout, application, (bound, _refresh(layout)), rows_in)
    yield Probe(
        promise=f"refreshing every tenant gives {layout.state_name} what each tenant's own query says",
        subject=_subject(layout),
        prepare=(bound, _refresh(layout, "_all_v1")),
        role=application,
        attack=_difference(layout),
        expect=Returns(((0,),)),
        rows_in=rows_in,
    )
    yield Probe(
        promise=f"a tenant's refresh of {layout.state_name} writes no other tenant's row",
        subject=_subject(layout),
        prepare=(bound, ddl("DELETE FROM {}", layout.sql), _refresh(layout)),
        attack=ddl("SELECT count(*) FROM {} WHERE {} <> %(tenant)s", layout.sql, ident(layout.tenant)),
        expect=Returns(((0,),)),
        rows_in=rows_in,
    )


def _same(
    layout: Layout, application: str, prepare: tuple[str, ...], rows_in: tuple[str, str, str] | tuple[()]
) -> Probe:
    return Probe(
        promise=f"after a refresh {layout.state_name} says what its query says",
        subject=_subject(layout),
        prepare=prepare,
        role=application,
        attack=_difference(layout),
        expect=Returns(((0,),)),
        rows_in=rows_in,
    )


def _subject(layout: Layout) -> Key:
    return table_key(layout.schema, layout.report.name)


def _refresh(layout: Layout, tail: str = "_v1") -> Sql:
    return ddl("SELECT {}()", qualified(layout.schema, layout.report.function("refresh", tail)))


def _difference(layout: Layout) -> Sql:
    """Both ways at once; the application runs the query under the tenant's policies."""
    query = query_sql(layout.report.query, layout.report.name).replace("%", "%%")
    return fill(PACKAGE, "count_differences", query=Sql(query), table=layout.sql, columns=layout.listed)


def _closed(layout: Layout, application: str) -> Iterator[Probe]:
    """Rights are checked before rows, so that no attack needs a context."""
    column = ident(layout.key[0])
    strikes = {
        "insert into": ddl("INSERT INTO {} DEFAULT VALUES", layout.sql),
        "update": ddl("UPDATE {} SET {} = NULL", layout.sql, column),
        "delete from": ddl("DELETE FROM {}", layout.sql),
        "truncate": ddl("TRUNCATE {}", layout.sql),
        "refresh every tenant of": _refresh(layout, "_all_v1"),
    }
    for verb, attack in strikes.items():
        yield Probe(
            promise=f"the application cannot {verb} {layout.state_name}",
            subject=_subject(layout),
            attack=attack,
            expect=Raises("42501"),
            role=application,
        )
