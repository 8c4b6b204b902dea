"""Functions and procedures, stripped of PUBLIC's right to execute as soon as they exist."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Self

from freehold.kernel.names import Sql, ddl, qualified, trusted
from freehold.kernel.objects.base import Change, Object, Site

PINNED = ("search_path=pg_catalog, pg_temp",)
"""The setting of every function of ours.

The temporary schema must be named, and last: where it is not, PostgreSQL looks into it first for types and relations,
the empty path included, and everybody makes types there. A domain called ``text`` whose CHECK calls a function would
run that function with the rights of a SECURITY DEFINER function's owner (PostgreSQL's manual, CREATE FUNCTION,
"Writing SECURITY DEFINER Functions Safely").
"""


@dataclass(frozen=True, kw_only=True)
class Function(Object):
    """A function or procedure.

    ``arguments`` are the argument types as ``oidvectortypes`` writes them (``"uuid, text"``); ``definition`` is a whole
    ``CREATE OR REPLACE FUNCTION`` statement. What follows it is read from the catalog: ``parameters`` are
    ``pg_get_function_identity_arguments``, ``defaults`` counts those with a default. ``callers`` are purposes of the
    layer's logins that execute it, where the layer has them; no part of it is in the catalog.
    """

    kind: ClassVar[str] = "function"
    rank: ClassVar[int] = 60

    schema: str
    function: str
    arguments: str = ""
    definition: str
    returns: str = ""
    definer: bool = False
    settings: tuple[str, ...] = ()
    routine: str = "FUNCTION"
    parameters: str = ""
    defaults: int = 0
    callers: tuple[str, ...] = field(default=(), compare=False)

    @property
    def name(self) -> tuple[str, ...]:
        return (self.schema, self.function, self.arguments)

    @property
    def signature(self) -> Sql:
        """The name as GRANT, ALTER and DROP take it."""
        return ddl("{}({})", qualified(self.schema, self.function), trusted(self.arguments))

    def create(self, site: Site) -> tuple[Change, ...]:
        strip = ddl("REVOKE ALL ON {} {} FROM PUBLIC", trusted(self.routine), self.signature)
        return (Change(title=f"create {self.title}", statements=(trusted(self.definition), strip)),)

    def drop(self, site: Site) -> tuple[Change, ...]:
        statement = ddl("DROP {} {}", trusted(self.routine), self.signature)
        return (Change(title=f"drop {self.title}", statements=(statement,)),)

    def alter(self, live: Self, site: Site) -> tuple[Change, ...] | None:
        if not self._replaces(live):
            return None
        weakens = ""
        if self.definer and not live.definer:
            weakens = f"{self.title} would run with its owner's rights"
        elif _pins_search_path(live) and not _pins_search_path(self):
            weakens = f"{self.title} would take the caller's search_path"
        return (Change(title=f"replace {self.title}", statements=(trusted(self.definition),), weakens=weakens),)

    def _replaces(self, live: Function) -> bool:
        """Whether CREATE OR REPLACE is allowed: it keeps names and results, and takes no default away."""
        same = (self.returns, self.routine, self.parameters) == (live.returns, live.routine, live.parameters)
        return same and self.defaults >= live.defaults

    @property
    def title(self) -> str:
        return f"{self.routine.lower()} {self.schema}.{self.function}({self.arguments})"


def _pins_search_path(function: Function) -> bool:
    return any(setting.startswith("search_path=") and setting.endswith("pg_temp") for setting in function.settings)
