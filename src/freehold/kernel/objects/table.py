"""Tables, and what the layer knows of them that the catalog does not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

from freehold.kernel.names import Sql, ddl, joined, literal, qualified, trusted
from freehold.kernel.objects.base import Change, Effort, Key, Lock, Object, Site
from freehold.kernel.objects.column import Column


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFacts:
    """What rooms tell each other of a table; no part of it is in the catalog.

    Parameters
    ----------
    tenant_column
        The column that names the owner, or empty for a table that no tenant owns.
    of
        ``(schema, table)`` that a room derived this table from, or empty: a history table names its base table.
    role
        What the table is to the layer: ``model``, ``root``, ``shared``, ``exempt``, ``adopted``, ``history``,
        ``report``, ``state``.
    application
        Table privileges that the application's role gets.
    writers
        Roles that write rows of any tenant from a trigger or a refresh, and that nobody is a member of.
    outlived
        Columns that are no longer declared stay, with the values they have: what history is for.
    owner_column
        The column that holds the owner's id as text, in a table that only functions reach.
    stays
        Why rows are not brought into another database with their tenant; empty where they are.
    lasting
        Why rows stay when their tenant is erased; empty where they go.
    log_only
        Why the guard of the tenant's rows refuses nothing yet, and only notes what it would; empty where it holds.
    """

    tenant_column: str = ""
    of: tuple[str, str] | tuple[()] = ()
    role: str = "model"
    application: frozenset[str] = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
    writers: tuple[str, ...] = ()
    outlived: bool = False
    owner_column: str = ""
    stays: str = ""
    lasting: str = ""
    log_only: str = ""


@dataclass(frozen=True, kw_only=True)
class Table(Object):
    """A table, partitioned table or partition; its columns are objects of their own, written with it when it is new.

    ``partition_key`` is what follows PARTITION BY; ``parent`` and ``bound`` make it a partition.
    """

    kind: ClassVar[str] = "table"
    rank: ClassVar[int] = 70

    schema: str
    table: str
    persistence: str = "p"
    partition_key: str = ""
    parent: str = ""
    bound: str = ""
    options: tuple[str, ...] = ()
    comment: str = ""
    facts: TableFacts = field(default_factory=TableFacts, compare=False)
    columns: tuple[Column, ...] = field(default=(), compare=False)

    @property
    def name(self) -> tuple[str, ...]:
        return (self.schema, self.table)

    @property
    def sql(self) -> Sql:
        """The quoted, qualified name."""
        return qualified(self.schema, self.table)

    def create(self, site: Site) -> tuple[Change, ...]:
        if self.parent in {qualified(*key.name) for key in site.partitions}:
            return (self._attached(),)
        statements = [self._create_statement(), *self._comments()]
        lock = Lock.ACCESS_EXCLUSIVE if self.parent else Lock.NONE
        return (Change(title=f"create {self.key}", statements=tuple(statements), lock=lock, on=self.parent),)

    def _attached(self) -> Change:
        """A partition of a live table: attaching one stops neither readers nor writers, creating it in place does."""
        body = ddl(
            "(LIKE {} INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING CONSTRAINTS INCLUDING STORAGE)",
            trusted(self.parent),
        )
        attach = ddl("ALTER TABLE {} ATTACH PARTITION {} {}", trusted(self.parent), self.sql, trusted(self.bound))
        statements = (self._made(body), attach, *self._comments())
        return Change(
            title=f"create {self.key}", statements=statements, lock=Lock.SHARE_UPDATE_EXCLUSIVE, on=self.parent
        )

    def _create_statement(self) -> Sql:
        if self.parent:
            body = ddl("PARTITION OF {} {}", trusted(self.parent), trusted(self.bound))
        else:
            body = ddl("(\n    {}\n)", joined((column.written for column in self.columns), ",\n    "))
        return self._made(body)

    def _made(self, body: Sql) -> Sql:
        unlogged = ddl("UNLOGGED ") if self.persistence == "u" else Sql("")
        parts = [ddl("CREATE {}TABLE {} {}", unlogged, self.sql, body)]
        if self.partition_key:
            parts.append(ddl("PARTITION BY {}", trusted(self.partition_key)))
        if self.options:
            parts.append(ddl("WITH ({})", _options(self.options)))
        return joined(parts, " ")

    def _comments(self) -> Iterable[Sql]:
        if self.comment:
            yield self._comment()
        for column in self.columns:
            if column.comment:
                yield column.commented

    def _comment(self) -> Sql:
        text = literal(self.comment) if self.comment else ddl("NULL")
        return ddl("COMMENT ON TABLE {} IS {}", self.sql, text)

    def drop(self, site: Site) -> tuple[Change, ...]:
        # While it is attached, a foreign key to the whole partitioned table keeps a partition from being dropped.
        detach = (ddl("ALTER TABLE {} DETACH PARTITION {}", trusted(self.parent), self.sql),) if self.parent else ()
        return (
            Change(
                title=f"drop {self.key}",
                statements=(*detach, ddl("DROP TABLE {}", self.sql)),
                lock=Lock.ACCESS_EXCLUSIVE,
                on=self.parent or self.sql,
                reversible=False,
                loses=f"every row of {self.schema}.{self.table}",
            ),
        )

    def alter(self, live: Self, site: Site) -> tuple[Change, ...] | None:
        if (self.partition_key, self.parent, self.bound) != (live.partition_key, live.parent, live.bound):
            return None
        changes: list[Change] = []
        if self.comment != live.comment:
            changes.append(
                self._change("comment on", self._comment(), Lock.SHARE_UPDATE_EXCLUSIVE),
            )
        if self.persistence != live.persistence:
            verb = ddl("SET LOGGED") if self.persistence == "p" else ddl("SET UNLOGGED")
            change = self._change("alter", ddl("ALTER TABLE {} {}", self.sql, verb), Lock.ACCESS_EXCLUSIVE)
            changes.append(replace(change, efforts=((Effort.REWRITE, self.sql),)))
        changes += self._alter_options(live)
        return tuple(changes)

    def _alter_options(self, live: Self) -> Iterable[Change]:
        gone = {option.partition("=")[0] for option in live.options} - {o.partition("=")[0] for o in self.options}
        added = tuple(option for option in self.options if option not in live.options)
        if gone:
            names = joined(trusted(name) for name in sorted(gone))
            yield self._change(
                "reset options of", ddl("ALTER TABLE {} RESET ({})", self.sql, names), Lock.SHARE_UPDATE_EXCLUSIVE
            )
        if added:
            yield self._change(
                "set options of", ddl("ALTER TABLE {} SET ({})", self.sql, _options(added)), Lock.SHARE_UPDATE_EXCLUSIVE
            )

    def _change(self, verb: str, statement: Sql, lock: Lock) -> Change:
        return Change(title=f"{verb} {self.key}", statements=(statement,), lock=lock, on=self.sql)


def _options(options: Iterable[str]) -> Sql:
    return joined(trusted(option) for option in options)


def table_key(schema: str, table: str) -> Key:
    """The key of a table."""
    return Key("table", (schema, table))
