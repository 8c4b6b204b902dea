"""Compare catalog with catalog: what is missing, what differs, what is no longer declared, and who is a stranger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from freehold.errors import DeclarationError, PlanError
from freehold.kernel.compile import Declared
from freehold.kernel.difference import Difference, Stranger
from freehold.kernel.names import trusted
from freehold.kernel.objects import Column, Constraint, DefaultPrivilege, Grant, Key, Object, Site, Table, Trigger
from freehold.kernel.objects.width import rewrites
from freehold.kernel.observe import Catalog
from freehold.kernel.online.group import disjoint
from freehold.kernel.online.move import find_moved

VANISH_WITH_PARENT = frozenset({"column", "constraint", "index", "trigger", "policy", "row_security", "grant", "owner"})
"""Kinds that PostgreSQL removes together with the object that they are on."""

PARTITION = "partition"
"""The kind of a scope that names a table: its room takes partitions away that are no longer declared."""

BROKEN_BY_RETYPE = frozenset({"view", "policy", "trigger", "function"})
"""Kinds that keep PostgreSQL from changing the type of a column that they read; generated columns do too."""


def site_of(live: Catalog, new: frozenset[Key], begun: frozenset[Key] = frozenset()) -> Site:
    """Where a plan happens: the live database, with what is new in it."""
    partitions: dict[Key, tuple[Key, ...]] = {}
    by_sql = {item.sql: key for key, item in live.objects.items() if isinstance(item, Table) and item.partition_key}
    for key, item in live.objects.items():
        if isinstance(item, Table) and item.parent:
            parent = by_sql[trusted(item.parent)]
            partitions[parent] = (*partitions.get(parent, ()), key)
    return Site(
        database=live.database,
        version=live.version,
        new=new,
        begun=begun,
        partitions={key: partitions.get(key, ()) for key in by_sql.values()},
    )


def desired_state(declared: Declared, built: Catalog) -> Catalog:
    """The declared objects as the catalog writes them; those of the whole cluster as they were declared.

    Raises
    ------
    DeclarationError
        The catalog knows a declared object under another name than the declaration says.
    """
    objects: dict[Key, Object] = {}
    for key, item in declared.objects.items():
        found = item if item.shared else built.objects.get(key)
        if found is not None:
            objects[key] = found
        elif not _may_be_absent(item, declared):
            raise _misnamed(item, built)
    return Catalog(version=built.version, database=built.database, objects=objects, needs=built.needs)


def _may_be_absent(item: Object, declared: Declared) -> bool:
    if isinstance(item, Grant):
        return not item.privileges or _owned_by_grantee(item, declared)
    if isinstance(item, DefaultPrivilege):
        return True  # one that says what PostgreSQL does by itself leaves no trace
    if isinstance(item, Column):
        table = declared.objects[item.table_key]
        return isinstance(table, Table) and bool(table.parent)
    return False


def _owned_by_grantee(item: Grant, declared: Declared) -> bool:
    """An owner's own rights are no grant, so one to the declared owner leaves no trace."""
    owner = declared.objects.get(Key("owner", (item.on, *item.target)))
    return getattr(owner, "role", None) == item.grantee


def _misnamed(item: Object, built: Catalog) -> DeclarationError:
    near = [str(key) for key in built.objects if key.kind == item.kind and key.name[:2] == item.name[:2]]
    return DeclarationError(
        f"{item.key} was declared, but PostgreSQL knows no object of that name after building it",
        detail=f"Of that kind it has {', '.join(near) or 'none'}.",
        hint="Write names and argument types as the catalog writes them.",
    )


