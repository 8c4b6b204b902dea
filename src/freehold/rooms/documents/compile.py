"""What a column of documents needs: functions that judge them, the CHECK that calls these, rights and indexes."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.kernel.model import Model
from freehold.kernel.names import Sql, ddl, ident, idents, joined, literal, shortened, trusted
from freehold.kernel.objects import Constraint, Function, Grant, Index, Object, Schema, Table, Trigger
from freehold.kernel.template import fill
from freehold.rooms.documents.declare import Document
from freehold.rooms.documents.functions import Names, judge_functions, marker_function, names_of, refuser
from freehold.rooms.documents.path import Path

PACKAGE = __package__ or ""


def compile_documents(declaration: Document, model: Model) -> Iterator[Object]:
    """The objects of one column."""
    names = names_of(declaration)
    table = model.table(names.schema, names.table)
    yield Schema(schema="freehold", reason="Freehold's own functions and tables")
    yield model.machine_role("rw", "holds the application's rights, granted table by table")
    functions = [*judge_functions(declaration), refuser()]
    yield from functions
    yield from (_execute(function, model) for function in functions)
    for schema in sorted({"freehold", names.schema}):
        yield Grant(
            on="schema",
            target=(schema,),
            grantee=model.role("rw"),
            privileges=("USAGE",),
            reason="who writes a document calls the functions that judge it",
        )
    yield _check(declaration, names)
    if declaration.version_column:
        yield marker_function(declaration)
        yield _marker(declaration, names)
    for path in declaration.index:
        yield _index(declaration, names, table, path)


def violation(declaration: Document, names: Names) -> Sql:
    """The call that gives a row's violation."""
    version = ident(declaration.version_column) if declaration.version_column else trusted(str(declaration.version))
    return ddl("{}({}, {})", names.qualified(names.violation), ident(names.column), version)


def _check(declaration: Document, names: Names) -> Constraint:
    told = joined(literal(name) for name in (names.schema, names.table, names.column, names.constraint))
    call = violation(declaration, names)
    definition = ddl("CHECK ({0} IS NULL OR freehold.refuse_document_v1({0}, ARRAY[{1}]))", call, told)
    more = (declaration.version_column,) if declaration.version_column else ()
    return Constraint(
        schema=names.schema,
        table=names.table,
        constraint=names.constraint,
        type="c",
        definition=definition,
        columns=(names.column, *more),
        reason="no document is stored that violates its schema, whoever writes it",
    )


def _execute(function: Function, model: Model) -> Grant:
    return Grant(
        on="function",
        target=function.name,
        grantee=model.role("rw"),
        privileges=("EXECUTE",),
        reason="a CHECK runs with the rights of who writes the row",
    )


def _marker(declaration: Document, names: Names) -> Trigger:
    name = shortened(f"freehold_{names.column}_version")
    definition = fill(
        PACKAGE,
        "create_newest_trigger",
        trigger=ident(name),
        column=ident(names.column),
        table=names.qualified(names.table),
        version_column=ident(declaration.version_column),
        version=trusted(str(declaration.version)),
        function=names.qualified(names.trigger_function),
    )
    return Trigger(
        schema=names.schema,
        table=names.table,
        trigger=name,
        definition=definition,
        reason="an update that changes a document and names no version writes the newest",
    )


def index_name(names: Names, path: Path) -> str:
    """The name of a path's index."""
    return shortened(f"{names.base}_{path.text}_ix".replace("[*]", "").replace(".", "_"))


def _index(declaration: Document, names: Names, table: Table, path: Path) -> Index:
    name = index_name(names, path)
    into = next((item.into for item in declaration.promoted if item.path == path), "")
    tenant = table.facts.tenant_column
    if tenant and not into:
        raise declaration.refused(
            f"cannot be indexed by {path.text}: a tenant owns the rows, and row security keeps jsonb's operators, which"
            " are not leakproof, from using an index",
            "Promote the path to a column of its own and declare it in promoted=; values in arrays belong in a table.",
        )
    definition = _promoted_index(names, name, tenant, into) if into else _path_index(names, name, path)
    return Index(
        schema=names.schema,
        table=names.table,
        index=name,
        definition=definition,
        reason=f"queries look for rows by {path.text}",
    )


def _promoted_index(names: Names, name: str, tenant: str, into: str) -> Sql:
    columns = idents([*([tenant] if tenant else []), into])
    return ddl("CREATE INDEX {} ON {} USING btree ({})", ident(name), names.qualified(names.table), columns)


def _path_index(names: Names, name: str, path: Path) -> Sql:
    column, table = ident(names.column), names.qualified(names.table)
    if path.kind == "scalar":
        return ddl("CREATE INDEX {} ON {} USING btree (({}))", ident(name), table, path.scalar(column))
    return ddl("CREATE INDEX {} ON {} USING gin (({}) jsonb_path_ops)", ident(name), table, path.items(column))
