"""Extensions; their version is the server's business, so it is not compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

from freehold.kernel.names import ddl, ident
from freehold.kernel.objects.base import Change, Key, Object, Site


@dataclass(frozen=True, kw_only=True)
class Extension(Object):
    """An extension that the server has available.

    It goes to the schema ``into``, which is ``public`` where it is empty. One that is there stays where it is: the
    schema is not compared.
    """

    kind: ClassVar[str] = "extension"
    rank: ClassVar[int] = 30

    extension: str
    into: str = field(default="", compare=False)

    @property
    def name(self) -> tuple[str, ...]:
        return (self.extension,)

    @classmethod
    def from_row(cls, row: Sequence[Any]) -> Self:
        item = super().from_row(row[:1])
        into = row[1] if len(row) > 1 else ""
        return replace(item, into=into) if into else item

    def _more_parents(self) -> tuple[Key, ...]:
        return (Key("schema", (self.into,)),) if self.into else ()

    def create(self, site: Site) -> tuple[Change, ...]:
        place = ident(self.into or "public")
        statements = (
            ddl("SET LOCAL search_path = {}", place),  # an empty one leaves no schema to create it in
            ddl("CREATE EXTENSION IF NOT EXISTS {}", ident(self.extension)),
            ddl("SET LOCAL search_path = ''"),
        )
        return (Change(title=f"create {self.key}", statements=statements),)

    def drop(self, site: Site) -> tuple[Change, ...]:
        statement = ddl("DROP EXTENSION {}", ident(self.extension))
        return (Change(title=f"drop {self.key}", statements=(statement,), reversible=False),)
