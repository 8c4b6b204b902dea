"""Indexes of any access method; those behind constraints belong to their constraint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from freehold.kernel.names import Sql, ddl, qualified, trusted
from freehold.kernel.objects.base import Change, Key, Lock, Object, Site


@dataclass(frozen=True, kw_only=True)
class Index(Object):
    """An index; ``definition`` is a whole CREATE INDEX statement as ``pg_get_indexdef`` writes it."""

    kind: ClassVar[str] = "index"
    rank: ClassVar[int] = 90

    schema: str
    table: str
    index: str
    definition: str
    valid: bool = True

    @property
    def name(self) -> tuple[str, ...]:
        return (self.schema, self.index)

    @property
    def table_key(self) -> Key:
        """The key of the indexed table."""
        return Key("table", (self.schema, self.table))

    def create(self, site: Site) -> tuple[Change, ...]:
        table = qualified(self.schema, self.table)
        if self.table_key in site.new or " ON ONLY " in self.definition:
            statement, lock, transactional = trusted(self.definition), Lock.SHARE, True
        else:
            statement, lock, transactional = self._concurrently(), Lock.SHARE_UPDATE_EXCLUSIVE, False
        return (
            Change(
                title=f"create {self.key}",
                statements=(statement,),
                lock=lock,
                on=table,
                transactional=transactional,
            ),
        )

    def _concurrently(self) -> Sql:
        return trusted(self.definition.replace("INDEX ", "INDEX CONCURRENTLY ", 1))

    def drop(self, site: Site) -> tuple[Change, ...]:
        return (
            Change(
                title=f"drop {self.key}",
                statements=(ddl("DROP INDEX CONCURRENTLY {}", qualified(self.schema, self.index)),),
                lock=Lock.SHARE_UPDATE_EXCLUSIVE,
                on=qualified(self.schema, self.table),
                transactional=False,
            ),
        )
