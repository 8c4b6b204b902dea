"""What an attacker knows, and how he draws from it."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """What the attacker knows: whose transaction he is in, whose rows he wants, and what the catalog tells him."""

    own: int
    wanted: Sequence[int]
    relations: Sequence[str]
    functions: Sequence[str]
    roles: Sequence[str]
    key_id: str
    now: float


@dataclass(frozen=True)
class Draw:
    """Draws by a seeded generator, so that the same seed attacks in the same way."""

    target: Target
    choice: random.Random

    def pick(self, *ways: Callable[[], str]) -> str:
        """One of these ways, followed."""
        return self.choice.choice(ways)()

    def one(self, values: Sequence[str]) -> str:
        """One of these texts."""
        return self.choice.choice(values)

    @property
    def stranger(self) -> int:
        """A tenant that is not his."""
        return self.choice.choice(self.target.wanted)

    @property
    def relation(self) -> str:
        """A table or view that he may read."""
        return self.one(self.target.relations)
