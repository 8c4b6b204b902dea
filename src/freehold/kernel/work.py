"""What happens to one object: a node of the order in which a plan's steps come."""

from __future__ import annotations

from typing import NamedTuple

from freehold.kernel.objects import Change, Key, Object


class Work(NamedTuple):
    """What happens to one key, with its changes; ``verb`` is drop, make or alter."""

    key: Key
    verb: str
    item: Object
    changes: tuple[Change, ...]
