"""The hash tree of RFC 6962, section 2.1: one root for many entries, in one pass, with one hash a level in memory."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256


def leaf(entry: bytes) -> bytes:
    """The hash of an entry, apart from every hash of two hashes."""
    return sha256(b"\x00" + entry).digest()


def root(leaves: Iterable[bytes]) -> bytes:
    """The root over leaves in their order; of none, the hash of nothing.

    >>> root([]).hex()[:8]
    'e3b0c442'
    """
    stack: list[tuple[int, bytes]] = []
    for hashed in leaves:
        level = 0
        while stack and stack[-1][0] == level:
            hashed = sha256(b"\x01" + stack.pop()[1] + hashed).digest()
            level += 1
        stack.append((level, hashed))
    if not stack:
        return sha256().digest()
    top = stack.pop()[1]
    while stack:
        top = sha256(b"\x01" + stack.pop()[1] + top).digest()
    return top
