"""Refuses SQL text of unknown origin: when a statement is compiled, and on the raw connection when it is sent."""

from __future__ import annotations

import re
import sys
from types import FrameType
from typing import Any

import psycopg.sql
import sqlalchemy as sa
from sqlalchemy.sql.compiler import DDLCompiler, SQLCompiler

from freehold.errors import SqlNotLiteral
from freehold.runtime.literal import Sql, Template, Written, WrittenColumn, is_written, not_literal

_CONSTANT = re.compile(r"\*|[0-9]+|null|true|false|'[^'\\]*'", re.IGNORECASE)
"""Literal columns that are values whatever their origin; SQLAlchemy writes some of them itself."""
_OPERATOR = re.compile(r"(?!.*(--|/\*))[-+*/<>=~!@#%^&|`?]+")
_WORDS = frozenset(
    {
        *("AND", "OR", "NOT", "IS", "IS NOT", "IN", "NOT IN", "BETWEEN", "NOT BETWEEN"),
        *("IS DISTINCT FROM", "IS NOT DISTINCT FROM", "IS NULL", "IS NOT NULL", "ISNULL", "NOTNULL"),
        *("LIKE", "NOT LIKE", "ILIKE", "NOT ILIKE", "SIMILAR TO", "NOT SIMILAR TO"),
        *("AT TIME ZONE", "AT LOCAL", "OVERLAPS", "IS DOCUMENT", "IS NOT DOCUMENT", "IS JSON", "IS NOT JSON"),
        *("IS NORMALIZED", "IS NOT NORMALIZED"),
    }
)
"""PostgreSQL's operators that are words; any other word could begin a clause, or a query of its own."""
_FIELD = re.compile(r"\w+")
_UNQUOTED = re.compile(r"[\w$]+(\.[\w$]+)*")
_TRANSLATED = re.compile(r"__\[SCHEMA_[^\[\]]+\]")
"""What SQLAlchemy writes in the place of a translated schema, whose quoted name is what is sent."""
_OURS = ("sqlalchemy.", "freehold.")
_DRIVER = "psycopg."
_COMPOSED = (psycopg.sql.Composable, Template, Written)


def only_literals(engine: sa.Engine) -> None:
    """Let an engine refuse SQL text of unknown origin; call it before the first connection.

    It raises :class:`SqlNotLiteral`. Statements are judged when they are compiled, so one that is in the cache costs
    nothing. ``exec_driver_sql`` takes only what the runtime itself wrote.
    """
    dialect: Any = engine.dialect
    compile_only_literals(dialect)
    guarded = type("LiteralContext", (_Contexts, dialect.execution_ctx_cls), {})

    def guard_strings(raw: Any, record: Any) -> None:
        # Not earlier: the dialect asks its first connection for the server's settings with strings of its own.
        dialect.execution_ctx_cls = guarded

    sa.event.listen(engine, "connect", guard_strings)
    sa.event.listen(engine, "handle_error", _unwrapped)


def compile_only_literals(dialect: Any) -> None:
    """Let a dialect compile only text of known origin."""
    dialect.statement_compiler = type("LiteralCompiler", (_Statements, dialect.statement_compiler), {})
    dialect.ddl_compiler = type("LiteralDDLCompiler", (_Definitions, dialect.ddl_compiler), {})
    dialect.preparer = type("LiteralPreparer", (_Names, dialect.preparer), {})
    dialect.identifier_preparer = dialect.preparer(dialect)


def _unwrapped(context: sa.engine.ExceptionContext) -> None:
    if isinstance(context.original_exception, SqlNotLiteral):
        raise context.original_exception


def refuse_unwritten(query: object, frame: FrameType | None) -> None:
    """Refuse a query for the raw connection that is neither composed nor a literal in the code that passes it.

    Parameters
    ----------
    frame
        The frame that called the driver; frames of the driver itself are passed over, and what SQLAlchemy sends was
        judged when it was compiled.
    """
    if isinstance(query, _COMPOSED):
        return
    while frame is not None and _module(frame).startswith(_DRIVER):
        frame = frame.f_back
    if frame is None or not (_module(frame).startswith(_OURS) or is_written(query, frame)):
        raise not_literal("the query for the raw connection")


