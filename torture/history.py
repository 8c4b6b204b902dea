"""Histories of list-append transactions: what each client asked for, what it was told, and when."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal, NamedTuple

Key = Hashable
Element = int


class Status(Enum):
    """What the client knows of a transaction's end."""

    OK = "ok"
    FAIL = "fail"
    INFO = "info"  # the reply was lost: committed or not


class Operation(NamedTuple):
    """One step: an element appended to a key's list, or a list that was read."""

    kind: Literal["append", "read"]
    key: Key
    value: Element | tuple[Element, ...] | None


def append(key: Key, element: Element) -> Operation:
    """The element was appended to the key's list; no other append of a history has the same key and element."""
    return Operation("append", key, element)


def read(key: Key, elements: Sequence[Element] | None) -> Operation:
    """The key's list was read; None where the answer never came."""
    return Operation("read", key, None if elements is None else tuple(elements))


@dataclass(slots=True)
class Transaction:
    """One transaction, as its client saw it.

    Parameters
    ----------
    operations
        Its steps, in their order.
    status
        How it ended.
    process
        The client; one client's transactions follow each other.
    started, ended
        Moments of one monotonic clock in nanoseconds: not after its first step, and not before its reply.
    """

    operations: list[Operation] = field(default_factory=list)
    status: Status = Status.OK
    process: int = 0
    started: int = 0
    ended: int = 0


History = Sequence[Transaction]
