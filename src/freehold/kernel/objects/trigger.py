"""Triggers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from freehold.kernel.names import Sql, ddl, ident, qualified, trusted
from freehold.kernel.objects.base import Change, Key, Lock, Object, Site

ENABLED = {"O": "ENABLE", "D": "DISABLE", "R": "ENABLE REPLICA", "A": "ENABLE ALWAYS"}


@dataclass(frozen=True, kw_only=True)
class Trigger(Object):
    """A trigger; ``definition`` is a whole CREATE TRIGGER statement, ``enabled`` is ``pg_trigger.tgenabled``."""

    kind: ClassVar[str] = "trigger"
    rank: ClassVar[int] = 130

    schema: str
    table: str
    trigger: str
    definition: str
    enabled: str = "O"

    @property
    def name(self) -> tuple[str, ...]:
        return (self.schema, self.table, self.trigger)

    @property
    def table_key(self) -> Key:
        """The key of the table that fires it."""
        return Key("table", (self.schema, self.table))

    @property
    def _table(self) -> Sql:
        return qualified(self.schema, self.table)

    def _change(self, verb: str, *statements: Sql, weakens: str = "") -> Change:
        return Change(
            title=f"{verb} {self.key}",
            statements=statements,
            lock=Lock.SHARE_ROW_EXCLUSIVE,
            on=self._table,
            weakens=weakens,
        )

    def _switch(self) -> Sql:
        return ddl("ALTER TABLE {} {} TRIGGER {}", self._table, trusted(ENABLED[self.enabled]), ident(self.trigger))

    def _drop(self) -> Sql:
        return ddl("DROP TRIGGER {} ON {}", ident(self.trigger), self._table)

    def create(self, site: Site) -> tuple[Change, ...]:
        statements = [trusted(self.definition)]
        if self.enabled != "O":
            statements.append(self._switch())
        return (self._change("create", *statements),)

    def drop(self, site: Site) -> tuple[Change, ...]:
        return (self._change("drop", self._drop(), weakens=f"{self.trigger} would no longer guard {self._table}"),)

    def alter(self, live: Self, site: Site) -> tuple[Change, ...] | None:
        silenced = self.enabled in "DR" and live.enabled in "OA"
        weakens = f"{self.trigger} would no longer fire on {self._table}" if silenced else ""
        if self.definition != live.definition:
            made = (statement for change in self.create(site) for statement in change.statements)
            return (self._change("replace", self._drop(), *made, weakens=weakens),)
        return (self._change(ENABLED[self.enabled].lower(), self._switch(), weakens=weakens),)
