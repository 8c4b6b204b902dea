"""Extensions; their version is the server's business, so it is not compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from freehold.kernel.names import ddl, ident
from freehold.kernel.objects.base import Change, Object, Site


@dataclass(frozen=True, kw_only=True)
class Extension(Object):
    """An extension that the server has available; it goes to the schema ``public`` unless it names its own."""

    kind: ClassVar[str] = "extension"
    rank: ClassVar[int] = 30

    extension: str

    @property
    def name(self) -> tuple[str, ...]:
        return (self.extension,)

    def create(self, site: Site) -> tuple[Change, ...]:
        statements = (
            ddl("SET LOCAL search_path = public"),  # an empty one leaves no schema to create it in
            ddl("CREATE EXTENSION IF NOT EXISTS {}", ident(self.extension)),
            ddl("SET LOCAL search_path = ''"),
        )
        return (Change(title=f"create {self.key}", statements=statements),)

    def drop(self, site: Site) -> tuple[Change, ...]:
        statement = ddl("DROP EXTENSION {}", ident(self.extension))
        return (Change(title=f"drop {self.key}", statements=(statement,), reversible=False),)
