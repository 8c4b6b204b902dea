"""Declared renames, rehearsed on a copy of the live structure so that the rest of the plan is exact."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from psycopg import sql

from freehold.errors import PlanError
from freehold.kernel.declare import Rename, name_of
from freehold.kernel.names import Sql, ddl, ident, joined, qualified, trusted
from freehold.kernel.objects import Change, Constraint, Grant, Index, Key, Lock, Object, Site, Table, Undo
from freehold.kernel.observe import KINDS, Catalog, Connection, prepare_session, read_catalog
from freehold.kernel.plan import Step
from freehold.kernel.scratch import make_roles, scratch_database, statements

Named = Constraint | Index
"""What PostgreSQL names after its table and columns."""


@dataclass(frozen=True)
class Renamed:
    """The live state as it is after the renames, the managed keys under their new names, and the steps that rename."""

    live: Catalog
    managed: frozenset[Key]
    steps: tuple[Step, ...]


def rename(
    connection: Connection, renames: Iterable[Rename], live: Catalog, managed: frozenset[Key], desired: Catalog
) -> Renamed:
    """Apply the pending renames to a copy of the live structure.

    A rename is pending while the old name is there and the new one is not; afterwards it does nothing. Constraints and
    indexes whose definition stays the same take the name that the declaration gives them now.

    Raises
    ------
    PlanError
        Both names are there, so that which one holds the data is not known.
    """
    keys = frozenset(live.objects)
    pending: list[Rename] = []
    steps: list[Step] = []
    for item in sorted(_at_once(renames, live), key=lambda found: bool(found.column)):
        if _pending(item, keys):
            steps.append(_step_of(item, live))
            pending.append(item)
            keys = frozenset(_renamed_key(key, [item]) for key in keys)
    if not steps:
        return Renamed(live, managed, ())
    moved = replace(
        _rehearse(connection, live, steps),
        bytes={_renamed_key(key, pending): size for key, size in live.bytes.items()},
        heavy=frozenset(_renamed_key(key, pending) for key in live.heavy),
    )
    tables = {Key("table", name_of(item.entity)) for item in pending}
    followers = list(_followers(moved, desired, tables))
    return Renamed(
        live=_with_names(moved, followers),
        managed=frozenset(_renamed_key(key, pending) for key in managed),
        steps=(*steps, *(_follow(old, new) for old, new in followers)),
    )


def _at_once(renames: Iterable[Rename], live: Catalog) -> Iterator[Rename]:
    """Those that happen in a moment; a column of a key has one name only."""
    keys = {
        (*item.table_key.name, name)
        for item in live.objects.values()
        if isinstance(item, Constraint) and item.type == "p"
        for name in item.columns
    }
    for item in renames:
        schema, table = name_of(item.entity)
        if item.column and (schema, table, item.was) in keys and not item.at_once:
            raise PlanError(
                f"column {schema}.{table}.{item.was} is part of the key, and cannot have two names for a while",
                hint="Rename(..., at_once=True) renames it in a moment; applications that know the old name stop.",
            )
        if not item.column or item.at_once:
            yield item


def _pending(item: Rename, there: frozenset[Key]) -> bool:
    old, new = _keys(item)
    if old in there and new in there:
        raise PlanError(
            f"Both {old} and {new} are in the database, so the rename cannot be made",
            hint="Move the data into one of them, drop the other, or take the Rename out of the declaration.",
        )
    return old in there


def _keys(item: Rename) -> tuple[Key, Key]:
    schema, table = name_of(item.entity)
    if item.column:
        return Key("column", (schema, table, item.was)), Key("column", (schema, table, item.column))
    return Key("table", (schema, item.was)), Key("table", (schema, table))


def _step_of(item: Rename, live: Catalog) -> Step:
    old, new = _keys(item)
    schema, table = name_of(item.entity)
    if item.column:
        action = ddl("RENAME COLUMN {} TO {}", ident(item.was), ident(item.column))
        place = qualified(schema, table)
        back = ddl("ALTER TABLE {} RENAME COLUMN {} TO {}", place, ident(item.column), ident(item.was))
        return _step(old, new, place, (ddl("ALTER TABLE {} {}", place, action),), (back,))
    move = ddl("ALTER TABLE {} RENAME TO {}", qualified(schema, item.was), ident(table))
    found = () if item.at_once else tuple(_old_name(item, live))
    back = ddl("ALTER TABLE {} RENAME TO {}", qualified(schema, table), ident(item.was))
    gone = (ddl("DROP VIEW IF EXISTS {}", qualified(schema, item.was)),) if found else ()
    return _step(old, new, qualified(schema, item.was), (move, *found), (*gone, back))


def _old_name(item: Rename, live: Catalog) -> Iterator[Sql]:
    """A view under the old name, with the rights and under the guards of the table."""
    schema, table = name_of(item.entity)
    view = qualified(schema, item.was)
    yield ddl("CREATE VIEW {} WITH (security_invoker = true) AS SELECT * FROM {}", view, qualified(schema, table))
    for grant in live.objects.values():
        if isinstance(grant, Grant) and (grant.on, grant.target) == ("table", (schema, item.was)):
            rights = sorted(set(grant.privileges) & {"SELECT", "INSERT", "UPDATE", "DELETE"})
            if rights:
                who = Sql("PUBLIC") if grant.grantee == "PUBLIC" else ident(grant.grantee)
                yield ddl("GRANT {} ON {} TO {}", joined(trusted(right) for right in rights), view, who)


def _step(old: Key, new: Key, on: Sql, statements: tuple[Sql, ...], back: tuple[Sql, ...]) -> Step:
    change = Change(
        title=f"rename {old} to {new}",
        statements=statements,
        lock=Lock.ACCESS_EXCLUSIVE,
        on=on,
        undo=(Undo(f"rename {new} to {old}", back),),
    )
    return Step(number=0, key=old, change=change, room="model", reason="the rename is declared")


def _followers(live: Catalog, desired: Catalog, tables: set[Key]) -> Iterator[tuple[Named, Named]]:
    """Pairs of the same constraint or index under its old and its new name."""
    wanted = {
        _body(item): item
        for key, item in desired.objects.items()
        if isinstance(item, Named) and key not in live.objects
    }
    for key, item in live.objects.items():
        if isinstance(item, Named) and item.table_key in tables and key not in desired.objects:
            new = wanted.get(_body(item))
            if new is not None:
                yield item, new


def _body(item: Named) -> tuple[Key, str]:
    """A constraint's or index's definition without its name."""
    if isinstance(item, Index):
        return item.table_key, item.definition.replace(f"INDEX {ident(item.index)} ON", "INDEX ON")
    return item.table_key, item.definition


def _follow(old: Named, new: Named) -> Step:
    table = qualified(*old.table_key.name)
    first, second = old.name[-1], new.name[-1]
    return _step(old.key, new.key, table, (_named(old, first, second),), (_named(old, second, first),))


def _named(item: Named, old: str, new: str) -> Sql:
    if isinstance(item, Index):
        return ddl("ALTER INDEX {} RENAME TO {}", qualified(item.schema, old), ident(new))
    return ddl("ALTER TABLE {} RENAME CONSTRAINT {} TO {}", qualified(*item.table_key.name), ident(old), ident(new))


def _with_names(live: Catalog, followers: Iterable[tuple[Named, Named]]) -> Catalog:
    names = {old.key: new for old, new in followers}
    keys = {old: new.key for old, new in names.items()}
    return replace(
        live,
        objects={keys.get(key, key): names.get(key, item) for key, item in live.objects.items()},
        needs={keys.get(k, k): frozenset(keys.get(n, n) for n in found) for k, found in live.needs.items()},
    )


def _rehearse(connection: Connection, live: Catalog, steps: Iterable[Step]) -> Catalog:
    """Copy the live structure, without data, into the scratch database and rename there."""
    own = {key: _in_its_order(item, live) for key, item in live.objects.items()}
    site = Site(database=live.database, version=live.version, new=frozenset(own))
    with scratch_database(connection) as scratch, scratch.transaction(force_rollback=True):
        prepare_session(scratch)
        make_roles(scratch, own)
        for _, statement in statements(own, site):
            scratch.execute(sql.SQL(statement))
        for step in steps:
            for statement in step.change.statements:
                scratch.execute(sql.SQL(statement))
        copied = read_catalog(scratch, [kind for kind in KINDS if not kind.shared])
    shared = {key: item for key, item in live.objects.items() if item.shared}
    return replace(live, objects={**shared, **copied.objects}, needs=copied.needs)


def _in_its_order(item: Object, live: Catalog) -> Object:
    """The object, which says what must be there first as a declared one does; a table says it for its columns."""
    written = [column.key for column in item.columns] if isinstance(item, Table) else []
    needs = {need for key in (item.key, *written) for need in live.needs.get(key, ())}
    return replace(item, after=tuple(sorted(needs)))


def _renamed_key(key: Key, renames: Iterable[Rename]) -> Key:
    """A managed key under the name that its table or column has now."""
    for item in renames:
        old, new = _keys(item)
        if key == old:
            return new
        at = 1 if key.kind in {"grant", "owner"} else 0
        if key.name[at : at + len(old.name)] == old.name and len(key.name) > at:
            return Key(key.kind, (*key.name[:at], *new.name, *key.name[at + len(old.name) :]))
    return key