def difference(declared: Declared, desired: Catalog, live: Catalog, managed: frozenset[Key]) -> Difference:
    """Compare the declared with the live state.

    Only what was declared now or applied before (``managed``) is ever changed.
    """
    result = Difference()
    for key, item in desired.objects.items():
        there = live.objects.get(key)
        if there is None:
            result.create[key] = item
        elif there is not item and there != item:
            result.alter[key] = (there, item)
    unwanted = (managed | set(declared.objects)) - set(desired.objects)
    retired = _retired(declared, live)
    result.drop = {
        key: item
        for key, item in live.objects.items()
        if key in unwanted and not _outlives(key, declared) and key not in retired and retired.isdisjoint(item.parents)
    }
    _drop_with_parent(result)
    _replace(result, desired, live)
    _create_with_table(result)
    result.strangers = _strangers(declared, live, managed)
    return result


def _outlives(key: Key, declared: Declared) -> bool:
    """A column that left the model and stays in a table whose rows are of the past."""
    table = declared.objects.get(Key("table", key.name[:2])) if key.kind == "column" else None
    return isinstance(table, Table) and table.facts.outlived


def _retired(declared: Declared, live: Catalog) -> frozenset[Key]:
    """Partitions that are no longer declared, of tables whose room takes them away itself."""
    rooms = {scope.within for _, scope in declared.scopes if scope.kind == PARTITION}
    parents = {declared.model.table(*name).sql for name in rooms}
    return frozenset(
        key
        for key, item in live.objects.items()
        if isinstance(item, Table) and item.parent in parents and key not in declared.objects
    )


def _create_with_table(result: Difference) -> None:
    """Columns of a new table are written with it."""
    for key in [k for k in result.create if k.kind == "column" and Key("table", k.name[:2]) in result.create]:
        del result.create[key]


def _drop_with_parent(result: Difference) -> None:
    for key in [k for k, item in result.drop.items() if k.kind in VANISH_WITH_PARENT]:
        if any(parent in result.drop for parent in result.drop[key].parents if parent.kind != "role"):
            del result.drop[key]


def _replace(result: Difference, desired: Catalog, live: Catalog) -> None:
    """Where a change cannot be made in place, drop and create, and with it all that stands on it."""
    site = site_of(live, frozenset(result.create))
    needed_by = _inverted(live.needs)
    work = [(key, key) for key, (old, new) in result.alter.items() if new.alter(old, site) is None]
    for changed, beside in _retyped(result, live):
        broken = [key for key in needed_by.get(changed, ()) if beside or _broken_by_retype(live, key)]
        work += [(key, changed) for key in broken]
    moved = find_moved(result, live, desired)
    for key, own in moved.items():
        work += [(found, key) for one in own for found in needed_by.get(one, ()) if found not in own]
    together = [frozenset({key, *own}) for key, own in moved.items()]
    together += [*_written_by_functions(result, desired), *_guarded(result, live), *_watched(result, live)]
    seen: set[Key] = set().union(*moved.values())
    while work:
        key, cause = work.pop()
        if key in seen or key not in live.objects:
            continue
        if key not in desired.objects:
            if _holds(live.objects[key], result):
                result.drop[key] = live.objects[key]
                together.append(frozenset({key, cause}))
            continue
        if key in result.alter and cause not in {key, *desired.needs.get(key, ())}:
            continue  # it is about to leave what is made anew
        seen.add(key)
        together.append(frozenset({key, cause}))
        _refuse_loss(key, live, desired)
        work += [(found, key) for found in needed_by.get(key, ())]
        result.alter.pop(key, None)
        result.drop[key] = live.objects[key]
        result.create[key] = desired.objects[key]
    result.groups = disjoint([*together, *_recreate_rights(result, desired, seen)])


def _holds(item: Object, result: Difference) -> bool:
    """Whether a constraint of a table that is going away would keep what it refers to from being replaced."""
    return isinstance(item, Constraint) and item.table_key in result.drop


