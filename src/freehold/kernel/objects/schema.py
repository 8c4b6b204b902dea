"""Schemas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from freehold.kernel.names import ddl, ident
from freehold.kernel.objects.base import Change, Object, Site


@dataclass(frozen=True, kw_only=True)
class Schema(Object):
    """A schema; dropping it never cascades."""

    kind: ClassVar[str] = "schema"
    rank: ClassVar[int] = 20

    schema: str

    @property
    def name(self) -> tuple[str, ...]:
        return (self.schema,)

    def create(self, site: Site) -> tuple[Change, ...]:
        statement = ddl("CREATE SCHEMA IF NOT EXISTS {}", ident(self.schema))
        return (Change(title=f"create {self.key}", statements=(statement,)),)

    def drop(self, site: Site) -> tuple[Change, ...]:
        statement = ddl("DROP SCHEMA {}", ident(self.schema))
        return (Change(title=f"drop {self.key}", statements=(statement,)),)
