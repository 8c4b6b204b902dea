"""Rows that do not overlap: an exclusion constraint, with btree_gist for the columns that must agree."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.errors import DeclarationError
from freehold.kernel.model import Model
from freehold.kernel.names import Sql, ddl, ident, joined, literal, trusted
from freehold.kernel.objects import Constraint, Extension, Key, Object
from freehold.rooms.constraints.declare import NoOverlap
from freehold.rooms.constraints.names import Place, condition

EXTENSION = "btree_gist"
RANGES = {
    "date": "daterange",
    "timestamp without time zone": "tsrange",
    "timestamp": "tsrange",
    "timestamp with time zone": "tstzrange",
    "integer": "int4range",
    "bigint": "int8range",
    "numeric": "numrange",
}
"""The range that two columns of a type make."""


def overlap_place(declaration: NoOverlap, model: Model) -> Place:
    """Where the rule is; its name is the constraint's."""
    return Place(declaration, model, "_".join((*declaration.per, *declaration.ends, "excl")))


def compile_no_overlap(declaration: NoOverlap, model: Model) -> Iterator[Object]:
    """The extension and the constraint."""
    place = overlap_place(declaration, model)
    agree = place.with_tenant(declaration.per)
    reason = f"no two rows of {declaration.title} overlap"
    if agree:
        yield Extension(extension=EXTENSION, reason="compares plain columns in an exclusion constraint")
    equal = [ddl("{} WITH OPERATOR(pg_catalog.=)", ident(name)) for name in agree]
    overlap = ddl("{} WITH OPERATOR(pg_catalog.&&)", period(declaration, place))
    where = ddl("") if declaration.where is None else ddl(" WHERE {}", condition(declaration.where))
    yield Constraint(
        schema=place.table.schema,
        table=place.table.table,
        constraint=place.name,
        type="x",
        definition=ddl("EXCLUDE USING gist ({}){}", joined((*equal, overlap)), where),
        columns=(*agree, *declaration.ends),
        reason=reason,
        after=(Key("extension", (EXTENSION,)),) if agree else (),
    )


def period(declaration: NoOverlap, place: Place) -> Sql:
    """The range that a row is in force for."""
    if isinstance(declaration.during, str):
        return ident(declaration.during)
    kinds = {place.column(name).type.lower() for name in declaration.ends}
    kind = next(iter(kinds)).partition("(")[0]
    if len(kinds) != 1 or kind not in RANGES:
        raise DeclarationError(
            f"NoOverlap on {declaration.title} cannot make a range of {' and '.join(sorted(kinds))}",
            hint=f"Give two columns of one type: {', '.join(sorted(set(RANGES)))}.",
        )
    begins, ends = (ident(name) for name in declaration.ends)
    return ddl("pg_catalog.{}({}, {}, {})", trusted(RANGES[kind]), begins, ends, literal(declaration.bounds))