def _refuse_loss(key: Key, live: Catalog, desired: Catalog) -> None:
    """Rows are never lost only because something that a table or column stands on is made anew."""
    old, new = live.objects[key], desired.objects[key]
    if isinstance(old, Table):
        raise PlanError(
            f"{key} is partitioned in another way than the live table",
            hint="PostgreSQL cannot repartition a table in place: declare a new table and move the rows.",
        )
    if isinstance(old, Column) and isinstance(new, Column) and not old.generated and not new.generated:
        needs = ", ".join(
            str(need) for need in sorted(live.needs.get(key, ())) if live.objects.get(need) != desired.objects.get(need)
        )
        raise PlanError(
            f"{key} stands on what cannot be changed in place, {needs}, and would lose its values",
            hint="An enum takes new labels only, and a function in a default keeps its result: declare another one, "
            "let the column use it, and drop the old one afterwards.",
        )


def _recreate_rights(result: Difference, desired: Catalog, replaced: set[Key]) -> Iterator[frozenset[Key]]:
    """Grants and ownership vanish with the old object, so the new one gets them again, at once."""
    if not replaced:
        return
    for key, item in desired.objects.items():
        if key.kind in {"grant", "owner"}:
            lost = replaced.intersection(item.parents)
            if lost:
                result.alter.pop(key, None)
                result.create[key] = item
                yield frozenset({key, *lost})


def _retyped(result: Difference, live: Catalog) -> list[tuple[Key, bool]]:
    """Columns that change their type, and whether they do so by another one that is filled beside them."""
    return [
        (key, new.table_key in live.heavy and rewrites(new.type, old.type))
        for key, (old, new) in result.alter.items()
        if isinstance(old, Column) and isinstance(new, Column) and old.type != new.type
    ]


def _written_by_functions(result: Difference, desired: Catalog) -> Iterator[frozenset[Key]]:
    """A new column with the trigger functions of its table that change too: a write meets all of them, or none."""
    functions: dict[Key, set[Key]] = {}
    for key, item in desired.objects.items():
        if isinstance(item, Trigger):
            found = {need for need in desired.needs.get(key, ()) if need in result.alter}
            functions.setdefault(item.table_key, set()).update(found)
    for key in result.create:
        if key.kind == "column":
            found = functions.get(Key("table", key.name[:2]), set())
            yield from (frozenset({key, one}) for one in found)


def _broken_by_retype(live: Catalog, key: Key) -> bool:
    item = live.objects.get(key)
    return key.kind in BROKEN_BY_RETYPE or (isinstance(item, Column) and bool(item.generated))


def _guarded(result: Difference, live: Catalog) -> Iterator[frozenset[Key]]:
    """Row security with the policies that it enforces: without them it would hide every row for a moment."""
    changed = {*result.create, *result.alter}
    for key in changed:
        guard = Key("row_security", key.name[:2])
        if key.kind == "policy" and guard in changed and Key("table", key.name[:2]) in live.objects:
            yield frozenset({key, guard})


def _watched(result: Difference, live: Catalog) -> Iterator[frozenset[Key]]:
    """New triggers of one table: a write meets all of them, or none."""
    found: dict[Key, set[Key]] = {}
    for key in result.create:
        table = Key("table", key.name[:2])
        if key.kind == "trigger" and table in live.objects and table not in result.moved:
            found.setdefault(table, set()).add(key)
    return map(frozenset, found.values())


def _inverted(needs: Mapping[Key, Iterable[Key]]) -> dict[Key, list[Key]]:
    result: dict[Key, list[Key]] = {}
    for key, found in needs.items():
        for need in found:
            result.setdefault(need, []).append(key)
    return result


def _strangers(declared: Declared, live: Catalog, managed: frozenset[Key]) -> tuple[Stranger, ...]:
    scopes: dict[str, dict[tuple[str, ...], str]] = {}
    for room, scope in declared.scopes:
        scopes.setdefault(scope.kind, {})[scope.within] = room
    result = []
    for key in live.objects:
        if key.kind in scopes and key not in declared.objects and key not in managed:
            room = _room_of(key, scopes[key.kind])
            if room:
                result.append(Stranger(key, room))
    return tuple(result)


def _room_of(key: Key, scopes: Mapping[tuple[str, ...], str]) -> str:
    return next((scopes[key.name[:n]] for n in range(len(key.name), -1, -1) if key.name[:n] in scopes), "")
