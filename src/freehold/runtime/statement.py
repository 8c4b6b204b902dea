"""SQLAlchemy Core statements compiled once into what the fast path sends."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import sqlalchemy as sa
from psycopg import pq
from psycopg.abc import Transformer
from psycopg.adapt import PyFormat
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.engine import IteratorResult
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.sql.compiler import SQLCompiler

from freehold.errors import InputError
from freehold.runtime.commits import refuse_ending
from freehold.runtime.criteria import TenantColumns, coerced, tenant_type
from freehold.runtime.exchange import Command
from freehold.runtime.refusal import compile_only_literals

TENANT = "freehold_tenant"
_Names = tuple[frozenset[str], bool]
"""The names of parameters, and whether the transaction has a tenant."""
Processor = Callable[[Any], Any] | None


class CoreResult(IteratorResult[Any]):
    """SQLAlchemy's result over rows that are all here, with the count of rows that the statement touched."""

    def __init__(self, metadata: Any, rows: Iterator[Any], rowcount: int) -> None:
        super().__init__(metadata, rows)
        self.rowcount = rowcount


class Form:
    """One statement, compiled for one set of parameter names."""

    __slots__ = (
        "_defaults",
        "_dialect",
        "_expanding",
        "_metadata",
        "_named",
        "_names",
        "_processors",
        "_results",
        "_text",
        "_types",
        "fills_tenant",
        "sql",
    )

    def __init__(self, compiled: SQLCompiler, dialect: sa.Dialect, *, fills_tenant: bool) -> None:
        self.sql = str(compiled)
        refuse_ending(self.sql)
        self._text = self.sql.encode()
        self.fills_tenant = fills_tenant
        self._names: Sequence[str] = compiled.positiontup or ()
        binds: Mapping[str, Processor] = compiled._bind_processors  # type: ignore[assignment]
        self._processors = [binds.get(name) for name in self._names]
        self._defaults = dict(_defaults(compiled))
        # A list after IN has as many parameters as values, so that its text is known only with them.
        self._expanding = _detached(compiled) if compiled.post_compile_params else None
        # Columns of a text that are named in an order of their own: the answer's names say which is which.
        columns = [] if compiled._loose_column_name_matching else compiled._result_columns
        self._named = {column.keyname: column.type for column in compiled._result_columns} if not columns else {}
        self._dialect = dialect
        self._types = [column.type for column in columns]
        self._results: list[Any] | None = None
        self._metadata = SimpleResultMetaData([column.keyname for column in columns]) if columns else None

    def command(self, parameters: Mapping[str, Any], transformer: Transformer) -> Command:
        """The statement with its parameters.

        Raises
        ------
        InputError
            A parameter is missing.
        """
        if self._expanding is not None:
            return self._expanded(self._expanding, parameters, transformer)
        values = []
        for name, processor in zip(self._names, self._processors, strict=True):
            try:
                value = parameters[name]
            except KeyError:
                if name not in self._defaults:
                    raise _missing(name, self._names) from None
                value = _made(self._defaults[name])
            values.append(processor(value) if processor is not None else value)
        if not values:
            return Command(self._text)
        return Command(self._text, transformer.dump_sequence(values, [PyFormat.TEXT] * len(values)))

    def _expanded(self, compiled: SQLCompiler, parameters: Mapping[str, Any], transformer: Transformer) -> Command:
        """The statement with as many parameters as its lists have values."""
        names = compiled.bind_names.values()
        missing = next((name for name in names if name not in parameters and name not in self._defaults), None)
        if missing is not None:
            raise _missing(missing, names)
        defaults = {name: _made(value) for name, value in self._defaults.items() if name not in parameters}
        given = {**defaults, **parameters}
        state = compiled._process_parameters_for_postcompile(given)
        given.update(state.additional_parameters)
        processors = {**compiled._bind_processors, **state.processors}
        values = []
        for name in state.positiontup or ():
            processor: Any = processors.get(name)
            values.append(processor(given[name]) if processor is not None else given[name])
        return Command(state.statement.encode(), transformer.dump_sequence(values, [PyFormat.TEXT] * len(values)))

    def result(self, answer: pq.abc.PGresult, transformer: Transformer) -> CoreResult:
        """The answer's rows as SQLAlchemy gives them."""
        count = answer.command_tuples
        if answer.status != pq.ExecStatus.TUPLES_OK:
            return CoreResult(_NOTHING, iter(()), -1 if count is None else count)
        metadata = self._metadata
        if not self._types:
            # A statement in text: only the answer names its columns, and each answer anew, since tables change.
            names = [(answer.fname(place) or b"").decode() for place in range(answer.nfields)]
            if metadata is None or metadata._keys != names:
                metadata = self._metadata = SimpleResultMetaData(names)
                self._results = None
        transformer.set_pgresult(answer)
        rows = transformer.load_rows(0, answer.ntuples, tuple)
        if self._results is None:
            # Only the answer tells the type that the server gives, which numeric columns' processors ask for.
            types = self._types or [self._named.get(name, sa.types.NULLTYPE) for name in names]
            self._results = [
                kind._cached_result_processor(self._dialect, answer.ftype(place)) for place, kind in enumerate(types)
            ]
        if any(self._results):
            rows = [
                tuple(value if made is None else made(value) for value, made in zip(row, self._results, strict=True))
                for row in rows
            ]
        return CoreResult(metadata, iter(rows), answer.ntuples if count is None else count)


