"""The history table of a base table: its name, its columns and its key."""

from __future__ import annotations

from dataclasses import dataclass

from freehold.errors import DeclarationError
from freehold.kernel.declare import name_of
from freehold.kernel.derived import copied, followed, listed, matched
from freehold.kernel.model import Model
from freehold.kernel.names import Sql, ddl, ident, qualified, shortened
from freehold.kernel.objects import Column, Table
from freehold.kernel.periods import Cut
from freehold.rooms.history.declare import History, history_name

OWN = (
    ("valid_from", "timestamp with time zone", True),
    ("valid_to", "timestamp with time zone", True),
    ("operation", "text", True),
    ("actor", "text", False),
    ("transaction_id", "uuid", False),
    ("ended_operation", "text", False),
    ("ended_actor", "text", False),
    ("ended_transaction_id", "uuid", False),
)
"""The columns that history adds: name, type, NOT NULL."""


@dataclass(frozen=True)
class Layout:
    """A base table and what its history is made of."""

    base: Table
    kept: tuple[Column, ...]
    key: tuple[str, ...]
    ended: bool = False
    """Whether only versions that ended are kept, the current one being the row itself."""
    born: str = ""
    """The column that says since when a row is there."""
    cut: Cut | None = None
    """How the history table is cut by time."""

    @property
    def table(self) -> str:
        """The history table's name; it lives in the base table's schema."""
        return history_name(self.base.table)

    @property
    def sql(self) -> Sql:
        """The history table's quoted, qualified name."""
        return qualified(self.base.schema, self.table)

    @property
    def columns(self) -> tuple[Column, ...]:
        """The history table's columns."""
        own = (
            Column(
                schema=self.base.schema,
                table=self.table,
                column=name,
                type=kind,
                # Where a version began and how is told by the one that ended then.
                not_null=needed and not (self.ended and name != "valid_to"),
            )
            for name, kind, needed in OWN
        )
        return (*(self._kept(column) for column in self.kept), *own)

    def _kept(self, column: Column) -> Column:
        return followed(
            column, self.table, required=column.column in self.key, reason="a column whose versions are kept"
        )

    def names(self, prefix: str = "") -> Sql:
        """The copied columns as a list, each with the prefix."""
        return listed(copied(self.kept), prefix)

    def match(self, left: str, right: str) -> Sql:
        """The condition that two aliases hold the same key."""
        return matched(left, right, ((name, name) for name in self.key))

    @property
    def clock(self) -> str:
        """The name of the sequence that holds the latest time given, in microseconds."""
        return shortened(f"{self.table}_clock")

    @property
    def clock_sql(self) -> Sql:
        """The clock's quoted, qualified name."""
        return qualified(self.base.schema, self.clock)

    def unsaid(self, rows: str) -> Sql:
        """The condition that a new row does not say itself since when it is there: by the clock of its transaction."""
        if not self.born:
            return Sql("true")
        return ddl(
            "{}.{} NOT BETWEEN pg_catalog.transaction_timestamp() AND pg_catalog.clock_timestamp()",
            ident(rows),
            ident(self.born),
        )

    def since(self, rows: str) -> Sql:
        """What a row says of since when it is there."""
        return ddl("{}.{}", ident(rows), ident(self.born)) if self.born else Sql("NULL::timestamptz")

    def function(self, verb: str) -> str:
        """The name of one of the table's functions."""
        return shortened(f"{verb}_{self.table}", 60) + "_v1"

    def qualified_function(self, verb: str) -> Sql:
        """The quoted, qualified name of one of the table's functions."""
        return qualified(self.base.schema, self.function(verb))


def layout_of(declaration: History, model: Model) -> Layout:
    """The layout of a declared history.

    Raises
    ------
    UnknownTable
        The table is not in the layer.
    DeclarationError
        A column of the table has a name that history needs for itself.
    """
    base = model.table(*name_of(declaration.entity))
    kept = tuple(column for column in model.of_kind(Column) if column.table_key == base.key)
    taken = sorted({column.column for column in kept} & {name for name, _, _ in OWN})
    if taken:
        raise DeclarationError(
            f"Table {base.schema}.{base.table} has columns that its history needs for itself: {', '.join(taken)}",
            hint="Rename them in the model: history adds " + ", ".join(name for name, _, _ in OWN) + ".",
        )
    return Layout(
        base=base,
        kept=kept,
        key=model.primary_key(base),
        ended=declaration.current == "base",
        born=declaration.born or "",
        cut=declaration.cut,
    )
