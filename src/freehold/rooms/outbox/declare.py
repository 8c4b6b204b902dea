"""What the user writes: how long delivered messages are kept, how much one may hold, and whether a relay is woken."""

from __future__ import annotations

from dataclasses import dataclass

from freehold.errors import DeclarationError
from freehold.kernel.declare import seconds_of

LARGEST = 16 * 1024 * 1024
"""What is larger is sent by reference."""


@dataclass(frozen=True)
class Outbox:
    """Messages that are sent if and only if their transaction commits.

    Parameters
    ----------
    keep
        How long a delivered message is kept. Dead letters stay until somebody requeues them.
    largest_payload
        The most bytes that a payload may have as JSON text.
    wake
        Whether a commit wakes the relays at once by NOTIFY. PostgreSQL serialises the commits of all transactions that
        notify; without it messages wait for the relay's next poll.

    >>> Outbox(keep="2 days").largest_payload
    262144
    """

    keep: str = "7 days"
    largest_payload: int = 262144
    wake: bool = True

    def __post_init__(self) -> None:
        seconds_of(self.keep)
        if not 2 <= self.largest_payload <= LARGEST:
            raise DeclarationError(
                f"Outbox(largest_payload={self.largest_payload}) is not a size",
                hint=f"Write a number of bytes from 2 to {LARGEST}.",
            )
