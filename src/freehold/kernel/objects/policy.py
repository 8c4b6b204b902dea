"""Row security policies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Self

from freehold.kernel.names import Sql, ddl, ident, joined, qualified, trusted
from freehold.kernel.objects.base import Change, Key, Lock, Object, Site


@dataclass(frozen=True, kw_only=True)
class Policy(Object):
    """A policy.

    ``command`` is ALL, SELECT, INSERT, UPDATE or DELETE; ``roles`` are role names or ``("PUBLIC",)``; ``using`` and
    ``check`` are expressions, empty where the policy has none.
    """

    kind: ClassVar[str] = "policy"
    rank: ClassVar[int] = 120

    schema: str
    table: str
    policy: str
    command: str = "ALL"
    roles: tuple[str, ...] = ("PUBLIC",)
    permissive: bool = True
    using: str = ""
    check: str = ""

    @property
    def name(self) -> tuple[str, ...]:
        return (self.schema, self.table, self.policy)

    @property
    def table_key(self) -> Key:
        """The key of the guarded table."""
        return Key("table", (self.schema, self.table))

    def _more_parents(self) -> tuple[Key, ...]:
        return tuple(Key("role", (role,)) for role in self.roles if role != "PUBLIC")

    @property
    def _table(self) -> Sql:
        return qualified(self.schema, self.table)

    def _create(self) -> Sql:
        roles = joined(Sql("PUBLIC") if role == "PUBLIC" else ident(role) for role in self.roles)
        mode = ddl("PERMISSIVE") if self.permissive else ddl("RESTRICTIVE")
        parts = [
            ddl("CREATE POLICY {} ON {} AS {}", ident(self.policy), self._table, mode),
            ddl("FOR {} TO {}", trusted(self.command), roles),
        ]
        if self.using:
            parts.append(ddl("USING ({})", trusted(self.using)))
        if self.check:
            parts.append(ddl("WITH CHECK ({})", trusted(self.check)))
        return joined(parts, " ")

    def _drop(self) -> Sql:
        return ddl("DROP POLICY {} ON {}", ident(self.policy), self._table)

    def _change(self, verb: str, *statements: Sql, weakens: str = "") -> Change:
        return Change(
            title=f"{verb} {self.key}",
            statements=statements,
            lock=Lock.ACCESS_EXCLUSIVE,
            on=self._table,
            weakens=weakens,
        )

    def create(self, site: Site) -> tuple[Change, ...]:
        widens = self.permissive and not site.makes(self.table_key) and self._admits_all
        weakens = f"{self.policy} would show every row of {self._table} to {', '.join(self.roles)}" if widens else ""
        return (self._change("create", self._create(), weakens=weakens),)

    @property
    def _admits_all(self) -> bool:
        return self.using == "true" or (not self.using and self.check == "true")

    def admits_beyond(self, others: Iterable[Policy]) -> str:
        """What it lets through that none of the table's policies plainly does: permissive ones are joined with OR."""
        if not self.permissive or any(self._at_least_as_strict(other) for other in others if other.permissive):
            return ""
        return f"{self.policy} would admit rows of {self._table} beside those that its policies admit now"

    def drop(self, site: Site) -> tuple[Change, ...]:
        # Without its last permissive policy a table shows nothing, so dropping one closes; a restrictive one opens.
        weakens = "" if self.permissive else f"{self.policy} would no longer restrict {self._table}"
        return (self._change("drop", self._drop(), weakens=weakens),)

    def alter(self, live: Self, site: Site) -> tuple[Change, ...] | None:
        weakens = "" if self._at_least_as_strict(live) else f"cannot tell that {self.policy} would admit no more rows"
        return (self._change("replace", self._drop(), self._create(), weakens=weakens),)

    def _at_least_as_strict(self, live: Policy) -> bool:
        same_reach = live.command in {self.command, "ALL"} and self.permissive == live.permissive
        fewer_roles = "PUBLIC" in live.roles or set(self.roles) <= set(live.roles)
        return (
            same_reach
            and fewer_roles
            and _implies(self.using, live.using)
            and _implies(self._written_check, live._written_check)
        )

    @property
    def _written_check(self) -> str:
        """The condition on new rows, which USING is where none is written."""
        return self.check or self.using


def _implies(new: str, old: str) -> bool:
    """Whether ``new`` is plainly ``old``, ``old`` AND more, or a part of ``old`` OR; all else is not decided here."""
    narrower = new.startswith((f"({old} AND ", f"{old} AND "))
    return new == old or old == "true" or narrower or (old.startswith("(") and old.endswith(f" OR {new})"))
