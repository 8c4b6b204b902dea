"""Enums and domains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from freehold.kernel.names import Sql, ddl, ident, joined, literal, qualified, trusted
from freehold.kernel.objects.base import Change, Lock, Object, Site


@dataclass(frozen=True, kw_only=True)
class Enum(Object):
    """An enumerated type; labels can be added, and nothing else can be done to them online."""

    kind: ClassVar[str] = "enum"
    rank: ClassVar[int] = 40

    schema: str
    type_name: str
    labels: tuple[str, ...]

    @property
    def name(self) -> tuple[str, ...]:
        return (self.schema, self.type_name)

    def create(self, site: Site) -> tuple[Change, ...]:
        labels = joined(literal(label) for label in self.labels)
        statement = ddl("CREATE TYPE {} AS ENUM ({})", qualified(*self.name), labels)
        return (Change(title=f"create {self.key}", statements=(statement,)),)

    def drop(self, site: Site) -> tuple[Change, ...]:
        return (Change(title=f"drop {self.key}", statements=(ddl("DROP TYPE {}", qualified(*self.name)),)),)

    def alter(self, live: Self, site: Site) -> tuple[Change, ...] | None:
        kept = tuple(label for label in self.labels if label in live.labels)
        if kept != live.labels:
            return None
        return tuple(self._add(label, live) for label in self.labels if label not in live.labels)

    def _add(self, label: str, live: Enum) -> Change:
        position = self.labels.index(label)
        place = (
            ddl(" AFTER {}", literal(self.labels[position - 1]))
            if position
            else ddl(" BEFORE {}", literal(live.labels[0]))
        )
        statement = ddl("ALTER TYPE {} ADD VALUE IF NOT EXISTS {}", qualified(*self.name), literal(label))
        # A label that was added in a transaction cannot be used in it, so the statement commits alone.
        return Change(
            title=f"add label {label!r} to {self.key}",
            statements=(Sql(statement + place),),
            transactional=False,
            reversible=False,
        )


@dataclass(frozen=True, kw_only=True)
class Domain(Object):
    """A domain over a base type, with its default and named CHECK constraints."""

    kind: ClassVar[str] = "domain"
    rank: ClassVar[int] = 41

    schema: str
    type_name: str
    base: str
    not_null: bool = False
    default: str = ""
    checks: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> tuple[str, ...]:
        return (self.schema, self.type_name)

    @classmethod
    def from_row(cls, row: Sequence[Any]) -> Self:
        *plain, checks = row
        return super().from_row([*plain, tuple((name, check) for name, check in checks)])

    def create(self, site: Site) -> tuple[Change, ...]:
        parts = [ddl("CREATE DOMAIN {} AS {}", qualified(*self.name), trusted(self.base))]
        if self.default:
            parts.append(ddl("DEFAULT {}", trusted(self.default)))
        if self.not_null:
            parts.append(ddl("NOT NULL"))
        later = [(name, check) for name, check in self.checks if check.endswith(" NOT VALID")]
        parts += [_constraint(name, check) for name, check in self.checks if (name, check) not in later]
        # CREATE DOMAIN takes no check that old values need not meet.
        added = [ddl("ALTER DOMAIN {} ADD {}", qualified(*self.name), _constraint(*each)) for each in later]
        return (Change(title=f"create {self.key}", statements=(joined(parts, " "), *added)),)

    def drop(self, site: Site) -> tuple[Change, ...]:
        return (Change(title=f"drop {self.key}", statements=(ddl("DROP DOMAIN {}", qualified(*self.name)),)),)

    def alter(self, live: Self, site: Site) -> tuple[Change, ...] | None:
        if self.base != live.base:
            return None
        target = qualified(*self.name)
        statements: list[Sql] = []
        if self.default != live.default:
            new = ddl("SET DEFAULT {}", trusted(self.default)) if self.default else ddl("DROP DEFAULT")
            statements.append(ddl("ALTER DOMAIN {} {}", target, new))
        if self.not_null != live.not_null:
            verb = ddl("SET NOT NULL") if self.not_null else ddl("DROP NOT NULL")
            statements.append(ddl("ALTER DOMAIN {} {}", target, verb))
        dropped = sorted(set(live.checks) - set(self.checks))
        for name, _ in dropped:
            statements.append(ddl("ALTER DOMAIN {} DROP CONSTRAINT {}", target, ident(name)))
        for name, check in sorted(set(self.checks) - set(live.checks)):
            statements.append(ddl("ALTER DOMAIN {} ADD CONSTRAINT {} {}", target, ident(name), trusted(check)))
        weakens = f"{'.'.join(self.name)} would accept values that {dropped[0][0]} refuses" if dropped else ""
        on = f"every table with a column of {target}"
        return (
            Change(title=f"alter {self.key}", statements=tuple(statements), lock=Lock.SHARE, on=on, weakens=weakens),
        )


def _constraint(name: str, check: str) -> Sql:
    return ddl("CONSTRAINT {} {}", ident(name), trusted(check))
