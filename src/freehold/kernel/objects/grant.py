"""Privileges on objects, and default privileges; an owner's own rights are no grant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from freehold.kernel.names import Sql, ddl, ident, joined, qualified, trusted
from freehold.kernel.objects.base import Change, Key, Object, Site

PUBLIC = "PUBLIC"


def grantee_sql(role: str) -> Sql:
    """A role's name, or the keyword PUBLIC."""
    return Sql(PUBLIC) if role == PUBLIC else ident(role)


@dataclass(frozen=True, kw_only=True)
class Grant(Object):
    """Privileges of one role on one object.

    ``on`` is ``schema``, ``table`` (views and sequences are ``table`` and ``sequence``), ``column``, ``function`` or
    ``database``; ``target`` is that object's name, empty for the current database. Empty ``privileges`` declare that
    the role has none, so that a grant found there is revoked. ``mixed`` is never declared: a live grant of which only
    some privileges have the grant option.
    """

    kind: ClassVar[str] = "grant"
    rank: ClassVar[int] = 150

    on: str
    target: tuple[str, ...]
    grantee: str
    privileges: tuple[str, ...]
    grantable: bool = False
    mixed: bool = False

    @property
    def name(self) -> tuple[str, ...]:
        return (self.on, *self.target, self.grantee)

    @property
    def target_key(self) -> Key:
        """The key of the object that the privileges are on."""
        return Key(self.on, self.target)

    def _more_parents(self) -> tuple[Key, ...]:
        target = Key("column", self.target) if self.on == "column" else self.target_key
        return (target, Key("view", self.target), Key("role", (self.grantee,)))

    def _object(self, site: Site) -> Sql:
        if self.on == "database":
            return ddl("DATABASE {}", ident(site.database))
        if self.on == "schema":
            return ddl("SCHEMA {}", ident(self.target[0]))
        if self.on == "function":
            signature = ddl("{}({})", qualified(*self.target[:2]), trusted(self.target[2]))
            return ddl("ROUTINE {}", signature)
        if self.on == "sequence":
            return ddl("SEQUENCE {}", qualified(*self.target))
        return ddl("TABLE {}", qualified(*self.target[:2]))

    def _words(self, privileges: tuple[str, ...]) -> Sql:
        if self.on != "column":
            return joined(trusted(privilege) for privilege in privileges)
        column = ident(self.target[2])
        return joined(ddl("{} ({})", trusted(privilege), column) for privilege in privileges)

    def _grant(self, privileges: tuple[str, ...], site: Site) -> Sql:
        option = ddl(" WITH GRANT OPTION") if self.grantable else Sql("")
        return ddl(
            "GRANT {} ON {} TO {}{}", self._words(privileges), self._object(site), grantee_sql(self.grantee), option
        )

    def _revoke(self, privileges: tuple[str, ...], site: Site) -> Sql:
        return ddl("REVOKE {} ON {} FROM {}", self._words(privileges), self._object(site), grantee_sql(self.grantee))

    def create(self, site: Site) -> tuple[Change, ...]:
        if not self.privileges:
            return ()
        statement = self._grant(self.privileges, site)
        return (
            Change(title=f"grant {self.title}", statements=(statement,), weakens=self._widens(self.privileges, site)),
        )

    def _widens(self, added: tuple[str, ...], site: Site) -> str:
        """A grant is wider only where both the object and the role were there before."""
        if self._is_new(site) or site.makes(Key("role", (self.grantee,))) or not added:
            return ""
        return f"{self.grantee} would gain {', '.join(added)} on {' '.join(('.'.join(self.target), self.on)).strip()}"

    def _is_new(self, site: Site) -> bool:
        table = Key("table", self.target[:2])
        return site.makes(self.target_key) or site.makes(table) or site.makes(Key("view", self.target[:2]))

    def drop(self, site: Site) -> tuple[Change, ...]:
        # Nothing declared means that the scratch database must lose what PostgreSQL grants by itself.
        gone = self.privileges or ("ALL",)
        return (Change(title=f"revoke {self.title}", statements=(self._revoke(gone, site),)),)

    def alter(self, live: Self, site: Site) -> tuple[Change, ...] | None:
        gone = tuple(p for p in live.privileges if p not in self.privileges)
        added = tuple(p for p in self.privileges if p not in live.privileges)
        if self.grantable != live.grantable or live.mixed:
            gone, added = live.privileges, self.privileges
        statements = []
        if gone:
            statements.append(self._revoke(gone, site))
        if added:
            statements.append(self._grant(added, site))
        wider = added if self.grantable else tuple(p for p in added if p not in live.privileges)
        return (Change(title=f"change {self.title}", statements=tuple(statements), weakens=self._widens(wider, site)),)

    @property
    def title(self) -> str:
        target = ".".join(self.target) or "this database"
        return f"{', '.join(self.privileges) or 'nothing'} on {self.on} {target} to {self.grantee}"


