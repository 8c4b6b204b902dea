"""Roles and memberships, which belong to the whole cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from freehold.kernel.names import Sql, ddl, ident, joined, trusted
from freehold.kernel.objects.base import Change, Key, Object, Site

ATTRIBUTES = {
    "login": "LOGIN",
    "superuser": "SUPERUSER",
    "createdb": "CREATEDB",
    "createrole": "CREATEROLE",
    "replication": "REPLICATION",
    "bypassrls": "BYPASSRLS",
    "inherit": "INHERIT",
}
POWERS = ("superuser", "createdb", "createrole", "replication", "bypassrls")


@dataclass(frozen=True, kw_only=True)
class Role(Object):
    """A role's attributes; its password is a secret and no part of a plan."""

    kind: ClassVar[str] = "role"
    rank: ClassVar[int] = 10
    shared: ClassVar[bool] = True

    role: str
    login: bool = False
    superuser: bool = False
    createdb: bool = False
    createrole: bool = False
    replication: bool = False
    bypassrls: bool = False
    inherit: bool = True
    connection_limit: int = -1

    @property
    def name(self) -> tuple[str, ...]:
        return (self.role,)

    def _attributes(self, live: Role | None = None) -> Sql:
        """All attributes, or those that differ: only a superuser may even name some of them."""
        words = [
            word if getattr(self, name) else f"NO{word}"
            for name, word in ATTRIBUTES.items()
            if live is None or getattr(self, name) != getattr(live, name)
        ]
        if live is None or self.connection_limit != live.connection_limit:
            words.append(f"CONNECTION LIMIT {self.connection_limit}")
        return trusted(" ".join(words))

    def create(self, site: Site) -> tuple[Change, ...]:
        statement = ddl("CREATE ROLE {} {}", ident(self.role), self._attributes())
        return (Change(title=f"create {self.key}", statements=(statement,)),)

    def drop(self, site: Site) -> tuple[Change, ...]:
        return (Change(title=f"drop {self.key}", statements=(ddl("DROP ROLE {}", ident(self.role)),)),)

    def alter(self, live: Self, site: Site) -> tuple[Change, ...] | None:
        gained = [power for power in (*POWERS, "login") if getattr(self, power) and not getattr(live, power)]
        weakens = f"{self.role} would gain {', '.join(gained)}" if gained else ""
        statement = ddl("ALTER ROLE {} {}", ident(self.role), self._attributes(live))
        return (Change(title=f"alter {self.key}", statements=(statement,), weakens=weakens),)


@dataclass(frozen=True, kw_only=True)
class Membership(Object):
    """``member`` may act as ``role``; with ``inherit`` its privileges apply without SET ROLE (PostgreSQL 16)."""

    kind: ClassVar[str] = "membership"
    rank: ClassVar[int] = 15
    shared: ClassVar[bool] = True

    role: str
    member: str
    inherit: bool = True
    admin: bool = False

    @property
    def name(self) -> tuple[str, ...]:
        return (self.role, self.member)

    def _more_parents(self) -> tuple[Key, ...]:
        return (Key("role", (self.role,)), Key("role", (self.member,)))

    def _grant(self, site: Site) -> Sql:
        parts = [ddl("GRANT {} TO {}", ident(self.role), ident(self.member))]
        options = [ddl("ADMIN OPTION")] if self.admin else []
        if site.version >= 160000:
            options = [
                ddl("INHERIT TRUE") if self.inherit else ddl("INHERIT FALSE"),
                *([ddl("ADMIN TRUE")] if self.admin else []),
            ]
        if options:
            parts.append(ddl("WITH {}", joined(options)))
        return joined(parts, " ")

    def _revoke(self) -> Sql:
        return ddl("REVOKE {} FROM {}", ident(self.role), ident(self.member))

    def create(self, site: Site) -> tuple[Change, ...]:
        old = not site.makes(Key("role", (self.role,))) and not site.makes(Key("role", (self.member,)))
        weakens = f"{self.member} would be able to act as {self.role}" if old else ""
        return (Change(title=f"grant {self.key}", statements=(self._grant(site),), weakens=weakens),)

    def drop(self, site: Site) -> tuple[Change, ...]:
        return (Change(title=f"revoke {self.key}", statements=(self._revoke(),)),)

    def alter(self, live: Self, site: Site) -> tuple[Change, ...] | None:
        wider = (self.inherit and not live.inherit) or (self.admin and not live.admin)
        weakens = f"{self.member} would hold more of {self.role}" if wider else ""
        return (Change(title=f"change {self.key}", statements=(self._revoke(), self._grant(site)), weakens=weakens),)
