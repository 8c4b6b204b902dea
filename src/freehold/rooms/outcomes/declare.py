"""What the user writes: how long the outcomes of keyed transactions are kept, and how much a result may hold."""

from __future__ import annotations

from dataclasses import dataclass

from freehold.errors import DeclarationError
from freehold.kernel.declare import seconds_of

LARGEST = 16 * 1024 * 1024
"""A result is stored by every keyed transaction and read by every retry: more belongs in a table of its own."""


@dataclass(frozen=True)
class Outcomes:
    """A definite answer to whether a keyed transaction was committed, with its result.

    Parameters
    ----------
    keep
        How long an outcome is kept. A call that is repeated later runs again, so that it must be longer than any caller
        retries.
    largest_result
        The most bytes that a stored result may have as JSON text.

    >>> Outcomes(keep="90 days").largest_result
    65536
    """

    keep: str = "30 days"
    largest_result: int = 65536

    def __post_init__(self) -> None:
        if seconds_of(self.keep) < 1:
            raise DeclarationError("Outcomes(keep=...) keeps nothing", hint="Write a duration such as 30 days.")
        if not 2 <= self.largest_result <= LARGEST:
            raise DeclarationError(
                f"Outcomes(largest_result={self.largest_result}) is not a size",
                hint=f"Write a number of bytes from 2 to {LARGEST}.",
            )
