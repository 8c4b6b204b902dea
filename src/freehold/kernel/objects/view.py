"""Views and materialized views."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from freehold.kernel.names import Sql, ddl, joined, qualified, trusted
from freehold.kernel.objects.base import Change, Lock, Object, Site

GUARDS = ("security_invoker=true", "security_barrier=true")


@dataclass(frozen=True, kw_only=True)
class View(Object):
    """A view; ``definition`` is its query without the closing semicolon, ``options`` its sorted storage options."""

    kind: ClassVar[str] = "view"
    rank: ClassVar[int] = 100

    schema: str
    view: str
    definition: str
    options: tuple[str, ...] = ()
    materialized: bool = False

    @property
    def name(self) -> tuple[str, ...]:
        return (self.schema, self.view)

    @property
    def _sql(self) -> Sql:
        return qualified(self.schema, self.view)

    @property
    def _word(self) -> Sql:
        return ddl("MATERIALIZED VIEW") if self.materialized else ddl("VIEW")

    def _create(self) -> Sql:
        options = ddl(" WITH ({})", joined(trusted(o) for o in self.options)) if self.options else Sql("")
        return ddl("CREATE {} {}{} AS\n{}", self._word, self._sql, options, trusted(self.definition))

    def create(self, site: Site) -> tuple[Change, ...]:
        return (Change(title=f"create {self.key}", statements=(self._create(),)),)

    def drop(self, site: Site) -> tuple[Change, ...]:
        loses = f"the stored rows of {self.schema}.{self.view}" if self.materialized else ""
        return (
            Change(
                title=f"drop {self.key}",
                statements=(ddl("DROP {} {}", self._word, self._sql),),
                lock=Lock.ACCESS_EXCLUSIVE,
                on=self._sql,
                loses=loses,
            ),
        )

    def weaker_than(self, live: Self, site: Site) -> str:
        lost = [guard for guard in GUARDS if guard in live.options and guard not in self.options]
        return f"{self.schema}.{self.view} would lose {', '.join(lost)}" if lost else ""

    def alter(self, live: Self, site: Site) -> tuple[Change, ...] | None:
        if self.definition != live.definition or self.materialized:
            return None
        gone = {o.partition("=")[0] for o in live.options} - {o.partition("=")[0] for o in self.options}
        statements = []
        if gone:
            names = joined(trusted(name) for name in sorted(gone))
            statements.append(ddl("ALTER VIEW {} RESET ({})", self._sql, names))
        if self.options:
            values = joined(trusted(option) for option in self.options)
            statements.append(ddl("ALTER VIEW {} SET ({})", self._sql, values))
        return (
            Change(
                title=f"set options of {self.key}",
                statements=tuple(statements),
                lock=Lock.ACCESS_EXCLUSIVE,
                on=self._sql,
                weakens=self.weaker_than(live, site),
            ),
        )
