"""The table of a report: its columns, its key, and where its state is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from freehold.errors import DeclarationError
from freehold.kernel.declare import name_of
from freehold.kernel.model import Model, Ownership
from freehold.kernel.names import Sql, ddl, ident, idents, joined, qualified
from freehold.kernel.objects import Column, Table
from freehold.rooms.reports.declare import Report
from freehold.rooms.reports.source import column_names, column_type, origins_of

FREEHOLD = "freehold"
STATE = "report_state"
SHARED_STATE = "shared_report_state"


@dataclass(frozen=True)
class Layout:
    """A declared report over the tables of a model.

    ``tenant`` is the report's tenant column, empty where it reads no tenant's rows.
    """

    report: Report
    sources: tuple[Table, ...]
    columns: tuple[Column, ...]
    tenant: str

    @property
    def schema(self) -> str:
        """The report's schema."""
        return self.report.schema

    @property
    def sql(self) -> Sql:
        """The report table's quoted, qualified name."""
        return qualified(self.schema, self.report.name)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names."""
        return tuple(column.column for column in self.columns)

    @property
    def key(self) -> tuple[str, ...]:
        """The primary key."""
        own = tuple(name for name in self.report.keys if name != self.tenant)
        return (self.tenant, *own) if self.tenant else own

    @property
    def state(self) -> str:
        """The table that says how fresh the report is."""
        return STATE if self.tenant else SHARED_STATE

    @property
    def state_name(self) -> str:
        """The report's name in the state table."""
        return f"{self.schema}.{self.report.name}"

    def same_key(self, left: str, right: str) -> Sql:
        """The condition that two aliases hold the same key."""
        return joined((ddl("{0}.{2} = {1}.{2}", ident(left), ident(right), ident(name)) for name in self.key), " AND ")

    @property
    def resolution(self) -> Sql:
        """What happens to a row that is there: it is written only if it differs."""
        values = tuple(name for name in self.names if name not in self.key)
        if not values:
            return ddl("DO NOTHING")
        sets = joined(ddl("{0} = excluded.{0}", ident(name)) for name in values)
        old, new = (joined(ddl("{}.{}", ident(a), ident(name)) for name in values) for a in ("r", "excluded"))
        return ddl("DO UPDATE SET {} WHERE ROW({}) IS DISTINCT FROM ROW({})", sets, old, new)

    @property
    def listed(self) -> Sql:
        """The columns as a list."""
        return idents(self.names)


def layout_of(report: Report, model: Model) -> Layout:
    """The layout of a declared report.

    Raises
    ------
    UnknownTable
        The query reads a table that is not in the layer.
    DeclarationError
        The query reads tenants' rows, and its first column does not name the tenant; or no key is declared.
    """
    sources = tuple(model.table(*name) for name in report.sources)
    tenant = _tenant(report, sources, model)
    layout = Layout(report=report, sources=sources, columns=(), tenant=tenant)
    if not layout.key:
        raise DeclarationError(
            f"Report {report.name} has no key", hint="Name the columns that tell its rows apart: keys=[...]."
        )
    return Layout(report=report, sources=sources, columns=_columns(layout), tenant=tenant)


def _tenant(report: Report, sources: tuple[Table, ...], model: Model) -> str:
    owned = [table for table in sources if table.facts.tenant_column]
    if not owned:
        return ""
    origins = origins_of(next(iter(report.query.selected_columns)))
    if origins and all(_names_tenant(origin, model) for origin in origins):
        return column_names(report.query)[0]
    needed = owned[0]
    raise DeclarationError(
        f"Report {report.name} reads rows of tenants, but its first column does not say whose",
        detail=f"{needed.schema}.{needed.table} belongs to the tenant in {needed.facts.tenant_column}.",
        hint=f"Select the tenant first and group by it: select({needed.table}.{needed.facts.tenant_column}, ...).",
    )


def _names_tenant(column: sa.Column[Any], model: Model) -> bool:
    return model.table(*name_of(column.table)).facts.tenant_column == column.name


def _columns(layout: Layout) -> tuple[Column, ...]:
    report = layout.report
    return tuple(
        Column(
            schema=layout.schema,
            table=report.name,
            column=name,
            type=column_type(column, report.name),
            not_null=name in layout.key,
            reason=f"a column of report {report.name}",
        )
        for name, column in zip(column_names(report.query), report.query.selected_columns, strict=True)
    )


def root_of(model: Model) -> tuple[Table, str]:
    """The table of tenants and its key column."""
    name = next(name for name, found in model.classes.items() if found.ownership is Ownership.ROOT)
    return model.table(*name), model.classes[name].tenant_column
