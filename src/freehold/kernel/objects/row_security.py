"""Row security of a table: enabled, and forced on its owner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from freehold.kernel.names import Sql, ddl, qualified
from freehold.kernel.objects.base import Change, Key, Lock, Object, Site


@dataclass(frozen=True, kw_only=True)
class RowSecurity(Object):
    """The two switches of ``pg_class``; a table with both off has no such object."""

    kind: ClassVar[str] = "row_security"
    rank: ClassVar[int] = 110

    schema: str
    table: str
    enabled: bool = True
    forced: bool = True

    @property
    def name(self) -> tuple[str, ...]:
        return (self.schema, self.table)

    @property
    def table_key(self) -> Key:
        """The key of the guarded table."""
        return Key("table", (self.schema, self.table))

    def _change(self, enabled: bool, forced: bool, weakens: str = "") -> Change:
        table = qualified(self.schema, self.table)
        statements: list[Sql] = [
            ddl("ALTER TABLE {} {} ROW LEVEL SECURITY", table, ddl("ENABLE") if enabled else ddl("DISABLE")),
            ddl("ALTER TABLE {} {} ROW LEVEL SECURITY", table, ddl("FORCE") if forced else ddl("NO FORCE")),
        ]
        return Change(
            title=f"set {self.key}",
            statements=tuple(statements),
            lock=Lock.ACCESS_EXCLUSIVE,
            on=table,
            weakens=weakens,
        )

    def create(self, site: Site) -> tuple[Change, ...]:
        return (self._change(self.enabled, self.forced),)

    def drop(self, site: Site) -> tuple[Change, ...]:
        weakens = f"row security would be off on {self.schema}.{self.table}"
        return (self._change(enabled=False, forced=False, weakens=weakens),)

    def alter(self, live: Self, site: Site) -> tuple[Change, ...] | None:
        weaker = (live.enabled and not self.enabled) or (live.forced and not self.forced)
        weakens = f"row security would hold less on {self.schema}.{self.table}" if weaker else ""
        return (self._change(self.enabled, self.forced, weakens),)
