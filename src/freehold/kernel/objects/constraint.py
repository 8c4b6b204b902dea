"""Constraints: primary key, unique, foreign key, check, exclusion."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

from freehold.kernel.names import Sql, ddl, ident, qualified, trusted
from freehold.kernel.objects.base import Change, Effort, Key, Lock, Object, Site, Stage


@dataclass(frozen=True)
class Older:
    """What a server before ``version`` (as ``server_version_num``) has in the place of a constraint."""

    version: int
    type: str
    definition: str


@dataclass(frozen=True, kw_only=True)
class Constraint(Object):
    """A table constraint.

    ``type`` is ``pg_constraint.contype``: p, u, f, c or x. ``definition`` is what ``pg_get_constraintdef`` writes,
    without the marks of a constraint that is not validated yet. ``columns`` are the constrained columns in order.
    ``older`` is what a server of an earlier version has in its place; only a declared constraint has one.
    """

    kind: ClassVar[str] = "constraint"
    rank: ClassVar[int] = 80

    schema: str
    table: str
    constraint: str
    type: str
    definition: str
    columns: tuple[str, ...] = ()
    validated: bool = True
    older: Older | None = field(default=None, compare=False)

    @property
    def name(self) -> tuple[str, ...]:
        return (self.schema, self.table, self.constraint)

    @property
    def table_key(self) -> Key:
        """The key of the constrained table."""
        return Key("table", (self.schema, self.table))

    @property
    def _table(self) -> Sql:
        return qualified(self.schema, self.table)

    def _add(self, body: Sql) -> Sql:
        return ddl("ALTER TABLE {} ADD CONSTRAINT {} {}", self._table, ident(self.constraint), body)

    def _change(self, verb: str, statement: Sql, lock: Lock) -> Change:
        return Change(title=f"{verb} {self.key}", statements=(statement,), lock=lock, on=self._table)

    def create(self, site: Site) -> tuple[Change, ...]:
        if self.older is not None and site.version < self.older.version:
            return replace(self, type=self.older.type, definition=self.older.definition, older=None).create(site)
        if self._can_wait(site):
            return self._add_unvalidated() if self.type in "fc" else self._add_by_index()
        change = self._change("add", self._add(trusted(self.definition)), self._add_lock)
        kind = Effort.SCAN if self.type in "fc" else Effort.REWRITE
        new = self.table_key in site.new or self.definition.endswith(" NOT ENFORCED")
        return (change if new else replace(change, efforts=((kind, self._table),)),)

    def _can_wait(self, site: Site) -> bool:
        """Whether a live table need not stand still while its rows are checked."""
        if self.table_key in site.new or self.definition.endswith(" NOT ENFORCED"):
            return False
        if self.table_key in site.partitions and self.type != "c":
            return self.type == "f" and site.version >= 180000
        return self.type in "fcpu" and "WITHOUT OVERLAPS" not in self.definition

    @property
    def _add_lock(self) -> Lock:
        return Lock.SHARE_ROW_EXCLUSIVE if self.type == "f" else Lock.ACCESS_EXCLUSIVE

    def _add_unvalidated(self) -> tuple[Change, ...]:
        add = self._add(ddl("{} NOT VALID", trusted(self.definition)))
        return (self._change("add", add, self._add_lock), self._validate())

    def _validate(self) -> Change:
        statement = ddl("ALTER TABLE {} VALIDATE CONSTRAINT {}", self._table, ident(self.constraint))
        return replace(self._change("validate", statement, Lock.SHARE_UPDATE_EXCLUSIVE), stage=Stage.VALIDATE)

    def _add_by_index(self) -> tuple[Change, ...]:
        """Build the index without stopping writers, then let the constraint take it over."""
        keyword, _, tail = self.definition.partition("(")
        unique = ddl("PRIMARY KEY") if self.type == "p" else ddl("UNIQUE")
        nulls = ddl(" NULLS NOT DISTINCT") if "NULLS NOT DISTINCT" in keyword else Sql("")
        columns, deferrable = _split_deferrable(tail)
        build = ddl(
            "CREATE UNIQUE INDEX CONCURRENTLY {} ON {} ({}{}",
            ident(self.constraint),
            self._table,
            trusted(columns),
            nulls,
        )
        body = ddl("{} USING INDEX {}{}", unique, ident(self.constraint), trusted(deferrable))
        # An interrupted build leaves an invalid index under the name, so every try clears it first.
        clear = ddl("DROP INDEX CONCURRENTLY IF EXISTS {}", qualified(self.schema, self.constraint))
        return (
            Change(
                title=f"build index of {self.key}",
                statements=(clear, build),
                lock=Lock.SHARE_UPDATE_EXCLUSIVE,
                on=self._table,
                transactional=False,
            ),
            self._change("add", self._add(body), Lock.ACCESS_EXCLUSIVE),
        )

    def drop(self, site: Site) -> tuple[Change, ...]:
        statement = ddl("ALTER TABLE {} DROP CONSTRAINT {}", self._table, ident(self.constraint))
        return (
            Change(
                title=f"drop {self.key}",
                statements=(statement,),
                lock=Lock.ACCESS_EXCLUSIVE,
                on=self._table,
                weakens=f"{self.schema}.{self.table} would accept rows that {self.constraint} refuses",
            ),
        )

    def alter(self, live: Self, site: Site) -> tuple[Change, ...] | None:
        if self.definition == live.definition and self.validated and not live.validated:
            return (self._validate(),)
        return None


def _split_deferrable(tail: str) -> tuple[str, str]:
    """Split ``"a, b) DEFERRABLE"`` into ``"a, b)"`` and ``" DEFERRABLE"``."""
    at = tail.rfind(" DEFERRABLE")
    return (tail, "") if at < 0 else (tail[:at], tail[at:])
