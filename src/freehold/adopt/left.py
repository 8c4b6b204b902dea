"""What is left alone, as a reader wants it told: each object, and a property that many have only once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from freehold.kernel.objects import Key

FEW = 5
"""Objects with the same unmanaged property that are named one by one."""


def lines(left: Mapping[Key, str]) -> Iterator[tuple[str, str]]:
    """``(object, reason)`` of each; a property of more than a few objects is counted."""
    properties: dict[str, list[Key]] = {}
    for key, reason in sorted(left.items()):
        if _is_property(key):
            properties.setdefault(key.kind, []).append(key)
        else:
            yield str(key), reason
    for kind, keys in properties.items():
        if len(keys) > FEW:
            yield f"{kind} of {len(keys)} objects", left[keys[0]]
        else:
            yield from ((str(key), left[key]) for key in keys)


def _is_property(key: Key) -> bool:
    return len(key.name) == 1 and key.name[0].startswith("of ")
