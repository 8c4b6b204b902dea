"""The types and sequences that SQLAlchemy metadata asks for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import DOMAIN
from sqlalchemy.dialects.postgresql import ENUM as PG_ENUM

from freehold.kernel.dialect import DIALECT, TYPES
from freehold.kernel.objects import Domain, Enum, Object, Sequence

ROOM = "model"
HIGHEST = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}


def types_of(tables: Iterable[sa.Table]) -> Iterator[Object]:
    """Every enum and domain that a column has, alone, in an array, or behind a type of the application's own."""
    seen: set[tuple[str, ...]] = set()
    for table in tables:
        for column in table.columns:
            for kind in parts_of(column.type):
                item = _enum(kind, table) or _domain(kind, table)
                if item and item.name not in seen:
                    seen.add(item.name)
                    yield item


def parts_of(kind: Any) -> Iterator[Any]:
    """The types that a type is made of, innermost first."""
    found = kind.dialect_impl(DIALECT)
    if isinstance(found, sa.types.TypeDecorator):
        yield from parts_of(found.impl_instance)
    elif isinstance(found, sa.ARRAY):
        yield from parts_of(found.item_type)
    else:
        if isinstance(found, DOMAIN):
            yield from parts_of(found.data_type)
        yield found


def plain_type(kind: Any) -> Any:
    """The type that a type of the application's own, or a domain, stands for."""
    found = kind.dialect_impl(DIALECT)
    if isinstance(found, sa.types.TypeDecorator):
        return plain_type(found.impl_instance)
    return plain_type(found.data_type) if isinstance(found, DOMAIN) else found


def _enum(kind: Any, table: sa.Table) -> Enum | None:
    if not isinstance(kind, PG_ENUM) or not kind.name:
        return None
    schema = kind.schema or "public"
    return Enum(
        schema=schema,
        type_name=kind.name,
        labels=tuple(kind.enums),
        room=ROOM,
        reason=f"a column of {table.name} has this type",
    )


def _domain(kind: Any, table: sa.Table) -> Domain | None:
    if not isinstance(kind, DOMAIN) or not kind.name:
        return None
    check = f"CHECK ({kind.check})" if kind.check is not None else ""
    return Domain(
        schema=kind.schema or "public",
        type_name=kind.name,
        base=TYPES.process(kind.data_type),
        not_null=bool(kind.not_null),
        default=str(kind.default) if kind.default is not None else "",
        checks=((str(kind.constraint_name or f"{kind.name}_check"), check),) if check else (),
        room=ROOM,
        reason=f"a column of {table.name} has this type",
    )


def sequences_of(metadata: sa.MetaData) -> Iterator[Sequence]:
    """Every sequence that stands alone."""
    for sequence in metadata._sequences.values():
        kind = str(TYPES.process(sequence.data_type)).lower() if sequence.data_type else "bigint"
        increment = 1 if sequence.increment is None else sequence.increment
        lowest, highest = (1, HIGHEST[kind]) if increment > 0 else (-HIGHEST[kind] - 1, -1)
        minimum = lowest if sequence.minvalue is None else sequence.minvalue
        maximum = highest if sequence.maxvalue is None else sequence.maxvalue
        start = (minimum if increment > 0 else maximum) if sequence.start is None else sequence.start
        yield Sequence(
            schema=sequence.schema or metadata.schema or "public",
            sequence=sequence.name,
            type=kind,
            start=start,
            increment=increment,
            minimum=minimum,
            maximum=maximum,
            cache=sequence.cache or 1,
            cycle=bool(sequence.cycle),
            room=ROOM,
            reason="the metadata has this sequence",
        )
