"""An order in which everything comes after what it needs."""

from __future__ import annotations

import heapq
from collections.abc import Mapping

from freehold.kernel.objects import Key


def topological(needs: Mapping[Key, set[Key]], rank: Mapping[Key, int]) -> list[Key]:
    """Kahn's algorithm with a heap: needs first, and among the free ones the lowest rank, then the earliest.

    A cycle is broken at its lowest rank, so that the result always has every key once.
    """
    position = {key: number for number, key in enumerate(needs)}
    waiting = {key: set(found) - {key} for key, found in needs.items()}
    waiters: dict[Key, list[Key]] = {}
    for key, found in waiting.items():
        for need in found:
            waiters.setdefault(need, []).append(key)
    heap = [(rank[key], position[key], key) for key, found in waiting.items() if not found]
    heapq.heapify(heap)
    result: list[Key] = []
    done: set[Key] = set()
    while len(result) < len(needs):
        if not heap:
            stuck = min((key for key in needs if key not in done), key=lambda key: (rank[key], position[key]))
            heap.append((rank[stuck], position[stuck], stuck))
        _, _, key = heapq.heappop(heap)
        if key in done:
            continue
        done.add(key)
        result.append(key)
        for waiter in waiters.get(key, ()):
            waiting[waiter].discard(key)
            if not waiting[waiter] and waiter not in done:
                heapq.heappush(heap, (rank[waiter], position[waiter], waiter))
    return result
