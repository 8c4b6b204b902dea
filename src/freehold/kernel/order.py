"""The order of a plan: what happens to each object, and which of it must come first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from freehold.kernel.compile import Declared
from freehold.kernel.diff import Difference, site_of
from freehold.kernel.objects import Change, Constraint, Grant, Key, Object, Table
from freehold.kernel.observe import Catalog
from freehold.kernel.topological import topological


class Work(NamedTuple):
    """One node of the ordering: what happens to one key, with its changes."""

    key: Key
    verb: str
    item: Object
    changes: tuple[Change, ...]


def works_of(found: Difference, live: Catalog, begun: frozenset[Key]) -> dict[Key, Work]:
    """Nodes by an ordering key: a replaced object has two, its drop and its creation.

    ``begun`` is what a first plan that never ended was to make.
    """
    new = frozenset(key for key in found.create if key not in live.objects)
    site = site_of(live, new, begun)
    works: dict[Key, Work] = {}
    for key, item in found.drop.items():
        works[_node("drop", key)] = Work(key, "drop", item, item.drop(site))
    for key, item in found.create.items():
        before = live.objects.get(key)
        made = _given_again(item, before, item.create(site))
        weakens = item.weaker_than(before, site) if before is not None and before != item else ""
        works[_node("make", key)] = Work(key, "make", item, _marked(made, weakens))
    for key, (old, item) in found.alter.items():
        works[_node("make", key)] = Work(key, "alter", item, item.alter(old, site) or ())
    return works


def _given_again(item: Object, before: Object | None, changes: tuple[Change, ...]) -> tuple[Change, ...]:
    """A right on what is made anew, such as a view whose column changes its type, is no wider than it was."""
    if not (isinstance(item, Grant) and isinstance(before, Grant)):
        return changes
    wider = not set(item.privileges) <= set(before.privileges) or item.grantable > before.grantable
    return changes if wider else tuple(replace(change, weakens="") for change in changes)


def _marked(changes: tuple[Change, ...], weakens: str) -> tuple[Change, ...]:
    """The changes, of which the first says what guard is weaker."""
    if not weakens or not changes or changes[0].weakens:
        return changes
    return (replace(changes[0], weakens=weakens), *changes[1:])


def _node(verb: str, key: Key) -> Key:
    return Key(verb, (key.kind, *key.name))


def in_order(works: Mapping[Key, Work], desired: Catalog, live: Catalog, declared: Declared) -> Iterator[Work]:
    """The nodes in an order that the catalog's own dependencies allow, creations before drops where both do."""
    needs: dict[Key, set[Key]] = {node: set() for node in works}
    for node, work in works.items():
        if work.verb == "drop":
            _order_drop(node, work, works, needs, live)
        else:
            _order_make(node, work, works, needs, desired, declared)
            if work.verb == "alter":
                _order_leaving(node, work, works, needs, live)
    _order_names(works, needs)
    rank = {node: 1000 - w.item.rank if w.verb == "drop" else w.item.rank for node, w in works.items()}
    return (works[node] for node in topological(needs, rank))


def _order_drop(node: Key, work: Work, works: Mapping[Key, Work], needs: dict[Key, set[Key]], live: Catalog) -> None:
    """A drop comes before whatever happens to the things that the object needs."""
    needed = {*live.needs.get(work.key, ()), *work.item.parents}
    # A column that goes with its table has no step of its own.
    for need in needed | {Key("table", need.name[:2]) for need in needed if need.kind == "column"}:
        for verb in ("drop", "make"):
            other = _node(verb, need)
            if other in works and (verb == "drop" or works[other].verb == "alter"):
                needs[other].add(node)
    made = _node("make", work.key)
    if made in works:
        needs[made].add(node)


def _order_make(
    node: Key,
    work: Work,
    works: Mapping[Key, Work],
    needs: dict[Key, set[Key]],
    desired: Catalog,
    declared: Declared,
) -> None:
    """A creation or change comes after whatever is made of the things that the object needs."""
    after = declared.objects[work.key].after if work.key in declared.objects else ()
    written = [column.key for column in work.item.columns] if isinstance(work.item, Table) else []
    needed = {need for key in (work.key, *written) for need in desired.needs.get(key, ())}
    for need in {*needed, *work.item.parents, *after}:
        for candidate in (need, Key("table", need.name[:2])) if need.kind == "column" else (need,):
            other = _node("make", candidate)
            if other in works and other != node:
                needs[node].add(other)


def _order_leaving(node: Key, work: Work, works: Mapping[Key, Work], needs: dict[Key, set[Key]], live: Catalog) -> None:
    """A change that no longer needs a thing comes before that thing's drop."""
    for need in live.needs.get(work.key, ()):
        other = _node("drop", need)
        if other in works:
            needs[other].add(node)


def _order_names(works: Mapping[Key, Work], needs: dict[Key, set[Key]]) -> None:
    """Tables, views, sequences and indexes, those of constraints too, share their names: one goes before one comes."""
    leaving = {_relation(work.item): node for node, work in works.items() if work.verb == "drop"}
    for node, work in works.items():
        name = _relation(work.item)
        if name and work.verb == "make" and name in leaving:
            needs[node].add(leaving[name])


def _relation(item: Object) -> tuple[str, ...]:
    """The name under which ``pg_class`` has the object, or nothing."""
    if isinstance(item, Constraint):
        return (item.schema, item.constraint) if item.type in "pux" else ()
    return item.name if item.kind in {"table", "view", "sequence", "index"} else ()