class LiteralCursor:
    """A psycopg cursor, of any kind, that takes only queries of known origin from an application's code."""

    def execute(self, query: Any, *arguments: Any, **options: Any) -> Any:
        """See psycopg; the same goes for the other three."""
        refuse_unwritten(query, sys._getframe(1))
        return super().execute(query, *arguments, **options)  # type: ignore[misc]

    def executemany(self, query: Any, *arguments: Any, **options: Any) -> Any:
        """See psycopg."""
        refuse_unwritten(query, sys._getframe(1))
        return super().executemany(query, *arguments, **options)  # type: ignore[misc]

    def stream(self, query: Any, *arguments: Any, **options: Any) -> Any:
        """See psycopg."""
        refuse_unwritten(query, sys._getframe(1))
        return super().stream(query, *arguments, **options)  # type: ignore[misc]

    def copy(self, statement: Any, *arguments: Any, **options: Any) -> Any:
        """See psycopg."""
        refuse_unwritten(statement, sys._getframe(1))
        return super().copy(statement, *arguments, **options)  # type: ignore[misc]


def _module(frame: FrameType) -> str:
    name: str = frame.f_globals.get("__name__", "")
    return name


class _Statements(SQLCompiler):
    """A statement compiler that asks of every text where it comes from."""

    def visit_textclause(self, textclause: Any, *arguments: Any, **options: Any) -> str:
        if not isinstance(textclause, Sql):
            raise not_literal("text(), or in a string where SQLAlchemy takes one,")
        return str(super().visit_textclause(textclause, *arguments, **options))  # type: ignore[no-untyped-call]

    def visit_column(self, column: Any, *arguments: Any, **options: Any) -> str:
        if column.is_literal and not isinstance(column, WrittenColumn) and not _CONSTANT.fullmatch(column.name):
            raise not_literal("literal_column()")
        return super().visit_column(column, *arguments, **options)

    def visit_extract(self, extract: Any, **options: Any) -> str:
        if not _FIELD.fullmatch(extract.field):
            raise not_literal("the field of extract()")
        return str(super().visit_extract(extract, **options))  # type: ignore[no-untyped-call]

    def visit_custom_op_binary(self, element: Any, operator: Any, **options: Any) -> str:
        _check_operator(operator)
        return str(super().visit_custom_op_binary(element, operator, **options))  # type: ignore[no-untyped-call]

    def visit_custom_op_unary_operator(self, element: Any, operator: Any, **options: Any) -> str:
        _check_operator(operator)
        return str(super().visit_custom_op_unary_operator(element, operator, **options))  # type: ignore[no-untyped-call]

    def visit_custom_op_unary_modifier(self, element: Any, operator: Any, **options: Any) -> str:
        _check_operator(operator)
        return str(super().visit_custom_op_unary_modifier(element, operator, **options))  # type: ignore[no-untyped-call]

    def get_statement_hint_text(self, hint_texts: Any) -> str:
        raise not_literal("with_statement_hint()")


def _check_operator(operator: Any) -> None:
    text: str = operator.opstring
    if not _OPERATOR.fullmatch(text) and text.upper() not in _WORDS:
        raise not_literal("op()")


class _Definitions(DDLCompiler):
    """The same for DDL."""

    def visit_ddl(self, ddl: Any, **options: Any) -> str:
        raise not_literal("DDL()")


class _Names(sa.sql.compiler.IdentifierPreparer):
    """Names that are not to be quoted must need no quotes."""

    def quote(self, ident: str) -> str:
        plain = _UNQUOTED.fullmatch(ident) or _TRANSLATED.fullmatch(ident)
        if getattr(ident, "quote", None) is False and not plain:
            raise not_literal("a name that is not to be quoted")
        return super().quote(ident)


class _Contexts(sa.engine.default.DefaultExecutionContext):
    """Execution contexts that take no string but the runtime's own."""

    @classmethod
    def _init_statement(cls, dialect: Any, connection: Any, raw: Any, options: Any, statement: Any, *rest: Any) -> Any:
        if not isinstance(statement, Written):
            raise not_literal("exec_driver_sql()")
        return super()._init_statement(dialect, connection, raw, options, statement, *rest)


__all__ = ["LiteralCursor", "SqlNotLiteral", "compile_only_literals", "only_literals", "refuse_unwritten"]
