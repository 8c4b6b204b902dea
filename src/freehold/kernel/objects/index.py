"""Indexes of any access method; those behind constraints belong to their constraint."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from freehold.kernel.names import Sql, ddl, ident, qualified, shortened, trusted
from freehold.kernel.objects.base import Change, Effort, Key, Lock, Object, Site


@dataclass(frozen=True, kw_only=True)
class Index(Object):
    """An index; ``definition`` is a whole CREATE INDEX statement as ``pg_get_indexdef`` writes it."""

    kind: ClassVar[str] = "index"
    rank: ClassVar[int] = 90

    schema: str
    table: str
    index: str
    definition: str
    valid: bool = True

    @property
    def name(self) -> tuple[str, ...]:
        return (self.schema, self.index)

    @property
    def table_key(self) -> Key:
        """The key of the indexed table."""
        return Key("table", (self.schema, self.table))

    def _more_parents(self) -> tuple[Key, ...]:
        return (Key("view", self.table_key.name),)

    @property
    def _table(self) -> Sql:
        return qualified(self.schema, self.table)

    @property
    def unique(self) -> bool:
        """Whether the index refuses rows."""
        return self.definition.startswith("CREATE UNIQUE ")

    def create(self, site: Site) -> tuple[Change, ...]:
        if self.table_key in site.new or Key("view", self.table_key.name) in site.new:
            change = self._change(f"create {self.key}", self._everywhere, lock=Lock.SHARE)
            return (
                change if site.is_empty(self.table_key) else replace(change, efforts=((Effort.REWRITE, self._table),)),
            )
        if self.table_key in site.partitions:
            return tuple(self._create_by_partition(site.partitions[self.table_key]))
        return (self._build_online(f"create {self.key}", qualified(*self.name), self.definition, self._table),)

    @property
    def _everywhere(self) -> Sql:
        """The catalog writes ON ONLY for a partitioned table, and that would leave out its partitions."""
        return trusted(self.definition.replace(f" {ident(self.index)} ON ONLY ", f" {ident(self.index)} ON ", 1))

    def _create_by_partition(self, partitions: Iterable[Key]) -> Iterator[Change]:
        """An index over the parent alone, then one for each partition without stopping writers, and attached."""
        yield self._change(f"begin {self.key}", trusted(self.definition), lock=Lock.SHARE)
        for partition in partitions:
            part = qualified(*partition.name)
            own = shortened(f"{partition.name[1]}_{self.index}", 63)
            head = f" {ident(self.index)} ON ONLY {self._table} "
            definition = self.definition.replace(head, f" {ident(own)} ON {part} ", 1)
            name = qualified(partition.name[0], own)
            yield self._build_online(f"create {self.key} on {'.'.join(partition.name)}", name, definition, part)
            attach = ddl("ALTER INDEX {} ATTACH PARTITION {}", qualified(*self.name), name)
            yield self._change(f"attach {self.key} on {'.'.join(partition.name)}", attach, lock=Lock.ACCESS_EXCLUSIVE)

    def _build_online(self, title: str, name: Sql, definition: str, on: Sql) -> Change:
        """An interrupted build leaves an invalid index under the name, so every try clears it first."""
        clear = ddl("DROP INDEX CONCURRENTLY IF EXISTS {}", name)
        build = trusted(definition.replace("INDEX ", "INDEX CONCURRENTLY ", 1))
        return replace(self._change(title, clear, build, lock=Lock.SHARE_UPDATE_EXCLUSIVE), transactional=False, on=on)

    def _change(self, title: str, *statements: Sql, lock: Lock) -> Change:
        return Change(title=title, statements=statements, lock=lock, on=self._table)

    def drop(self, site: Site) -> tuple[Change, ...]:
        weakens = f"{self._table} would accept rows that {self.index} refuses" if self.unique else ""
        online = self.table_key not in site.partitions  # a partitioned index goes with those of its partitions
        how = ddl("CONCURRENTLY ") if online else Sql("")
        lock = Lock.SHARE_UPDATE_EXCLUSIVE if online else Lock.ACCESS_EXCLUSIVE
        statement = ddl("DROP INDEX {}{}", how, qualified(*self.name))
        change = self._change(f"drop {self.key}", statement, lock=lock)
        return (replace(change, transactional=not online, weakens=weakens),)
