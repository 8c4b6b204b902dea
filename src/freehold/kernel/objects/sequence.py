"""Sequences that stand alone; those behind identity columns belong to their column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from freehold.kernel.names import Sql, ddl, qualified, trusted
from freehold.kernel.objects.base import Change, Object, Site


@dataclass(frozen=True, kw_only=True)
class Sequence(Object):
    """A sequence and its options; its current value is data and is not compared."""

    kind: ClassVar[str] = "sequence"
    rank: ClassVar[int] = 50

    schema: str
    sequence: str
    type: str = "bigint"
    start: int = 1
    increment: int = 1
    minimum: int = 1
    maximum: int = 9223372036854775807
    cache: int = 1
    cycle: bool = False

    @property
    def name(self) -> tuple[str, ...]:
        return (self.schema, self.sequence)

    def _options(self) -> Sql:
        cycle = ddl("CYCLE") if self.cycle else ddl("NO CYCLE")
        return ddl(
            "AS {} START WITH {} INCREMENT BY {} MINVALUE {} MAXVALUE {} CACHE {} {}",
            trusted(self.type),
            trusted(str(self.start)),
            trusted(str(self.increment)),
            trusted(str(self.minimum)),
            trusted(str(self.maximum)),
            trusted(str(self.cache)),
            cycle,
        )

    def create(self, site: Site) -> tuple[Change, ...]:
        statement = ddl("CREATE SEQUENCE {} {}", qualified(*self.name), self._options())
        return (Change(title=f"create {self.key}", statements=(statement,)),)

    def drop(self, site: Site) -> tuple[Change, ...]:
        statement = ddl("DROP SEQUENCE IF EXISTS {}", qualified(*self.name))  # an owned one goes with its column
        return (Change(title=f"drop {self.key}", statements=(statement,), reversible=False),)

    def alter(self, live: Self, site: Site) -> tuple[Change, ...] | None:
        statement = ddl("ALTER SEQUENCE {} {}", qualified(*self.name), self._options())
        return (Change(title=f"alter {self.key}", statements=(statement,)),)
