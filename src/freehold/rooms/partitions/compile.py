"""A partition for each period or each part, as a table that every later room guards like the others."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.kernel.declare import name_of
from freehold.kernel.model import Model
from freehold.kernel.names import ddl, trusted
from freehold.kernel.objects import Table
from freehold.kernel.periods import partition
from freehold.kernel.room import Scope
from freehold.rooms.partitions.declare import Partitioned


def compile_partitions(declaration: Partitioned, model: Model) -> Iterator[Table]:
    """The partitions of one table."""
    base = model.table(*name_of(declaration.entity))
    yield from _by_hash(declaration, base) if declaration.method == "HASH" else declaration.cut.partitions(base)


def scope_partitions(declaration: Partitioned, model: Model) -> Iterator[Scope]:
    """A period that is past its time leaves by `retire`, and never by a plan."""
    yield Scope("partition", name_of(declaration.entity))


def _by_hash(declaration: Partitioned, base: Table) -> Iterator[Table]:
    parts = trusted(str(declaration.parts))
    for number in range(declaration.parts):
        bound = ddl("FOR VALUES WITH (MODULUS {}, REMAINDER {})", parts, trusted(str(number)))
        reason = f"part {number} of {declaration.parts}, by {declaration.column}"
        yield partition(base, f"p{number:04}", bound, reason)
