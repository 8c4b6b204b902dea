"""Who owns an object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from freehold.kernel.names import Sql, ddl, ident, qualified, trusted
from freehold.kernel.objects.base import Change, Key, Lock, Object, Site

WORDS = {
    "schema": "SCHEMA",
    "table": "TABLE",
    "view": "TABLE",
    "sequence": "SEQUENCE",
    "enum": "TYPE",
    "domain": "DOMAIN",
    "function": "ROUTINE",
}


@dataclass(frozen=True, kw_only=True)
class Owner(Object):
    """The owner of one schema, table, view, sequence, type or function."""

    kind: ClassVar[str] = "owner"
    rank: ClassVar[int] = 140

    on: str
    target: tuple[str, ...]
    role: str

    @property
    def name(self) -> tuple[str, ...]:
        return (self.on, *self.target)

    @property
    def target_key(self) -> Key:
        """The key of the owned object."""
        return Key(self.on, self.target)

    def _more_parents(self) -> tuple[Key, ...]:
        return (self.target_key, Key("role", (self.role,)))

    def _target(self) -> Sql:
        if self.on == "function":
            return ddl("{}({})", qualified(*self.target[:2]), trusted(self.target[2]))
        return qualified(*self.target)

    def create(self, site: Site) -> tuple[Change, ...]:
        statement = ddl("ALTER {} {} OWNER TO {}", trusted(WORDS[self.on]), self._target(), ident(self.role))
        lock = Lock.ACCESS_EXCLUSIVE if self.on in {"table", "view", "sequence"} else Lock.NONE
        on = self._target() if lock is not Lock.NONE else ""
        return (Change(title=f"set {self.key} to {self.role}", statements=(statement,), lock=lock, on=on),)

    def drop(self, site: Site) -> tuple[Change, ...]:
        """An object always has an owner: no longer declaring it changes nothing."""
        return ()

    def alter(self, live: Self, site: Site) -> tuple[Change, ...] | None:
        (change,) = self.create(site)
        if site.makes(self.target_key):
            return (change,)
        weakens = f"{self.role} would own {' '.join(self.key.name)} and could change its guards"
        return (
            Change(title=change.title, statements=change.statements, lock=change.lock, on=change.on, weakens=weakens),
        )
