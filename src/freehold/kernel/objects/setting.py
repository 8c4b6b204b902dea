"""Settings of roles and of the database, which PostgreSQL keeps for the whole cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from freehold.kernel.names import Sql, ddl, ident, idents, literal
from freehold.kernel.objects.base import Change, Key, Object, Site


@dataclass(frozen=True, kw_only=True)
class Setting(Object):
    """A configuration parameter of one role in every database, or, with an empty ``role``, of this database."""

    kind: ClassVar[str] = "setting"
    rank: ClassVar[int] = 18
    shared: ClassVar[bool] = True

    parameter: str
    value: str
    role: str = ""

    @property
    def name(self) -> tuple[str, ...]:
        return (self.role, self.parameter)

    def _more_parents(self) -> tuple[Key, ...]:
        return (self.role_key,) if self.role else ()

    def _alter(self, action: Sql, site: Site) -> Sql:
        if self.role:
            return ddl("ALTER ROLE {} {}", ident(self.role), action)
        return ddl("ALTER DATABASE {} {}", ident(site.database), action)

    @property
    def _value(self) -> Sql:
        # A list written as one literal would be one name with commas in it.
        if self.parameter == "search_path" and self.value:
            return idents(part.strip() for part in self.value.split(","))
        return literal(self.value)

    def create(self, site: Site) -> tuple[Change, ...]:
        action = ddl("SET {} = {}", ident(self.parameter), self._value)
        return (Change(title=f"set {self.title}", statements=(self._alter(action, site),)),)

    def drop(self, site: Site) -> tuple[Change, ...]:
        action = ddl("RESET {}", ident(self.parameter))
        return (Change(title=f"reset {self.title}", statements=(self._alter(action, site),)),)

    def alter(self, live: Self, site: Site) -> tuple[Change, ...] | None:
        return self.create(site)

    @property
    def title(self) -> str:
        return f"{self.parameter} = {self.value} of {f'role {self.role}' if self.role else 'this database'}"

    @property
    def role_key(self) -> Key:
        """The key of the role, where the setting has one."""
        return Key("role", (self.role,))
