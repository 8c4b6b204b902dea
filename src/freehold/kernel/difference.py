"""How the declared state and the live one differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from freehold.kernel.objects import Key, Object, Table
from freehold.kernel.online.columns import Filling


@dataclass(frozen=True, slots=True)
class Stranger:
    """An object in a room's scope that nobody declared; it is reported and left alone."""

    key: Key
    room: str


@dataclass
class Difference:
    """What must happen to which key."""

    create: dict[Key, Object] = field(default_factory=dict)
    alter: dict[Key, tuple[Object, Object]] = field(default_factory=dict)
    drop: dict[Key, Object] = field(default_factory=dict)
    strangers: tuple[Stranger, ...] = ()
    groups: list[frozenset[Key]] = field(default_factory=list)
    """Objects that change together, in one moment."""
    moved: dict[Key, Table] = field(default_factory=dict)
    """Plain tables, as they are, whose rows move into partitions."""

    leaving: frozenset[Key] = frozenset()
    """Columns that another one takes the place of; both are there until the contraction."""
    fillings: Mapping[Key, Filling] = field(default_factory=dict)
    """Columns that get their values in batches."""
    shadow: Mapping[Key, Object] = field(default_factory=dict)
    """Objects as they are written over the columns that are filled beside others."""

    @property
    def settled(self) -> bool:
        """Whether nothing has to happen."""
        return not (self.create or self.alter or self.drop)
