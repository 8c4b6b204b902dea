"""One item ahead of its consumer, so that the client prepares a batch while the server works on the one before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Iterable[T]) -> Iterator[T]:
    """Yield ``items`` in order, making the next one in a thread meanwhile; never more than one is kept waiting."""
    source = iter(items)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="ahead") as pool:
        coming = pool.submit(_take, source)
        while item := coming.result():
            coming = pool.submit(_take, source)
            yield item[0]


def _take(source: Iterator[T]) -> tuple[T] | None:
    for item in source:
        return (item,)
    return None
