"""Attacks with documents that violate their schema; proofs that none is stored, and that columns and indexes hold."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.kernel.model import Model
from freehold.kernel.names import Sql, ddl, ident, literal, trusted
from freehold.kernel.objects import Column, Key, Table, table_key
from freehold.kernel.room import Probe, Raises, Returns
from freehold.kernel.template import fill, read_sql
from freehold.rooms.documents.compile import index_name, violation
from freehold.rooms.documents.declare import Document
from freehold.rooms.documents.functions import Names, names_of
from freehold.rooms.documents.path import Path, Promoted
from freehold.rooms.documents.violations import violating

PACKAGE = __package__ or ""
ISSUER = Key("function", ("freehold", "issue_context_v1", "text, text, interval"))


def probe_documents(declaration: Document, model: Model) -> Iterator[Probe]:
    """Every attack on one column of documents."""
    names = names_of(declaration)
    table = model.table(names.schema, names.table)
    yield from _attacks(declaration, names, table, model)
    yield _validated(names)
    yield _satisfied(declaration, names)
    for promoted in declaration.promoted:
        yield _equal(promoted, names, model)
    for path in declaration.index:
        yield _served(declaration, names, table, path, model)


def _title(names: Names) -> str:
    return f"{names.schema}.{names.table}.{names.column}"


def _attacks(declaration: Document, names: Names, table: Table, model: Model) -> Iterator[Probe]:
    tenant = table.facts.tenant_column
    witness = tenant or next(iter(model.primary_key(table)), names.column)
    writes = table.facts.role == "model" and Key("role", (model.role("app_a"),)) in model.objects
    spared = {item.path.names[0] for item in declaration.promoted}
    root = declaration.schemas[declaration.version].named["#"]
    for what, document in violating(root, ident(names.column), spared):
        yield Probe(
            promise=f"no document is written to {_title(names)} that violates {what}",
            subject=Key("constraint", (names.schema, names.table, names.constraint)),
            attack=fill(
                PACKAGE,
                "set_document",
                table=table.sql,
                column=ident(names.column),
                document=_escaped(document),
                witness=ident(witness),
            ),
            expect=Raises("FH050"),
            role=model.role("app_a") if writes else "",
            prepare=_bound(table, model),
            rows_in=(names.schema, names.table, witness),
        )


def _validated(names: Names) -> Probe:
    table, constraint = literal(names.qualified(names.table)), literal(names.constraint)
    return Probe(
        promise=f"every row of {names.schema}.{names.table} was judged when the CHECK of {names.column} was added",
        subject=Key("constraint", (names.schema, names.table, names.constraint)),
        attack=fill(PACKAGE, "read_validated", table=table, constraint=constraint),
        expect=Returns(((True,),)),
    )


def _satisfied(declaration: Document, names: Names) -> Probe:
    table = names.qualified(names.table)
    return Probe(
        promise=f"every document in {_title(names)} satisfies its version's schema",
        subject=table_key(names.schema, names.table),
        attack=fill(PACKAGE, "count_violations", table=table, violation=violation(declaration, names)),
        expect=Returns(((0,),)),
    )


def _equal(promoted: Promoted, names: Names, model: Model) -> Probe:
    column = model.objects[Key("column", (names.schema, names.table, promoted.into))]
    assert isinstance(column, Column)
    attack = fill(
        PACKAGE,
        "count_unequal",
        table=names.qualified(names.table),
        into=ident(promoted.into),
        value=promoted.path.scalar(ident(names.column)),
        type=trusted(column.type),
    )
    return Probe(
        promise=f"{names.schema}.{names.table}.{promoted.into} is {promoted.path.text} of {names.column}",
        subject=column.key,
        attack=attack,
        expect=Returns(((0,),)),
    )


def _served(declaration: Document, names: Names, table: Table, path: Path, model: Model) -> Probe:
    """The plan of a query, asked for as the application under a tenant, with no other way left but the index."""
    tenant = table.facts.tenant_column
    login = model.role("app_a") if Key("role", (model.role("app_a"),)) in model.objects else ""
    index = index_name(names, path)
    condition, sign = _asked(declaration, names, path)
    query = fill(PACKAGE, "query_rows", table=table.sql, condition=condition)
    return Probe(
        promise=f"a query of {_title(names)} by {path.text} is served by its index",
        subject=Key("index", (names.schema, index)),
        attack=fill(
            PACKAGE,
            "read_plan",
            query=_escaped(literal(query)),
            index=literal(index),
            condition=literal(sign),
        ),
        expect=Returns(((True,),)),
        role=login,
        prepare=(
            fill(PACKAGE, "create_plan_of"),
            "GRANT EXECUTE ON FUNCTION pg_temp.freehold_plan_of(text) TO PUBLIC",
            "SET LOCAL enable_seqscan = off",
            "SET LOCAL enable_sort = off",
            "SET LOCAL enable_incremental_sort = off",
            "SET LOCAL enable_bitmapscan = off" if path.kind == "scalar" else "SET LOCAL enable_indexscan = off",
            *_bound(table, model),
        ),
        rows_in=(names.schema, names.table, tenant) if tenant else (),
    )


def _asked(declaration: Document, names: Names, path: Path) -> tuple[Sql, str]:
    """The condition of a declared query, and what stands of it in the index's condition."""
    into = next((item.into for item in declaration.promoted if item.path == path), "")
    if into:
        # In this order and without sorting no other index serves, as small as the table may be.
        return ddl("{0} IS NULL ORDER BY {0}", ident(into)), ident(into)
    column = ident(names.column)
    if path.kind == "scalar":
        return ddl("({}) = 'freehold'", path.scalar(column)), "#>>"
    return ddl("({}) @> {}::jsonb", path.items(column), path.sample()), "@>"


def _bound(table: Table, model: Model) -> tuple[str, ...]:
    """The tenant's context, where a tenant owns the rows."""
    owned = bool(table.facts.tenant_column) and ISSUER in model.objects
    return (read_sql(PACKAGE, "bind_tenant").strip(),) if owned else ()


def _escaped(text: Sql) -> Sql:
    return Sql(text.replace("%", "%%"))
