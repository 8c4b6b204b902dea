"""Settings of roles and of the database, which PostgreSQL keeps for the whole cluster."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from freehold.kernel.names import Sql, ddl, ident, idents, joined, literal
from freehold.kernel.objects.base import Change, Key, Object, Site

NAME_LISTS = frozenset({"search_path", "temp_tablespaces", "local_preload_libraries", "session_preload_libraries"})
"""Parameters whose value is a list of names; one literal for all of it would be one name with commas in it."""

_NAME = re.compile(r'"((?:[^"]|"")*)"|([^,\s][^,]*)')


def names_in(value: str) -> tuple[str, ...]:
    """The names of such a list; an empty list has one empty name, as PostgreSQL keeps it.

    >>> names_in('shop, "Odd, one"')
    ('shop', 'Odd, one')
    """
    found = _NAME.findall(value)
    return tuple(quoted.replace('""', '"') or plain.strip() for quoted, plain in found) or ("",)


@dataclass(frozen=True, kw_only=True)
class Setting(Object):
    """A configuration parameter of one role in every database, or, with an empty ``role``, of this database."""

    kind: ClassVar[str] = "setting"
    rank: ClassVar[int] = 18
    shared: ClassVar[bool] = True

    parameter: str
    value: str
    role: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameter", self.parameter.lower())  # PostgreSQL keeps DateStyle and TimeZone so
        if self.parameter in NAME_LISTS:
            object.__setattr__(self, "value", idents(names_in(self.value)))

    @classmethod
    def from_row(cls, row: Sequence[Any]) -> Self:
        return cls(**dict(zip(cls.read_fields(), row, strict=True)))

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
        if self.parameter in NAME_LISTS:
            return joined(literal(name) for name in names_in(self.value))
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