_NOTHING = SimpleResultMetaData([])


def _detached(compiled: SQLCompiler) -> SQLCompiler:
    """What expands lists without the statement itself, which would else live as long as its form, and so for ever."""
    compiled.statement = compiled.compile_state = compiled.dml_compile_state = None
    return compiled


def _made(default: Any) -> Any:
    """The value of a default, which may be a function of the model's; as in a bulk statement it has no context."""
    return default(None) if callable(default) else default


def _asked(bind: sa.BindParameter[Any], context: None) -> Any:
    """The value of ``bindparam(callable_=...)``, asked for anew at each use."""
    return bind.effective_value


def _missing(name: str, names: Iterable[str]) -> InputError:
    return InputError(
        f"The statement's parameter {name!r} is missing",
        detail=f"It takes: {', '.join(names)}.",
        hint="Give it beside the statement: (statement, {name: value}).",
    )


def _defaults(compiled: SQLCompiler) -> Iterator[tuple[str, Any]]:
    """Values that the statement itself holds, and the model's Python-side defaults."""
    for bind, name in compiled.bind_names.items():
        if bind.callable is not None:
            yield name, partial(_asked, bind)
        elif not bind.required:
            yield name, bind.value
    for column in [*compiled.insert_prefetch, *compiled.update_prefetch]:
        default = column.onupdate if column in compiled.update_prefetch else column.default
        if default is not None:
            yield column.key, default.arg  # type: ignore[attr-defined]


class Compiler:
    """Compiles statements for one database and remembers them as long as they live.

    A statement that stands in a module is compiled once for each set of parameter names; one that is built anew with
    each call is compiled with each call, which takes longer than sending it.
    """

    def __init__(self, tenant_columns: TenantColumns) -> None:
        # Not the engine's own dialect: parameters are numbered here, as the protocol has them.
        self.dialect: Any = PGDialect_psycopg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
        compile_only_literals(self.dialect)
        self._tenants = tenant_columns
        self._kind = tenant_type(tenant_columns) if tenant_columns else None
        self._by_object: weakref.WeakKeyDictionary[Any, dict[_Names, Form]] = weakref.WeakKeyDictionary()

    def tenant(self, tenant: Any) -> Any:
        """A tenant as an insert needs it."""
        return tenant if self._kind is None else coerced(tenant, self._kind)

    def form(self, statement: Any, parameters: Mapping[str, Any], *, tenant: bool) -> Form:
        """The compiled form of a statement for these parameters.

        Parameters
        ----------
        tenant
            Whether the transaction has a tenant to fill into inserts that do not name it.

        Raises
        ------
        InputError
            It is no statement of SQLAlchemy Core.
        """
        if not isinstance(statement, sa.Executable):
            raise InputError(
                f"A {type(statement).__name__} is no statement",
                hint="Build it with SQLAlchemy Core, or write freehold.sql('...') around literal SQL.",
            )
        forms = self._by_object.get(statement)
        if forms is None:
            forms = self._by_object[statement] = {}
        names = (frozenset(parameters), tenant)
        found = forms.get(names)
        if found is None:
            found = forms[names] = self._compile(statement, parameters, tenant=tenant)
        return found

    def _compile(self, statement: Any, parameters: Mapping[str, Any], *, tenant: bool) -> Form:
        fills = False
        if isinstance(statement, sa.Insert):
            column = self._tenants.get(statement.table) if isinstance(statement.table, sa.Table) else None
            fills = bool(tenant and column and column not in parameters and not _names(statement, column))
            if fills:
                statement = statement.values({column: sa.bindparam(TENANT)})
            if not statement._returning:
                statement = statement.inline()
        compiled = statement.compile(dialect=self.dialect, column_keys=list(parameters) or None)
        return Form(compiled, self.dialect, fills_tenant=fills)


def _names(statement: sa.Insert, column: str) -> bool:
    if statement.select is not None or statement._multi_values:
        return True
    return any(getattr(key, "key", key) == column for key in (statement._values or ()))
