"""What a report needs: its table, the state of its freshness, the functions that refresh it, and their rights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from freehold.kernel.model import Model
from freehold.kernel.names import Sql, ddl, idents, shortened
from freehold.kernel.objects import Column, Constraint, Grant, Object, Owner, Policy, Schema, Table, TableFacts
from freehold.kernel.room import Scope
from freehold.rooms.reports.declare import Report
from freehold.rooms.reports.functions import refresh_functions, state_function
from freehold.rooms.reports.layout import FREEHOLD, Layout, layout_of, root_of

ALL = ("DELETE", "INSERT", "SELECT", "UPDATE")


def compile_report(declaration: Report, model: Model) -> Iterator[Object]:
    """One report."""
    layout = layout_of(declaration, model)
    yield model.machine_role("reporter", "refreshes one tenant's reports, under that tenant's policies")
    if layout.tenant:
        yield model.machine_role("refresh", "refreshes reports of every tenant; nobody acts as it")
    yield Schema(schema=FREEHOLD, reason="Freehold's own functions and tables")
    yield from _table(layout, model)
    yield from _state(layout, model)
    yield from _functions(layout, model)
    for purpose in _purposes(layout):
        yield from _rights(layout, model, model.role(purpose))
    if layout.tenant:
        yield from _sight(layout, model)


def scope_report(declaration: Report, model: Model) -> Iterator[Scope]:
    """A trigger on the report's table could change what is reported."""
    yield Scope("trigger", (declaration.schema, declaration.name))


def _purposes(layout: Layout) -> tuple[str, ...]:
    return ("reporter", "refresh") if layout.tenant else ("reporter",)


def _facts(layout: Layout, model: Model, role: str, tenant: str) -> TableFacts:
    writers = (model.role("refresh"),) if tenant else ()
    return TableFacts(tenant_column=tenant, role=role, application=frozenset({"SELECT"}), writers=writers)


def _table(layout: Layout, model: Model) -> Iterator[Object]:
    report = layout.report
    yield Table(
        schema=layout.schema,
        table=report.name,
        columns=layout.columns,
        facts=_facts(layout, model, "report", layout.tenant),
        reason=f"the kept answer of report {report.name}",
    )
    yield _primary_key(layout.schema, report.name, layout.key)


def _primary_key(schema: str, table: str, columns: tuple[str, ...]) -> Constraint:
    return Constraint(
        schema=schema,
        table=table,
        constraint=shortened(f"{table}_pk"),
        type="p",
        definition=ddl("PRIMARY KEY ({})", idents(columns)),
        columns=columns,
        reason="a refresh writes only the rows that changed",
    )


def _state(layout: Layout, model: Model) -> Iterator[Object]:
    tenant = "tenant_id" if layout.tenant else ""
    columns = [
        ("report", "text"),
        ("as_of", "timestamp with time zone"),
        ("row_count", "bigint"),
        ("seconds", "double precision"),
    ]
    if tenant:
        columns.insert(0, (tenant, model.tenant_type))
    reason = "when each report was refreshed"
    yield Table(
        schema=FREEHOLD,
        table=layout.state,
        columns=tuple(
            Column(schema=FREEHOLD, table=layout.state, column=name, type=kind, not_null=True, reason=reason)
            for name, kind in columns
        ),
        facts=_facts(layout, model, "state", tenant),
        reason=reason,
    )
    yield _primary_key(FREEHOLD, layout.state, (tenant, "report") if tenant else ("report",))


def _functions(layout: Layout, model: Model) -> Iterator[Object]:
    root = root_of(model) if layout.tenant else None
    made = refresh_functions(layout, model.tenant_type, root)
    purposes = ("reporter", "refresh" if layout.tenant else "reporter")
    for function, purpose in zip(made, purposes, strict=True):
        yield function
        yield Owner(on="function", target=function.name, role=model.role(purpose), reason=function.reason)
    state = state_function(layout)
    yield state
    yield model.machine_role("rw", "holds the application's rights, granted table by table")
    yield model.machine_role("owner", "owns the layer's objects; nobody logs in as it")
    mine, everyone = made
    yield _execute(mine.name, model.role("rw"), "the application refreshes its tenant's rows")
    yield _execute(state.name, model.role("rw"), "every answer says how old it is")
    yield _execute(everyone.name, model.role("owner"), "the operator refreshes every tenant")


def _execute(target: tuple[str, ...], grantee: str, reason: str) -> Grant:
    return Grant(on="function", target=target, grantee=grantee, privileges=("EXECUTE",), reason=reason)


def _rights(layout: Layout, model: Model, grantee: str) -> Iterator[Object]:
    reason = "the functions that refresh reports run with these rights"

    def grant(on: str, target: tuple[str, ...], privileges: Iterable[str]) -> Grant:
        return Grant(on=on, target=target, grantee=grantee, privileges=tuple(privileges), reason=reason)

    readable = [*layout.sources, *([root_of(model)[0]] if layout.tenant else [])]
    for schema in sorted({layout.schema, FREEHOLD, *(table.schema for table in readable)}):
        yield grant("schema", (schema,), ("USAGE",))
    for table in {table.key: table for table in readable if table.facts.role != "report"}.values():
        yield grant("table", table.name, ("SELECT",))
    yield grant("table", (layout.schema, layout.report.name), ALL)
    yield grant("table", (FREEHOLD, layout.state), ("INSERT", "SELECT", "UPDATE"))


def _sight(layout: Layout, model: Model) -> Iterator[Policy]:
    """Only the function for every tenant reads across tenants; nobody but the operator may call it."""
    role = model.role("refresh")
    tables = {table.key: table for table in (*layout.sources, root_of(model)[0])}
    for table in tables.values():
        if table.facts.tenant_column and role not in table.facts.writers:
            yield Policy(
                schema=table.schema,
                table=table.table,
                policy="freehold_refresh",
                command="SELECT",
                roles=(role,),
                using=Sql("true"),
                reason="reports of every tenant are refreshed in one statement",
            )
