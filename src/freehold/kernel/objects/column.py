"""Columns: type, default, identity, generation, collation, comment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from freehold.kernel.names import Sql, ddl, ident, joined, literal, qualified, shortened, trusted
from freehold.kernel.objects.base import Change, Effort, Key, Lock, Object, Site, Stage, Undo
from freehold.kernel.objects.width import narrower, rewrites

HIGHEST = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}
"""The highest value of each type that an identity column can have."""

_OPTION = re.compile(r"START|INCREMENT|MINVALUE|MAXVALUE|CACHE|NO CYCLE|CYCLE")


STABLE = re.compile(
    r"'(?:[^']|'')*'(?:::[\w \"().\[\]]+)?|-?[\d.]+|\(-?[\d.]+\)(?:::[\w ]+)?|true|false|NULL(?:::[\w ]+)?"
    r"|now\(\)|CURRENT_(?:TIMESTAMP|DATE|USER)|LOCALTIMESTAMP|transaction_timestamp\(\)",
    re.IGNORECASE,
)
"""Defaults that PostgreSQL evaluates once for all rows that are there (ALTER TABLE, "Notes")."""


def plain_identity(type_name: str) -> str:
    """The options that an identity column has when none are written, as the catalog tells them."""
    highest = HIGHEST.get(type_name, 0)
    return f"START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE {highest} CACHE 1 NO CYCLE"


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
        item = super().from_row(row)
        plain = item.identity and item.identity_options == plain_identity(item.type)
        return replace(item, identity_options="") if plain else item

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
        change = self._change("add", *statements)
        return (replace(change, efforts=((Effort.REWRITE, self._table),)) if self._written_by_adding else change,)

    @property
    def _written_by_adding(self) -> bool:
        """Whether each row that is there gets a value of its own."""
        volatile = bool(self.default) and not STABLE.fullmatch(self.default)
        return self.generated == "s" or bool(self.identity) or (volatile and not self.generated)

    def drop(self, site: Site) -> tuple[Change, ...]:
        statement = ddl("ALTER TABLE {} DROP COLUMN {}", self._table, ident(self.column))
        change = self._change("drop", statement)
        if self.generated:
            return (change,)  # its values follow from the other columns
        return (replace(change, reversible=False, loses=f"every value of {self.schema}.{self.table}.{self.column}"),)

    def alter(self, live: Self, site: Site) -> tuple[Change, ...] | None:
        if not self._keeps_values(live):
            return None
        return tuple(self._alterations(live, site))

    def _keeps_values(self, live: Column) -> bool:
        """Whether the values can stay; a generated column takes them into its life as a plain one."""
        if live.generated == "s" and not self.generated:
            return True
        return self.generated == live.generated and (not self.generated or self.default == live.default)

    def _alterations(self, live: Column, site: Site) -> Iterator[Change]:
        """In an order in which each is allowed: an identity needs NOT NULL and bears no default."""
        if live.generated and not self.generated:
            yield self._change("keep the values of", self._alter(ddl("DROP EXPRESSION")))
            live = replace(live, generated="", default="")
        if live.identity and not self.identity:
            yield self._change("drop identity of", self._alter(ddl("DROP IDENTITY IF EXISTS")))
        if (self.type, self.collation) != (live.type, live.collation):
            yield self._retype(live)
        elif self.default != live.default:
            change = self._change("change default of", self._redefault())
            # Without its default an older application would leave a required column empty.
            waits = self.not_null and not self.default and not self.identity
            yield replace(change, stage=Stage.CONTRACT) if waits else change
        if self.not_null != live.not_null:
            yield from self.required(site) if self.not_null else self._relax()
        if self.identity and (self.identity, self.identity_options) != (live.identity, live.identity_options):
            yield self._change("change identity of", *self._reidentify(live))
        if self.comment != live.comment:
            yield self._change("comment on", self.commented, lock=Lock.SHARE_UPDATE_EXCLUSIVE)

    def _alter(self, action: Sql) -> Sql:
        return ddl("ALTER TABLE {} ALTER COLUMN {} {}", self._table, ident(self.column), action)

    def _retype(self, live: Column) -> Change:
        collate = ddl(" COLLATE {}", trusted(self.collation)) if self.collation else Sql("")
        cast = ddl(" USING {}::{}", ident(self.column), trusted(self.type))
        statements = [self._alter(ddl("TYPE {}{}{}", trusted(self.type), collate, cast))]
        if live.default and not live.generated:
            # PostgreSQL casts few defaults by itself, and the new one is known.
            statements.insert(0, self._alter(ddl("DROP DEFAULT")))
        if self.default and not self.generated:
            statements.append(self._redefault())
        narrows = narrower(self.type, live.type)
        change = self._change("change type of", *statements)
        lost = f"what of {self.schema}.{self.table}.{self.column} does not fit {self.type}"
        title = f"{change.title} from {live.type} to {self.type}"
        efforts = ((Effort.REWRITE, str(self._table)),) if rewrites(self.type, live.type) else ()
        return replace(change, title=title, reversible=not narrows, loses=lost * narrows, efforts=efforts)

    def _redefault(self) -> Sql:
        return self._alter(ddl("SET DEFAULT {}", trusted(self.default)) if self.default else ddl("DROP DEFAULT"))

    def _reidentify(self, live: Column) -> tuple[Sql, ...]:
        if not live.identity:
            return self.begun_identity()
        mode = ddl("ALWAYS") if self.identity == "a" else ddl("BY DEFAULT")
        options = self.identity_options or plain_identity(self.type)
        each = trusted(_OPTION.sub(lambda found: f"SET {found[0]}", options))
        return (self._alter(ddl("SET GENERATED {} {}", mode, each)),)

    def _go_on(self) -> Sql:
        """Let a new identity begin after the values that are there."""
        column = ident(self.column)
        start = re.search(r"START WITH (-?\d+)", self.identity_options)
        best, reached = ("max", ">=") if "INCREMENT BY -" not in self.identity_options else ("min", "<=")
        return ddl(
            "SELECT pg_catalog.setval(pg_catalog.pg_get_serial_sequence({}, {}), {}({})) FROM {} HAVING {}({}) {} {}",
            literal(self._table),
            literal(self.column),
            trusted(best),
            column,
            self._table,
            trusted(best),
            column,
            trusted(reached),
            trusted(start[1] if start else "1"),
        )

    def _relax(self) -> tuple[Change, ...]:
        return (self._change("drop NOT NULL of", self._alter(ddl("DROP NOT NULL"))),)

    def begun_identity(self) -> tuple[Sql, ...]:
        """What gives a column without a default its identity, which goes on after the values that are there."""
        return self._alter(ddl("ADD {}", self._identity())), self._go_on()

    def required(self, site: Site) -> tuple[Change, ...]:
        """SET NOT NULL without a scan under ACCESS EXCLUSIVE: a validated CHECK proves it beforehand."""
        if self.table_key in site.new:
            return (self._change("set NOT NULL of", self._alter(ddl("SET NOT NULL"))),)
        proof = ident(shortened(f"fh_{self.column}_not_null"))
        drop = ddl("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {}", self._table, proof)
        check = ddl("CHECK ({} IS NOT NULL) NOT VALID", ident(self.column))
        add = ddl("ALTER TABLE {} ADD CONSTRAINT {} {}", self._table, proof, check)
        validate = ddl("ALTER TABLE {} VALIDATE CONSTRAINT {}", self._table, proof)
        undo = Undo(f"take back NOT NULL of {self.key}", (drop,))
        return (
            replace(self._change("begin NOT NULL of", drop, add), undo=(undo,)),
            replace(
                self._change("validate NOT NULL of", validate, lock=Lock.SHARE_UPDATE_EXCLUSIVE), stage=Stage.VALIDATE
            ),
            self._change("set NOT NULL of", self._alter(ddl("SET NOT NULL")), drop),
        )
