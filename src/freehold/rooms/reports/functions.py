"""The functions of one report: refresh a tenant's rows, refresh everybody's, and tell how old they are."""

from __future__ import annotations

from freehold.kernel.names import Sql, ident, idents, literal, qualified, trusted
from freehold.kernel.objects import Function, Key, Table
from freehold.kernel.objects.function import PINNED
from freehold.kernel.template import fill
from freehold.rooms.reports.layout import FREEHOLD, Layout
from freehold.rooms.reports.source import query_sql

PACKAGE = __package__ or ""


def refresh_functions(layout: Layout, tenant_type: str, root: tuple[Table, str] | None) -> tuple[Function, Function]:
    """The application's function, and the operator's for every tenant; over shared tables they do the same."""
    if root is None:
        return _shared(layout, "_v1"), _shared(layout, "_all_v1")
    name = layout.report.function("refresh")
    mine = fill(PACKAGE, "create_refresh_tenant", tenant_type=trusted(tenant_type), **_holes(layout, name))
    name = layout.report.function("refresh", "_all_v1")
    everyone = fill(
        PACKAGE,
        "create_refresh_all",
        root=root[0].sql,
        root_key=ident(root[1]),
        table=layout.sql,
        tenant=ident(layout.tenant),
        **_holes(layout, name),
    )
    return (
        _function(layout, "_v1", mine, "refreshes the rows of the context's tenant"),
        _function(layout, "_all_v1", everyone, "refreshes the rows of every tenant"),
    )


def _shared(layout: Layout, tail: str) -> Function:
    name = layout.report.function("refresh", tail)
    return _function(
        layout, tail, fill(PACKAGE, "create_refresh_shared", **_holes(layout, name)), "refreshes the report"
    )


def _holes(layout: Layout, function: str) -> dict[str, Sql]:
    return {
        "function": qualified(layout.schema, function),
        "state": qualified(FREEHOLD, layout.state),
        "report": literal(layout.state_name),
        # Run by EXECUTE, so that each refresh is planned for the tables as they are by then.
        "statement": literal(refresh_statement(layout)),
    }


def refresh_statement(layout: Layout) -> Sql:
    """One statement that makes the table equal to its query and writes only what differs."""
    return fill(
        PACKAGE,
        "refresh_rows",
        query=query_sql(layout.report.query, layout.report.name),
        table=layout.sql,
        columns=layout.listed,
        key=idents(layout.key),
        same_key=layout.same_key("r", "g"),
        resolution=layout.resolution,
    )


def _function(layout: Layout, tail: str, definition: Sql, reason: str) -> Function:
    return Function(
        schema=layout.schema,
        function=layout.report.function("refresh", tail),
        definition=definition,
        returns="bigint",
        definer=True,
        settings=PINNED,
        reason=reason,
        after=(Key("schema", (layout.schema,)),),
    )


def state_function(layout: Layout) -> Function:
    """The function that tells when the caller's rows were refreshed, and the server's time."""
    name = layout.report.function("state_of")
    return Function(
        schema=layout.schema,
        function=name,
        definition=fill(
            PACKAGE,
            "create_state_of",
            function=qualified(layout.schema, name),
            state=qualified(FREEHOLD, layout.state),
            report=literal(layout.state_name),
        ),
        returns="record",
        settings=PINNED,
        reason="tells how old the report is",
        after=(Key("schema", (layout.schema,)),),
    )