@dataclass(frozen=True, kw_only=True)
class DefaultPrivilege(Object):
    """What later objects of ``role`` grant by themselves.

    ``on`` is TABLES, SEQUENCES, FUNCTIONS, TYPES or SCHEMAS; ``grants`` pairs each grantee but the owner with its
    privileges. An empty ``schema`` means every schema, and there PUBLIC's built-in rights are revoked unless listed.
    """

    kind: ClassVar[str] = "default_privilege"
    rank: ClassVar[int] = 170

    role: str
    on: str
    schema: str = ""
    grants: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def name(self) -> tuple[str, ...]:
        return (self.role, self.schema, self.on)

    def _more_parents(self) -> tuple[Key, ...]:
        return (Key("role", (self.role,)), *(Key("role", (grantee,)) for grantee, _ in self.grants))

    @classmethod
    def from_row(cls, row: Sequence[Any]) -> Self:
        *plain, grants = row
        pairs = tuple((grantee, tuple(words.split(","))) for grantee, words in grants)
        return super().from_row([*plain, pairs])

    def to_row(self) -> list[Any]:
        return [*super().to_row()[:-1], [[grantee, ",".join(words)] for grantee, words in self.grants]]

    def _alter(self, action: Sql) -> Sql:
        scope = ddl(" IN SCHEMA {}", ident(self.schema)) if self.schema else Sql("")
        return ddl("ALTER DEFAULT PRIVILEGES FOR ROLE {}{} {}", ident(self.role), scope, action)

    def _revoke(self, grantee: str) -> Sql:
        return self._alter(ddl("REVOKE ALL ON {} FROM {}", trusted(self.on), grantee_sql(grantee)))

    def _grants(self) -> tuple[Sql, ...]:
        return tuple(
            self._alter(
                ddl(
                    "GRANT {} ON {} TO {}",
                    joined(trusted(word) for word in privileges),
                    trusted(self.on),
                    grantee_sql(grantee),
                )
            )
            for grantee, privileges in self.grants
        )

    def create(self, site: Site) -> tuple[Change, ...]:
        strip = () if self.schema or any(g == PUBLIC for g, _ in self.grants) else (self._revoke(PUBLIC),)
        return (Change(title=f"set {self.key}", statements=(*strip, *self._grants())),)

    def drop(self, site: Site) -> tuple[Change, ...]:
        statements = tuple(self._revoke(grantee) for grantee, _ in self.grants)
        if not self.schema and self.on in {"FUNCTIONS", "TYPES"}:
            privilege = ddl("EXECUTE") if self.on == "FUNCTIONS" else ddl("USAGE")
            statements += (self._alter(ddl("GRANT {} ON {} TO PUBLIC", privilege, trusted(self.on))),)
        weakens = f"later {self.on.lower()} of {self.role} would grant what PostgreSQL grants by itself"
        return (Change(title=f"reset {self.key}", statements=statements, weakens=weakens),)

    def alter(self, live: Self, site: Site) -> tuple[Change, ...] | None:
        gone = [grantee for grantee, _ in live.grants]
        public = [] if self.schema or PUBLIC in gone else [PUBLIC]
        statements = (*(self._revoke(grantee) for grantee in (*gone, *public)), *self._grants())
        wider = set(self.grants) - set(live.grants)
        weakens = f"later {self.on.lower()} of {self.role} would grant more" if wider else ""
        return (Change(title=f"change {self.key}", statements=statements, weakens=weakens),)
