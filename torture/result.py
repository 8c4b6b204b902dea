"""What a harness found: how much it ran, what was wrong, and whether it saw the defects planted for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One run of one harness.

    Parameters
    ----------
    name
        The harness, and the part of it where it has several: "append serializable".
    size
        How many cases, transactions or checks it ran.
    seed
        What its random choices began with; the same seed makes the same choices.
    violations
        How many promises were seen broken.
    seconds
        By the clock.
    defects_seeded, defects_caught
        Defects planted on purpose, and those of them that the same checks found.
    notes
        Figures beside the verdict, in a sentence or two.
    """

    name: str
    size: int
    seed: int
    violations: int
    seconds: float
    defects_seeded: int
    defects_caught: int
    notes: str = ""

    @property
    def held(self) -> bool:
        """Whether nothing was broken, by checks that are known to see what is."""
        return self.size > 0 and self.violations == 0 and 0 < self.defects_seeded == self.defects_caught
