"""Columns: type, default, identity, generation, collation, comment."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from freehold.kernel.names import Sql, ddl, ident, joined, literal, qualified, trusted
from freehold.kernel.objects.base import Change, Key, Lock, Object, Site

PLAIN_IDENTITY = re.compile(
    r"START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE (32767|2147483647|9223372036854775807) CACHE 1 NO CYCLE"
)
"""The options that an identity column has when none are written."""

WIDENINGS = frozenset(
    {
        ("character varying", "text"),
        ("character varying", "character varying"),
        ("cidr", "inet"),
    }
)
"""Type changes that keep the table's files (PostgreSQL manual, ALTER TABLE, Notes), by base type."""


@dataclass(frozen=True, kw_only=True)
class Column(Object):
    """A column of a table.

    ``type`` is written as ``format_type`` writes it; ``identity`` is ``""``, ``"a"`` (ALWAYS) or ``"d"`` (BY DEFAULT);
    ``generated`` is ``""``, ``"s"`` (STORED) or ``"v"`` (VIRTUAL, PostgreSQL 18), with ``default`` the expression.
    """

    kind: ClassVar[str] = "column"
    rank: ClassVar[int] = 75

    schema: str
    table: str
    column: str
    type: str
    not_null: bool = False
    default: str = ""
    identity: str = ""
    identity_options: str = ""
    generated: str = ""
    collation: str = ""
    comment: str = ""

    @property
    def name(self) -> tuple[str, ...]:
        return (self.schema, self.table, self.column)

    @property
    def table_key(self) -> Key:
        """The key of the table that has the column."""
        return Key("table", (self.schema, self.table))

    @classmethod
    def from_row(cls, row: Sequence[Any]) -> Self:
        values = list(row)
        options = cls.read_fields().index("identity_options")
        if PLAIN_IDENTITY.fullmatch(values[options]):
            values[options] = ""
        return super().from_row(values)

    @property
    def written(self) -> Sql:
        """The column as it stands in CREATE TABLE and ADD COLUMN."""
        parts = [ident(self.column), trusted(self.type)]
        if self.collation:
            parts.append(ddl("COLLATE {}", trusted(self.collation)))
        if self.generated:
            storage = ddl("STORED") if self.generated == "s" else ddl("VIRTUAL")
            parts.append(ddl("GENERATED ALWAYS AS ({}) {}", trusted(self.default), storage))
        elif self.identity:
            parts.append(self._identity())
        elif self.default:
            parts.append(ddl("DEFAULT {}", trusted(self.default)))
        if self.not_null:
            parts.append(ddl("NOT NULL"))
        return joined(parts, " ")

    def _identity(self) -> Sql:
        mode = ddl("ALWAYS") if self.identity == "a" else ddl("BY DEFAULT")
        options = ddl(" ({})", trusted(self.identity_options)) if self.identity_options else Sql("")
        return ddl("GENERATED {} AS IDENTITY{}", mode, options)

    @property
    def commented(self) -> Sql:
        """The statement that sets the comment."""
        text = literal(self.comment) if self.comment else ddl("NULL")
        return ddl("COMMENT ON COLUMN {} IS {}", qualified(*self.name), text)

    @property
    def _table(self) -> Sql:
        return qualified(self.schema, self.table)

    def _change(self, title: str, *statements: Sql, lock: Lock = Lock.ACCESS_EXCLUSIVE, **cost: str) -> Change:
        return Change(title=f"{title} {self.key}", statements=statements, lock=lock, on=self._table, **cost)  # type: ignore[arg-type]

    def create(self, site: Site) -> tuple[Change, ...]:
        statements = [ddl("ALTER TABLE {} ADD COLUMN {}", self._table, self.written)]
        if self.comment:
            statements.append(self.commented)
        return (self._change("add", *statements),)

    def drop(self, site: Site) -> tuple[Change, ...]:
        statement = ddl("ALTER TABLE {} DROP COLUMN {}", self._table, ident(self.column))
        return (
            Change(
                title=f"drop {self.key}",
                statements=(statement,),
                lock=Lock.ACCESS_EXCLUSIVE,
                on=self._table,
                reversible=False,
                loses=f"every value of {self.schema}.{self.table}.{self.column}",
            ),
        )

    def alter(self, live: Self, site: Site) -> tuple[Change, ...] | None:
        if self.generated != live.generated or (self.generated and self.default != live.default):
            return None
        changes: list[Change] = []
        if (self.type, self.collation) != (live.type, live.collation):
            changes.append(self._retype(live))
        if self.default != live.default and not self.identity:
            changes.append(self._redefault())
        if (self.identity, self.identity_options) != (live.identity, live.identity_options):
            changes.append(self._reidentify(live))
        if self.not_null != live.not_null:
            changes += self._require(site) if self.not_null else self._relax()
        if self.comment != live.comment:
            changes.append(self._change("comment on", self.commented, lock=Lock.SHARE_UPDATE_EXCLUSIVE))
        return tuple(changes)

    def _alter(self, action: Sql) -> Sql:
        return ddl("ALTER TABLE {} ALTER COLUMN {} {}", self._table, ident(self.column), action)

    def _retype(self, live: Column) -> Change:
        collate = ddl(" COLLATE {}", trusted(self.collation)) if self.collation else Sql("")
        cast = ddl(" USING {}::{}", ident(self.column), trusted(self.type))
        action = ddl("TYPE {}{}{}", trusted(self.type), collate, cast)
        return Change(
            title=f"change type of {self.key} from {live.type} to {self.type}",
            statements=(self._alter(action),),
            lock=Lock.ACCESS_EXCLUSIVE,
            on=self._table,
            reversible=not self.narrows(live),
            loses=f"what of {self.schema}.{self.table}.{self.column} does not fit {self.type}" * self.narrows(live),
        )

    def narrows(self, live: Column) -> bool:
        """Whether the new type may be unable to hold what the old one holds."""
        old, new = live.type.partition("(")[0], self.type.partition("(")[0]
        if (old, new) in {("smallint", "integer"), ("smallint", "bigint"), ("integer", "bigint")} or new == "text":
            return False
        if (old, new) not in WIDENINGS:
            return True
        return "(" in self.type and _length(self.type) < _length(live.type)

    def _redefault(self) -> Change:
        action = ddl("SET DEFAULT {}", trusted(self.default)) if self.default else ddl("DROP DEFAULT")
        return self._change("change default of", self._alter(action))

    def _reidentify(self, live: Column) -> Change:
        if not self.identity:
            action = ddl("DROP IDENTITY IF EXISTS")
        elif not live.identity:
            action = ddl("ADD {}", self._identity())
        else:
            action = ddl("SET GENERATED {}", ddl("ALWAYS") if self.identity == "a" else ddl("BY DEFAULT"))
        return self._change("change identity of", self._alter(action))

    def _relax(self) -> tuple[Change, ...]:
        return (self._change("drop NOT NULL of", self._alter(ddl("DROP NOT NULL"))),)

    def _require(self, site: Site) -> tuple[Change, ...]:
        """SET NOT NULL without a scan under ACCESS EXCLUSIVE: a validated CHECK proves it beforehand."""
        if self.table_key in site.new:
            return (self._change("set NOT NULL of", self._alter(ddl("SET NOT NULL"))),)
        proof = ident(f"fh_{self.column}_not_null"[:45])
        drop = ddl("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {}", self._table, proof)
        check = ddl("CHECK ({} IS NOT NULL) NOT VALID", ident(self.column))
        add = ddl("ALTER TABLE {} ADD CONSTRAINT {} {}", self._table, proof, check)
        validate = ddl("ALTER TABLE {} VALIDATE CONSTRAINT {}", self._table, proof)
        return (
            self._change("begin NOT NULL of", drop, add),
            self._change("validate NOT NULL of", validate, lock=Lock.SHARE_UPDATE_EXCLUSIVE),
            self._change("set NOT NULL of", self._alter(ddl("SET NOT NULL")), drop),
        )


def _length(type_name: str) -> int:
    """The length modifier of a type, or a number no modifier reaches where there is none."""
    inside = type_name.partition("(")[2].rstrip(")")
    return int(inside) if inside.isdigit() else 2**31
