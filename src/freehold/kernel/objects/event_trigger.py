"""Event triggers, which fire on the database's own commands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from freehold.kernel.names import Sql, ddl, ident, joined, literal, qualified, trusted
from freehold.kernel.objects.base import Change, Key, Object, Site
from freehold.kernel.objects.trigger import ENABLED


@dataclass(frozen=True, kw_only=True)
class EventTrigger(Object):
    """An event trigger; only a superuser may make one.

    It is made after everything else and dropped before it, so that it never fires on the plan that makes it.

    Parameters
    ----------
    event
        ``ddl_command_start``, ``ddl_command_end``, ``table_rewrite`` or ``sql_drop``.
    tags
        The commands it fires on; empty for all. In the order of their names.
    function
        ``(schema, name)`` of the function, which takes nothing and returns ``event_trigger``.
    enabled
        ``pg_event_trigger.evtenabled``.
    """

    kind: ClassVar[str] = "event_trigger"
    rank: ClassVar[int] = 1000

    event_trigger: str
    event: str
    tags: tuple[str, ...] = ()
    function: tuple[str, ...]
    enabled: str = "O"

    @property
    def name(self) -> tuple[str, ...]:
        return (self.event_trigger,)

    def _more_parents(self) -> tuple[Key, ...]:
        return (Key("function", (*self.function, "")),)

    @property
    def title(self) -> str:
        """What plans call it."""
        return f"event trigger {self.event_trigger}"

    def _create(self) -> Sql:
        only = ddl(" WHEN TAG IN ({})", joined(literal(tag) for tag in self.tags)) if self.tags else Sql("")
        return ddl(
            "CREATE EVENT TRIGGER {} ON {}{} EXECUTE FUNCTION {}()",
            ident(self.event_trigger),
            trusted(self.event),
            only,
            qualified(*self.function),
        )

    def _switch(self) -> Sql:
        return ddl("ALTER EVENT TRIGGER {} {}", ident(self.event_trigger), trusted(ENABLED[self.enabled]))

    def _drop(self) -> Sql:
        return ddl("DROP EVENT TRIGGER {}", ident(self.event_trigger))

    def _made(self) -> tuple[Sql, ...]:
        return (self._create(), *((self._switch(),) if self.enabled != "O" else ()))

    def create(self, site: Site) -> tuple[Change, ...]:
        return (Change(title=f"create {self.title}", statements=self._made()),)

    def drop(self, site: Site) -> tuple[Change, ...]:
        weakens = f"{self.event_trigger} would no longer fire"
        return (Change(title=f"drop {self.title}", statements=(self._drop(),), weakens=weakens),)

    def alter(self, live: Self, site: Site) -> tuple[Change, ...] | None:
        silenced = self.enabled in "DR" and live.enabled in "OA"
        fewer = bool(self.tags) and not (live.tags and set(live.tags) <= set(self.tags))
        narrower = self.event != live.event or fewer
        weakens = f"{self.event_trigger} would no longer fire on all that it did" if silenced or narrower else ""
        if (self.event, self.tags, self.function) != (live.event, live.tags, live.function):
            statements = (self._drop(), *self._made())
            return (Change(title=f"replace {self.title}", statements=statements, weakens=weakens),)
        title = f"{ENABLED[self.enabled].lower()} {self.title}"
        return (Change(title=title, statements=(self._switch(),), weakens=weakens),)
