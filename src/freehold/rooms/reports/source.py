"""A report's query as the room needs it: SQL text, the tables it reads, and columns with types."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import ColumnElement, Label

from freehold.errors import DeclarationError
from freehold.kernel.names import Sql, trusted

Query: TypeAlias = sa.Select[*tuple[Any, ...]]
"""A ``select`` of any columns."""


def query_sql(query: Query, report: str) -> Sql:
    """The query with its constants written in, every table with its schema.

    Raises
    ------
    DeclarationError
        A constant has a type that cannot be written as a literal.
    """
    try:
        compiled = query.compile(
            dialect=_dialect(),
            compile_kwargs={"literal_binds": True},
            schema_translate_map={None: "public"},
            render_schema_translate=True,
        )
    except sa.exc.CompileError as error:
        raise DeclarationError(
            f"The query of report {report} cannot be written as SQL text",
            detail=str(error),
            hint="Use constants of plain types, or cast them.",
        ) from error
    return trusted(str(compiled))


def _dialect() -> Any:
    """PostgreSQL with named parameters, so that a percent sign stays one."""
    return postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]


def tables_of(query: Query) -> Iterator[sa.Table]:
    """Every table that a query reads, in subqueries and common table expressions too."""
    waiting: list[Any] = list(query.get_final_froms())
    seen = {id(query)}
    waiting += [element for element in visitors.iterate(query) if element is not query]
    while waiting:
        element = waiting.pop(0)
        if id(element) in seen:
            continue
        seen.add(id(element))
        if isinstance(element, sa.Table):
            yield element
        if isinstance(element, sa.Select):
            waiting[:0] = element.get_final_froms()
        waiting += [child for child in visitors.iterate(element) if child is not element]


def column_names(query: Query) -> tuple[str, ...]:
    """The names of the selected columns, in order."""
    return tuple(str(name) for name in query.selected_columns.keys())  # noqa: SIM118 - a column collection iterates columns


def column_type(column: ColumnElement[Any], report: str) -> str:
    """The SQL type of a selected column.

    Raises
    ------
    DeclarationError
        SQLAlchemy does not know the type, or the type has no equality.
    """
    kind = column.type if _exact(column) else _widened(column.type)
    if isinstance(kind, sa.types.NullType) or (isinstance(kind, sa.JSON) and not isinstance(kind, postgresql.JSONB)):
        name = getattr(column, "name", "?")
        raise DeclarationError(
            f"Column {name} of report {report} has no type that a table could hold and compare",
            hint=f"Cast it in the query: cast(..., Numeric).label({name!r}); JSON as JSONB.",
        )
    return str(_dialect().type_compiler_instance.process(kind)).partition(" COLLATE ")[0]


def origins_of(column: ColumnElement[Any]) -> tuple[sa.Column[Any], ...]:
    """The metadata's columns that are selected as they are, several in a union; empty for an expression."""
    element = _unlabelled(column)
    if not isinstance(element, sa.ColumnClause):
        return ()
    bases = tuple(element.base_columns)
    own = tuple(base for base in bases if isinstance(base, sa.Column))
    return own if len(own) == len(bases) else ()


def _unlabelled(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return column.element if isinstance(column, Label) else column


def _exact(column: ColumnElement[Any]) -> bool:
    """Whether the column's type is what its values have: a table's column, or a cast."""
    return isinstance(_unlabelled(column), sa.Cast) or len(origins_of(column)) == 1


def _widened(kind: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
    """The type of an expression: SQLAlchemy gives a sum its argument's type, which the sum may not fit."""
    if isinstance(kind, sa.Integer):
        return sa.BigInteger()
    if isinstance(kind, sa.Float):
        return sa.Double()
    if isinstance(kind, sa.Numeric):
        return sa.Numeric()
    if isinstance(kind, sa.String) and not isinstance(kind, sa.Enum):
        return sa.Text()
    return kind
