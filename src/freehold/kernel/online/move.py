"""A plain table becomes a partitioned one: which objects that takes, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.errors import PlanError
from freehold.kernel.difference import Difference
from freehold.kernel.names import trusted
from freehold.kernel.objects import Column, Constraint, Key, Table
from freehold.kernel.observe import Catalog
from freehold.kernel.online.names import OURS


def find_moved(result: Difference, live: Catalog, desired: Catalog) -> dict[Key, frozenset[Key]]:
    """Tables whose rows move, each with the objects on it, which are all made anew for its successor.

    Raises
    ------
    PlanError
        Something stands on the table that nobody declared, or it changes in other ways too.
    """
    moved = {}
    for key, (old, new) in list(result.alter.items()):
        if isinstance(old, Table) and isinstance(new, Table) and _is_cut(old, new):
            tables = {key, *(k for k, item in desired.objects.items() if _part_of(item, new))}
            own = {k for k, item in desired.objects.items() if k in tables or not tables.isdisjoint(item.parents)}
            _refuse_strangers(key, own, live, desired)
            _refuse_changes(key, live, desired)
            del result.alter[key]
            for one in own:
                result.alter.pop(one, None)
                result.drop.pop(one, None)
                result.create[one] = desired.objects[one]
            for gone in [k for k, item in result.drop.items() if key in item.parents]:
                del result.drop[gone]  # it goes with the old table
            result.moved[key] = old
            moved[key] = frozenset(own)
    return moved


def _is_cut(old: Table, new: Table) -> bool:
    return not (old.partition_key or old.parent or new.parent) and bool(new.partition_key)


def _part_of(item: object, whole: Table) -> bool:
    return isinstance(item, Table) and trusted(item.parent) == whole.sql


def _refuse_strangers(key: Key, own: set[Key], live: Catalog, desired: Catalog) -> None:
    """What nobody declared would stay behind, on rows that are no longer written."""
    on = {k for k, item in live.objects.items() if k == key or key in item.parents}
    standing = {k for k, needs in live.needs.items() if not needs.isdisjoint(on)}
    unsaid = {k for k in (on | standing) - set(desired.objects) if k.kind not in {"owner", "row_security"}}
    lost = sorted(str(k) for k in unsaid if not k.name[-1].startswith(OURS))
    if lost:
        raise PlanError(
            f"{key} cannot be cut into partitions while {', '.join(lost)} is on it",
            hint="Nobody declared it, so that it would be lost. Declare it or drop it, and plan again.",
        )


def _refuse_changes(key: Key, live: Catalog, desired: Catalog) -> None:
    changed = sorted(_changed(key, live, desired))
    if changed:
        raise PlanError(
            f"{key} cannot be cut into partitions and changed in one plan: {', '.join(changed)}",
            hint="Apply these first with the table as it is, then cut it.",
        )
    keys = [item for item in live.objects.values() if isinstance(item, Constraint) and item.table_key == key]
    if not any(item.type == "p" for item in keys):
        raise PlanError(
            f"{key} has no primary key, so that its rows cannot be brought into partitions one by one",
            hint="Declare a primary key and apply, then cut it.",
        )
    table = desired.objects[key]
    assert isinstance(table, Table)
    if any(item.type == "f" and f" REFERENCES {table.sql}(" in item.definition for item in keys):
        raise PlanError(
            f"{key} refers to itself, so that it cannot be cut into partitions while it is used",
            hint="Take the foreign key out, cut the table, and add the key again.",
        )


def _changed(key: Key, live: Catalog, desired: Catalog) -> Iterator[str]:
    for k in {*live.objects, *desired.objects}:
        if k.kind == "column" and Key("table", k.name[:2]) == key:
            old, new = live.objects.get(k), desired.objects.get(k)
            assert old is None or isinstance(old, Column)
            if old != new:
                yield str(k)
