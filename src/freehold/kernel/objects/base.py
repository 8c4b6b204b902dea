"""What every kind of PostgreSQL object has in common: a key, how it is written, and what a change of it costs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar, NamedTuple, Self

from freehold.kernel.names import Sql
from freehold.kernel.online.batch import Batch


class Lock(StrEnum):
    """Table-level locks, weakest first (PostgreSQL manual, section 13.3.1)."""

    NONE = "none"
    ACCESS_SHARE = "ACCESS SHARE"
    ROW_SHARE = "ROW SHARE"
    ROW_EXCLUSIVE = "ROW EXCLUSIVE"
    SHARE_UPDATE_EXCLUSIVE = "SHARE UPDATE EXCLUSIVE"
    SHARE = "SHARE"
    SHARE_ROW_EXCLUSIVE = "SHARE ROW EXCLUSIVE"
    EXCLUSIVE = "EXCLUSIVE"
    ACCESS_EXCLUSIVE = "ACCESS EXCLUSIVE"


class Stage(StrEnum):
    """Where a change stands on the way from the old shape to the new one (expand and contract, as the field has it).

    Old and new versions of an application run side by side from the first expansion until the contraction, which waits
    for a command of its own.
    """

    EXPAND = "expand"
    BACKFILL = "backfill"
    VALIDATE = "validate"
    SWITCH = "switch"
    CONTRACT = "contract"


class Effort(StrEnum):
    """What PostgreSQL does with the rows of a table while it holds a step's lock."""

    SCAN = "reads every row"
    REWRITE = "writes every row"


class Key(NamedTuple):
    """What tells one object from every other in the database."""

    kind: str
    name: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.kind} {'.'.join(part for part in self.name if part)}"


@dataclass(frozen=True, slots=True)
class Undo:
    """What takes a change back, with what that would cost."""

    title: str
    statements: tuple[Sql, ...]
    transactional: bool = True
    loses: str = ""
    weakens: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Statements that run in one transaction, with what they lock and what they cost.

    ``loses`` names the data that is gone afterwards, ``weakens`` the guard that is weaker; both are empty for a step
    that needs no flag. ``transactional`` is false for a statement that PostgreSQL refuses inside a transaction block.
    ``batch`` takes the place of the statements where rows are changed a few at a time. ``efforts`` says over which
    tables, as ``on`` names them, the statements go while the lock is held. ``undo`` takes the change back.
    """

    title: str
    statements: tuple[Sql, ...]
    lock: Lock = Lock.NONE
    on: str = ""
    transactional: bool = True
    reversible: bool = True
    loses: str = ""
    weakens: str = ""
    stage: Stage = Stage.EXPAND
    prepares: bool = False
    """Whether it comes before the moment in which the group that it belongs to changes places."""
    batch: Batch | None = None
    efforts: tuple[tuple[Effort, str], ...] = ()
    undo: tuple[Undo, ...] = ()

    @property
    def shown(self) -> tuple[Sql, ...]:
        """What psql would take to do the same."""
        return (self.batch.loop(), *self.statements) if self.batch else self.statements

    @property
    def in_block(self) -> bool:
        """Whether psql needs a transaction block around it; batches commit by themselves."""
        return self.transactional and self.batch is None and len(self.shown) > 1


@dataclass(frozen=True, slots=True)
class Site:
    """Where a change happens: which database, and which objects the same plan makes.

    On a table of ``new`` nobody waits for a lock, so that the plain statement may be used where a live table needs the
    online one. ``partitions`` gives the partitions of each live partitioned table, on which PostgreSQL builds an index
    one by one. ``begun`` is what a plan that never ended was making: a grant on it is no wider than that plan.
    """

    database: str
    version: int
    new: frozenset[Key] = frozenset()
    partitions: Mapping[Key, tuple[Key, ...]] = field(default_factory=dict)
    begun: frozenset[Key] = frozenset()

    built: frozenset[Key] = frozenset()
    """What is there with its rows, and treated as new, since all of it happens in one moment."""

    def is_empty(self, table: Key) -> bool:
        """Whether a table is new and has no rows yet."""
        return table in self.new and table not in self.built

    def makes(self, key: Key) -> bool:
        """Whether this plan, or the unfinished one that it takes up, makes an object."""
        return key in self.new or key in self.begun


@dataclass(frozen=True, kw_only=True)
class Object(ABC):
    """One PostgreSQL object, as declared or as the catalog has it.

    ``room`` and ``reason`` say who declared it and why; ``after`` names declared objects that must exist before it.
    None of the three is compared.
    """

    kind: ClassVar[str]
    rank: ClassVar[int]
    shared: ClassVar[bool] = False
    """True for objects of the whole cluster, which a scratch database would show as they are, not as declared."""

    room: str = field(default="", compare=False)
    reason: str = field(default="", compare=False)
    after: tuple[Key, ...] = field(default=(), compare=False)

    @property
    @abstractmethod
    def name(self) -> tuple[str, ...]:
        """The parts of the key below the kind."""

    @property
    def key(self) -> Key:
        """The identity under which declared and live state are compared."""
        return Key(self.kind, self.name)

    @property
    def parents(self) -> tuple[Key, ...]:
        """What must be there first, as far as names alone tell; the catalog tells the rest."""
        schema = getattr(self, "schema", "")
        table = getattr(self, "table_key", None)
        return (*([Key("schema", (schema,))] if schema else ()), *([table] if table else ()), *self._more_parents())

    def _more_parents(self) -> tuple[Key, ...]:
        return ()

    @classmethod
    def from_row(cls, row: Sequence[Any]) -> Self:
        """Read one catalog row; its columns are this kind's fields in their order."""
        values: Iterator[Any] = (tuple(value) if isinstance(value, list) else value for value in row)
        # A large catalog has tens of thousands of rows, and a frozen dataclass's __init__ is most of reading one.
        item = object.__new__(cls)
        item.__dict__.update(cls._unread())
        item.__dict__.update(zip(cls.read_fields(), values, strict=True))
        return item

    @classmethod
    @cache
    def _unread(cls) -> dict[str, Any]:
        """The fields that the catalog does not have, with their defaults, which are immutable."""
        found = (item for item in fields(cls) if not item.compare)
        return {item.name: item.default_factory() if callable(item.default_factory) else item.default for item in found}

    @classmethod
    @cache
    def read_fields(cls) -> tuple[str, ...]:
        """The fields that the catalog has."""
        return tuple(item.name for item in fields(cls) if item.compare)

    def to_row(self) -> list[Any]:
        """The fields that the catalog has, in their order."""
        held = self.__dict__
        return [held[name] for name in self.read_fields()]

    @abstractmethod
    def create(self, site: Site) -> tuple[Change, ...]:
        """What makes the object."""

    @abstractmethod
    def drop(self, site: Site) -> tuple[Change, ...]:
        """What removes it."""

    def weaker_than(self, live: Self, site: Site) -> str:
        """The guard that is weaker where this takes the place of ``live``, dropped and created."""
        return next((change.weakens for change in self.alter(live, site) or () if change.weakens), "")

    def alter(self, live: Self, site: Site) -> tuple[Change, ...] | None:
        """What turns ``live`` into this, or None where only dropping and creating does."""
        return None
