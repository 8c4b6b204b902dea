"""The constraints of an application's tables, found by what the server says of a violation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa
from psycopg.errors import Diagnostic
from sqlalchemy.dialects.postgresql import DOMAIN, ExcludeConstraint

from freehold.kernel.declare import name_of
from freehold.kernel.dialect import DIALECT, bare
from freehold.kernel.metadata_constraints import default_name
from freehold.kernel.metadata_types import parts_of

MESSAGE = "fault_message"
"""The key in SQLAlchemy's ``info`` under which a constraint or column keeps what to tell a user."""
SUFFIXES: tuple[tuple[type[sa.Constraint], str], ...] = (
    (sa.PrimaryKeyConstraint, "pkey"),
    (ExcludeConstraint, "excl"),
    (sa.UniqueConstraint, "key"),
    (sa.ForeignKeyConstraint, "fkey"),
    (sa.CheckConstraint, "check"),
)


def fault_message(text: str) -> dict[str, Any]:
    """What to tell a user when the constraint, index or column refuses a row, for SQLAlchemy's ``info``.

    >>> tenant_unique("email", info=fault_message("This e-mail address is taken."))  # doctest: +SKIP
    """
    return {MESSAGE: text}


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a violated constraint; "" for what is not."""

    constraint: str = ""
    table: str = ""
    columns: tuple[str, ...] = ()
    message: str = ""
    domain: str = ""
    """``schema.name`` of the domain that refused a value."""


@dataclass(slots=True)
class Constraints:
    """Constraints, unique indexes and columns by schema, table and name; a domain's columns by its schema and name."""

    constraints: dict[tuple[str, str, str], Known] = field(default_factory=dict)
    columns: dict[tuple[str, str, str], Known] = field(default_factory=dict)
    domains: dict[tuple[str, str], list[Known]] = field(default_factory=dict)

    @classmethod
    def of(cls, tables: Iterable[sa.Table], tenant_columns: Mapping[sa.Table, str]) -> Constraints:
        """Those of the tables; a partition has its parent's as well, under the names that the server gives them."""
        made, named = cls(), {".".join(name_of(table)): table for table in tables}
        for name, table in named.items():
            made._learn(table, table, tenant_columns)
            parent = named.get(table.info.get("partition_of", ("",))[0])
            if parent is not None:
                made._learn(parent, table, tenant_columns)
            for column in table.columns:
                message = str(column.info.get(MESSAGE, ""))
                known = Known("", name, (column.name,), message)
                made.columns[(*name_of(table), column.name)] = known
                for domain in _domains(column) if parent is None else ():
                    made.domains.setdefault(domain, []).append(known)
        return made

    def _learn(self, source: sa.Table, table: sa.Table, tenant_columns: Mapping[sa.Table, str]) -> None:
        place = name_of(table)
        for name, columns, message in (*_constraints(source, place[1]), *_unique_indexes(source, place[1])):
            shown = tuple(column for column in columns if column != tenant_columns.get(source))
            known = Known(name, ".".join(place), shown or columns, message)
            self.constraints.setdefault((*place, name), known)

    def find(self, diag: Diagnostic) -> Known:
        """What the server's report of a violation is about."""
        if diag.datatype_name and not diag.table_name:
            return self._of_domain(diag)
        place = (diag.schema_name or "", diag.table_name or "")
        name, column = diag.constraint_name or "", diag.column_name or ""
        told = Known(name, ".".join(part for part in place if part), (column,) if column else ())
        found = self.constraints.get((*place, name)) if name else self.columns.get((*place, column))
        return replace(found, constraint=name) if found else told

    def _of_domain(self, diag: Diagnostic) -> Known:
        """The server names a domain and no column: the only one that has it, or none where several could be meant."""
        place = (diag.schema_name or "", diag.datatype_name or "")
        known = self.domains.get(place, [])
        only = known[0] if len(known) == 1 else Known()
        return replace(only, constraint=diag.constraint_name or "", domain=".".join(part for part in place if part))


def _domains(column: sa.Column[Any]) -> Iterator[tuple[str, str]]:
    """Schema and name of each domain that a column's type is made of."""
    for kind in parts_of(column.type):
        if isinstance(kind, DOMAIN) and kind.name:
            yield kind.schema or "public", kind.name


def _constraints(table: sa.Table, named_for: str) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Name, columns and message of each constraint of a table, as they are called on the table or partition."""
    of_columns = {constraint for column in table.columns for constraint in column.constraints}
    for constraint in table.constraints | of_columns:
        suffix = next((suffix for kind, suffix in SUFFIXES if isinstance(constraint, kind)), None)
        columns = tuple(column.name for column in getattr(constraint, "columns", ()))
        if suffix is None or (suffix == "pkey" and not columns):
            continue
        message = str(constraint.info.get(MESSAGE, ""))
        if constraint.name is not None:
            yield bare(DIALECT.identifier_preparer.format_constraint(constraint)), columns, message
        if constraint.name is None or named_for != table.name:
            yield default_name(named_for, () if suffix == "pkey" else columns, suffix), columns, message


def _unique_indexes(table: sa.Table, named_for: str) -> Iterator[tuple[str, tuple[str, ...], str]]:
    for index in table.indexes:
        if not index.unique:
            continue
        columns = tuple(column.name for column in index.columns)
        message = str(index.info.get(MESSAGE, ""))
        if named_for == table.name:
            yield bare(DIALECT.identifier_preparer.format_index(index)), columns, message
        else:
            yield default_name(named_for, columns, "idx"), columns, message
