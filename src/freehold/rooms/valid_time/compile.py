"""What valid time needs: a temporal key where the server has them, an exclusion constraint where it has not."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.errors import DeclarationError
from freehold.kernel.declare import name_of
from freehold.kernel.model import Model
from freehold.kernel.names import ddl, ident, idents, joined, shortened
from freehold.kernel.objects import Constraint, Extension, Key, Object, Older, Table
from freehold.rooms.valid_time.declare import ValidTime

EXTENSION = "btree_gist"
TEMPORAL_KEYS = 180000
"""The first version with WITHOUT OVERLAPS (PostgreSQL 18 release notes)."""


def whole_key(declaration: ValidTime, model: Model) -> tuple[str, ...]:
    """The key with the tenant column."""
    tenant = model.table(*name_of(declaration.entity)).facts.tenant_column
    return tuple(dict.fromkeys((*([tenant] if tenant else []), *declaration.key)))


def constraint_name(declaration: ValidTime, table: Table) -> str:
    """The name of the key over time."""
    return shortened(f"{table.table}_{declaration.during}_key")


def compile_valid_time(declaration: ValidTime, model: Model) -> Iterator[Object]:
    """The extension and the two constraints.

    Raises
    ------
    DeclarationError
        The table is partitioned: an older server has no exclusion constraint over partitions.
    """
    table = model.table(*name_of(declaration.entity))
    if table.partition_key:
        raise DeclarationError(
            f"ValidTime on {declaration.title} cannot hold over partitions",
            hint="Keep periods in a table that is not partitioned.",
        )
    key, during = whole_key(declaration, model), declaration.during
    equal = [ddl("{} WITH OPERATOR(pg_catalog.=)", ident(name)) for name in key]
    overlap = ddl("{} WITH OPERATOR(pg_catalog.&&)", ident(during))
    yield Extension(extension=EXTENSION, reason="compares plain columns beside a period")
    yield Constraint(
        schema=table.schema,
        table=table.table,
        constraint=constraint_name(declaration, table),
        type="u",
        definition=ddl("UNIQUE ({}, {} WITHOUT OVERLAPS)", idents(key), ident(during)),
        older=Older(TEMPORAL_KEYS, "x", ddl("EXCLUDE USING gist ({})", joined((*equal, overlap)))),
        columns=(*key, during),
        reason=f"of {declaration.title} one row holds at a time for each {', '.join(declaration.key)}",
        after=(Key("extension", (EXTENSION,)),),
    )
    yield Constraint(
        schema=table.schema,
        table=table.table,
        constraint=shortened(f"{table.table}_{during}_some"),
        type="c",
        definition=ddl("CHECK (NOT pg_catalog.isempty({}))", ident(during)),
        columns=(during,),
        reason="a row that never holds says nothing",
    )
