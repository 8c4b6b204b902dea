"""Foreign keys that close a circle of tables: SQLAlchemy cannot order the tables by all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from freehold.adopt.constraints import foreign_key
from freehold.kernel.objects import Constraint, Key


def closing_keys(tables: Iterable[Key], constraints: Iterable[Constraint]) -> frozenset[Key]:
    """The foreign keys without which no table refers to itself by way of others."""
    edges: dict[Key, list[tuple[Key, Key]]] = {}
    for item in constraints:
        target = foreign_key(item) if item.type == "f" else None
        if target is not None and Key("table", target.table) != item.table_key:
            edges.setdefault(item.table_key, []).append((item.key, Key("table", target.table)))
    closing: set[Key] = set()
    done: set[Key] = set()
    for table in tables:
        _walk(table, edges, done, closing)
    return frozenset(closing)


def _walk(start: Key, edges: Mapping[Key, list[tuple[Key, Key]]], done: set[Key], closing: set[Key]) -> None:
    """Go down from a table; a key that leads back into the present path closes a circle."""
    path: list[tuple[Key, int]] = [(start, 0)] if start not in done else []
    on_path = {start}
    while path:
        table, number = path.pop()
        following = edges.get(table, [])
        if number == len(following):
            done.add(table)
            on_path.discard(table)
            continue
        path.append((table, number + 1))
        key, target = following[number]
        if target in on_path:
            closing.add(key)
        elif target not in done:
            path.append((target, 0))
            on_path.add(target)
