"""A partition for each period or each part, as a table that every later room guards like the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from freehold.kernel.declare import name_of, table_of
from freehold.kernel.model import Model
from freehold.kernel.names import Sql, ddl, literal, shortened, trusted
from freehold.kernel.objects import Table
from freehold.kernel.room import Scope
from freehold.rooms.partitions.declare import Partitioned


def compile_partitions(declaration: Partitioned, model: Model) -> Iterator[Table]:
    """The partitions of one table."""
    base = model.table(*name_of(declaration.entity))
    for suffix, bound, reason in _cuts(declaration):
        yield Table(
            schema=base.schema,
            table=partition_name(base.table, suffix),
            parent=base.sql,
            bound=bound,
            options=base.options,
            persistence=base.persistence,
            facts=replace(base.facts, application=frozenset()),
            after=(base.key,),
            reason=reason,
        )


def scope_partitions(declaration: Partitioned, model: Model) -> Iterator[Scope]:
    """A period that is past its time leaves by `retire`, and never by a plan."""
    yield Scope("partition", name_of(declaration.entity))


def partition_name(table: str, suffix: str) -> str:
    """What a partition is called."""
    return f"{shortened(table, 45 - len(suffix) - 1)}_{suffix}"


def _cuts(declaration: Partitioned) -> Iterator[tuple[str, Sql, str]]:
    if declaration.method == "HASH":
        for number in range(declaration.parts):
            bound = ddl(
                "FOR VALUES WITH (MODULUS {}, REMAINDER {})", trusted(str(declaration.parts)), trusted(str(number))
            )
            yield f"p{number:04}", bound, f"part {number} of {declaration.parts}, by {declaration.column}"
        return
    for begin, end in declaration.periods():
        low, high = (literal(written(declaration, moment)) for moment in (begin, end))
        bound = ddl("FOR VALUES FROM ({}) TO ({})", low, high)
        yield declaration.period.name(begin), bound, f"the {declaration.every} from {begin:%Y-%m-%d %H:%M}Z"


def written(declaration: Partitioned, moment: datetime) -> str:
    """A bound as the column's type reads it, the same under every time zone."""
    kind = table_of(declaration.entity).columns[declaration.column].type
    if isinstance(kind, sa.Date):
        return f"{moment:%Y-%m-%d}"
    zone = "+00" if isinstance(kind, sa.DateTime) and kind.timezone else ""
    return f"{moment:%Y-%m-%d %H:%M:%S}{zone}"
