"""Who owns each table of the metadata, by the declaration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import sqlalchemy as sa

from freehold.errors import Contradiction, DeclarationError, UnknownTable
from freehold.kernel.declare import Entity, name_of, table_of
from freehold.kernel.model import Class, Model, Ownership
from freehold.rooms.tenancy.declare import EVERY_TABLE, Tenancy
from freehold.rooms.tenancy.log_only import noting
from freehold.rooms.tenancy.validate import refuse_crossings

Name = tuple[str, str]


def classify(declaration: Tenancy, model: Model) -> Mapping[Name, Class]:
    """The class of every table that the declaration reaches; the kernel refuses those it does not.

    Raises
    ------
    UnknownTable
        A named table is not in the metadata.
    Contradiction
        One table is named twice, or a shared table carries the tenant column.
    TenantKeyMissing, CrossTenantForeignKey
        A key of a tenant's table reaches across tenants.
    """
    tables = {name_of(table): table for table in model.metadata.tables.values()}
    if declaration.root is None:
        reason = declaration.exempt[EVERY_TABLE]
        return {name: Class(Ownership.EXEMPT, reason=reason) for name in tables if name not in model.classes}
    named = _named(declaration, tables)
    owned = {
        name: Class(Ownership.TENANT, declaration.column)
        for name, table in tables.items()
        if name not in named and name not in model.classes and declaration.column in table.columns
    }
    classes = {**named, **owned}
    refuse_crossings(tables, {**model.classes, **classes}, declaration)
    return {**classes, **dict(noting(declaration, tables, classes))}


def _named(declaration: Tenancy, tables: Mapping[Name, sa.Table]) -> dict[Name, Class]:
    found: dict[Name, Class] = {}
    for entity, each in _spoken_of(declaration):
        name = name_of(entity)
        if name not in tables:
            raise UnknownTable(
                f"Tenancy names table {'.'.join(name)}, which is not in the data layer",
                hint="Give the layer the metadata that holds the table.",
            )
        if name in found:
            raise Contradiction(
                f"Tenancy names table {'.'.join(name)} twice: as {found[name].ownership} and as {each.ownership}",
                hint="Keep one of the two.",
            )
        found[name] = each
    _refuse_owned_shared(declaration, tables, found)
    return found


def _spoken_of(declaration: Tenancy) -> Iterator[tuple[Entity, Class]]:
    assert declaration.root is not None
    yield declaration.root, Class(Ownership.ROOT, root_key(declaration.root))
    for entity in declaration.shared:
        yield entity, Class(Ownership.SHARED)
    for exempted, reason in declaration.exempt.items():
        yield exempted, Class(Ownership.EXEMPT, reason=reason)  # type: ignore[misc]  # "*" was refused beside a root


def root_key(root: Entity) -> str:
    """The single column of the root's primary key.

    Raises
    ------
    DeclarationError
        The primary key has none or several.
    """
    columns = list(table_of(root).primary_key.columns)
    if len(columns) != 1:
        raise DeclarationError(
            f"The root table {'.'.join(name_of(root))} needs a primary key of one column, which names the tenant",
            detail=f"Its primary key is ({', '.join(column.name for column in columns)}).",
            hint="Give Tenancy the table that has a row for each tenant.",
        )
    return columns[0].name


def _refuse_owned_shared(declaration: Tenancy, tables: Mapping[Name, sa.Table], found: Mapping[Name, Class]) -> None:
    wrong = [
        ".".join(name)
        for name, each in found.items()
        if each.ownership is Ownership.SHARED and declaration.column in tables[name].columns
    ]
    if wrong:
        raise Contradiction(
            f"Shared tables carry the tenant column {declaration.column}: {', '.join(sorted(wrong))}",
            hint="Take the table out of shared=, or exempt it with a reason.",
        )
