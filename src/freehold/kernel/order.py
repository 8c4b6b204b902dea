"""The order of a plan: what happens to each object, and which of it must come first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from freehold.kernel.compile import Declared
from freehold.kernel.diff import site_of
from freehold.kernel.difference import Difference
from freehold.kernel.objects import (
    Change,
    Column,
    Constraint,
    Grant,
    Key,
    Lock,
    Object,
    Policy,
    RowSecurity,
    Site,
    Stage,
    Table,
)
from freehold.kernel.observe import Catalog
from freehold.kernel.online.columns import Filling, added, parted, retyped
from freehold.kernel.online.group import closed, contracted, disjoint, reached
from freehold.kernel.online.moving import moving
from freehold.kernel.online.swap import swapped
from freehold.kernel.topological import topological
from freehold.kernel.work import Work

LAST = 180
"""The rank of a trigger on a table that is written: what it calls has all its rights by then."""
CONTRACTED = frozenset(
    {"table", "column", "view", "function", "sequence", "enum", "domain", "schema", "extension", "role"}
)
"""Kinds that an older version of the application may still use: they wait for the contraction."""


def site_of_works(found: Difference, live: Catalog, begun: frozenset[Key]) -> Site:
    """Where the plan happens: what it makes, successors of tables that are there among it."""
    new = {key for key in found.create if key not in live.objects}
    moved = {key for group in found.groups if not group.isdisjoint(found.moved) for key in group}
    return site_of(live, frozenset(new | {key for key in moved if key.kind == "table"}), begun)


def works_of(found: Difference, live: Catalog, begun: frozenset[Key]) -> dict[Key, Work]:
    """Nodes by an ordering key: a replaced object has two, its drop and its creation.

    ``begun`` is what a plan that never ended was making.
    """
    site = site_of_works(found, live, begun)
    works: dict[Key, Work] = {}
    for key, item in found.drop.items():
        changes = item.drop(site)
        if key in found.leaving:
            changes = tuple(each for change in changes for each in _left(change, key, found))
        if key.kind in CONTRACTED and key not in found.create:
            changes = tuple(replace(change, stage=Stage.CONTRACT) for change in changes)
        works[_node("drop", key)] = Work(key, "drop", item, changes)
    for key, item in found.create.items():
        before = live.objects.get(key)
        filling = found.fillings.get(key)
        made = _given_again(item, before, _filled(filling, site) if filling else item.create(site))
        weakens = item.weaker_than(before, site) if before is not None and before != item else _opened(item, live, site)
        works[_node("make", key)] = Work(key, "make", item, _marked(made, weakens))
    for key, (old, item) in found.alter.items():
        works[_node("make", key)] = Work(key, "alter", item, _altered(item, old, found.fillings.get(key), site))
    for key, filling in found.fillings.items():
        if _node("make", key) not in works and not filling.finished:
            works[_node("make", key)] = Work(key, "alter", filling.column, added(filling, there=True))
    return works


def _opened(item: Object, live: Catalog, site: Site) -> str:
    """The guard that is weaker where a policy comes to a table that others guard already."""
    if not isinstance(item, Policy) or site.makes(item.table_key):
        return ""
    security = live.objects.get(Key("row_security", item.table_key.name))
    if not isinstance(security, RowSecurity) or not security.enabled:
        return ""
    policies = (other for other in live.objects.values() if isinstance(other, Policy))
    return item.admits_beyond(other for other in policies if other.table_key == item.table_key)


def _filled(filling: Filling, site: Site) -> tuple[Change, ...]:
    """A new column, the values that it gets, and what it requires of them."""
    column = filling.column
    changes = [*added(filling, there=False), *(column.required(site) if column.not_null else ())]
    if column.identity:
        changes.append(filling.change("begin identity of", Lock.ACCESS_EXCLUSIVE, *column.begun_identity()))
    return tuple(changes)


def _altered(item: Object, old: Object, filling: Filling | None, site: Site) -> tuple[Change, ...]:
    if filling is None or not isinstance(item, Column) or not isinstance(old, Column):
        return item.alter(old, site) or ()
    if filling.into == item.column:
        return (*(() if filling.finished else added(filling, there=True)), *(item.alter(old, site) or ()))
    beside = replace(item, column=filling.into)
    return retyped(filling, old, beside.required(site)[:2] if item.not_null else ())


def _left(change: Change, key: Key, found: Difference) -> tuple[Change, ...]:
    """A column goes whose values another one has."""
    name, table = key.name[2], key.name[:2]
    (filling,) = (f for f in found.fillings.values() if f.old == name and f.column.table_key.name == table)
    was = found.drop[key]
    return parted(filling, change, same_type=isinstance(was, Column) and was.type == filling.column.type)


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


def in_order(
    works: Mapping[Key, Work], found: Difference, desired: Catalog, live: Catalog, declared: Declared, site: Site
) -> Iterator[Work]:
    """The nodes in an order that the catalog's own dependencies allow, creations before drops where both do.

    What changes in one moment comes as few works that take each other's place.
    """
    needs: dict[Key, set[Key]] = {node: set() for node in works}
    for node, work in works.items():
        if work.verb == "drop":
            _order_drop(node, work, works, needs, live)
        else:
            _order_make(node, work, works, needs, desired, declared)
            if work.verb == "alter":
                _order_leaving(node, work, works, needs, live)
    _order_functions(works, needs, desired)
    _order_fillings(works, needs, found)
    _order_owners(works, needs)
    _order_names(works, needs)
    rank = {node: _rank(work, site) for node, work in works.items()}
    works = _with_waiting(works, needs)
    together = [_nodes(group, works) for group in found.groups]
    groups = disjoint(closed(group, needs) for group in disjoint(group for group in together if len(group) > 1))
    reduced, ranks, heads = contracted(needs, rank, groups)
    for node in topological(reduced, ranks):
        group = heads.get(node)
        if group is None:
            yield works[node]
            continue
        within = {member: needs[member] & group for member in works if member in group}
        members = [works[member] for member in topological(within, {member: rank[member] for member in within})]
        moved = next((key for key in found.moved if _node("make", key) in group), None)
        if moved:
            yield from moving(moved, members, found, live, desired, site)
        else:
            yield from swapped(members, found, live, desired, site)


def _rank(work: Work, site: Site) -> int:
    """Creations in the order of their kinds, then drops in the opposite one."""
    if work.verb == "drop":
        return 1000 - work.item.rank
    live = work.key.kind == "trigger" and not site.new.intersection(work.item.parents)
    return LAST if live else work.item.rank


def _with_waiting(works: Mapping[Key, Work], needs: Mapping[Key, set[Key]]) -> Mapping[Key, Work]:
    """What can come only after a contraction, such as a view under the name of a dropped table, waits with it."""
    waiting = {n for n, work in works.items() if any(change.stage is Stage.CONTRACT for change in work.changes)}
    if not waiting:
        return works
    needed_by: dict[Key, set[Key]] = {}
    for node, found in needs.items():
        for need in found:
            needed_by.setdefault(need, set()).add(node)
    late = reached(waiting, needed_by) - waiting
    return {node: _contracting(work) if node in late else work for node, work in works.items()}


def _contracting(work: Work) -> Work:
    return work._replace(changes=tuple(replace(change, stage=Stage.CONTRACT) for change in work.changes))


def _nodes(keys: frozenset[Key], works: Mapping[Key, Work]) -> frozenset[Key]:
    return frozenset(node for key in keys for node in (_node("drop", key), _node("make", key)) if node in works)


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


def _order_functions(works: Mapping[Key, Work], needs: dict[Key, set[Key]], desired: Catalog) -> None:
    """A function is changed after the columns that come, and before those that go: its body names them."""
    functions = [node for node, work in works.items() if work.key.kind == "function" and work.verb != "drop"]
    for node, work in works.items():
        if work.key.kind == "column" and work.verb == "make":
            needed = desired.needs.get(work.key, frozenset())
            for function in functions:
                if works[function].verb == "alter" and works[function].key not in needed:
                    needs[function].add(node)
        elif work.key.kind == "column" and work.verb == "drop" and _node("make", work.key) not in works:
            needs[node].update(functions)


def _order_owners(works: Mapping[Key, Work], needs: dict[Key, set[Key]]) -> None:
    """A sequence of a column has its table's owner, and takes a new one with it alone."""
    owners = [node for node, work in works.items() if work.key.kind == "owner" and work.verb != "drop"]
    tables = {node for node in owners if works[node].key.name[0] == "table"}
    for node in owners:
        if works[node].key.name[0] == "sequence":
            needs[node] |= tables


def _order_fillings(works: Mapping[Key, Work], needs: dict[Key, set[Key]], found: Difference) -> None:
    """A value may be made of a column that has another name now: that one is filled first."""
    for key, filling in found.fillings.items():
        node = _node("make", key)
        if node in works and not filling.old:
            for other, renamed in found.fillings.items():
                if renamed.old and renamed.table == filling.table and _node("make", other) in works:
                    needs[node].add(_node("make", other))


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
