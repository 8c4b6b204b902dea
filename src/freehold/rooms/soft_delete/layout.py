"""The table of deleted rows of a base table: its name, its columns and its functions' names."""

from __future__ import annotations

from dataclasses import dataclass

from freehold.errors import DeclarationError
from freehold.kernel.declare import name_of
from freehold.kernel.derived import copied, followed, listed, matched
from freehold.kernel.model import Model
from freehold.kernel.names import Sql, qualified, shortened
from freehold.kernel.objects import Column, Table
from freehold.rooms.soft_delete.declare import SoftDelete

OWN = (
    ("deletion", "bigint", "a"),
    ("deleted_at", "timestamp with time zone", ""),
    ("deleted_by", "text", ""),
    ("transaction_id", "uuid", ""),
)
"""The columns that the room adds: name, type, identity; none may be null."""


def deleted_name(table: str) -> str:
    """The name of the table of a table's deleted rows."""
    return shortened(f"{table}_deleted")


def function_name(verb: str, table: str) -> str:
    """The name of one of a base table's functions."""
    return shortened(f"{verb}_{deleted_name(table)}", 60) + "_v1"


@dataclass(frozen=True)
class Layout:
    """A base table and what the table of its deleted rows is made of."""

    base: Table
    kept: tuple[Column, ...]
    key: tuple[str, ...]
    rewritten: tuple[str, ...]

    @property
    def table(self) -> str:
        """The name of the table of deleted rows; it lives in the base table's schema."""
        return deleted_name(self.base.table)

    @property
    def name(self) -> tuple[str, str]:
        """The base table's schema and name."""
        return (self.base.schema, self.base.table)

    @property
    def title(self) -> str:
        """The base table's name for sentences."""
        return f"{self.base.schema}.{self.base.table}"

    @property
    def sql(self) -> Sql:
        """The quoted, qualified name of the table of deleted rows."""
        return qualified(self.base.schema, self.table)

    @property
    def primary(self) -> tuple[str, ...]:
        """Its primary key: the tenant, where there is one, and the number of the deletion."""
        tenant = self.base.facts.tenant_column
        return (tenant, "deletion") if tenant else ("deletion",)

    @property
    def columns(self) -> tuple[Column, ...]:
        """Its columns."""
        required = {*self.key, *self.primary}
        reason = "a column of a deleted row"
        own = (
            Column(
                schema=self.base.schema,
                table=self.table,
                column=name,
                type=kind,
                not_null=True,
                identity=identity,
                reason="who deleted the row, and when",
            )
            for name, kind, identity in OWN
        )
        kept = (followed(c, self.table, required=c.column in required, reason=reason) for c in self.kept)
        return (*kept, *own)

    def names(self, prefix: str = "") -> Sql:
        """The columns that a deleted row copies."""
        return listed(copied(self.kept), prefix)

    @property
    def written(self) -> tuple[str, ...]:
        """The columns that a restore writes: all that are not generated."""
        return tuple(column.column for column in self.kept if not column.generated)

    def compared(self, prefix: str) -> Sql:
        """The columns in which a restored row equals the deleted one."""
        return listed((name for name in self.written if name not in self.rewritten), prefix)

    def match(self, left: str, right: str) -> Sql:
        """The condition that two aliases hold the same key."""
        return matched(left, right, ((name, name) for name in self.key))

    def function(self, verb: str) -> str:
        """The name of one of the table's functions."""
        return function_name(verb, self.base.table)

    def qualified_function(self, verb: str) -> Sql:
        """The quoted, qualified name of one of the table's functions."""
        return qualified(self.base.schema, self.function(verb))


def layout_of(declaration: SoftDelete, model: Model) -> Layout:
    """The layout of a declared table.

    Raises
    ------
    UnknownTable
        The table is not in the layer.
    DeclarationError
        A column of the table has a name that the room needs for itself.
    """
    base = model.table(*name_of(declaration.entity))
    kept = tuple(column for column in model.on_table(Column, base))
    taken = sorted({column.column for column in kept} & {name for name, _, _ in OWN})
    if taken:
        raise DeclarationError(
            f"Table {base.schema}.{base.table} has columns that SoftDelete needs for itself: {', '.join(taken)}",
            hint="Rename them in the model: SoftDelete adds " + ", ".join(name for name, _, _ in OWN) + ".",
        )
    return Layout(base, kept, model.primary_key(base), tuple(declaration.rewritten))
