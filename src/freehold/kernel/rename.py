"""Declared renames, rehearsed on a copy of the live structure so that the rest of the plan is exact."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from psycopg import sql

from freehold.errors import PlanError
from freehold.kernel.declare import Rename, name_of
from freehold.kernel.names import Sql, ddl, ident, qualified
from freehold.kernel.objects import Change, Column, Constraint, Index, Key, Lock, Object, Site, Table
from freehold.kernel.observe import KINDS, Catalog, Connection, prepare_session, read_catalog
from freehold.kernel.plan import Step
from freehold.kernel.scratch import make_roles, scratch_database, statements


@dataclass(frozen=True)
class Renamed:
    """The live state as it is after the renames, the managed keys under their new names, and the steps that rename."""

    live: Catalog
    managed: frozenset[Key]
    steps: tuple[Step, ...]


def rename(
    connection: Connection, renames: Iterable[Rename], live: Catalog, managed: frozenset[Key], wanted: frozenset[Key]
) -> Renamed:
    """Apply the pending renames to a copy of the live structure.

    A rename is pending while the old name is there and the new one is not; afterwards it does nothing.

    Raises
    ------
    PlanError
        Both names are there, so that which one holds the data is not known.
    """
    steps = tuple(step for item in renames for step in _steps(item, live, wanted))
    if not steps:
        return Renamed(live, managed, ())
    pending = [item for item in renames if _pending(item, live)]
    return Renamed(
        live=_rehearse(connection, live, steps),
        managed=frozenset(_renamed_key(key, pending) for key in managed),
        steps=steps,
    )


def _pending(item: Rename, live: Catalog) -> bool:
    old, new = _keys(item)
    if old in live.objects and new in live.objects:
        raise PlanError(
            f"Both {old} and {new} are in the database, so the rename cannot be made",
            hint="Move the data into one of them, drop the other, or take the Rename out of the declaration.",
        )
    return old in live.objects


def _keys(item: Rename) -> tuple[Key, Key]:
    schema, table = name_of(item.entity)
    if item.column:
        return Key("column", (schema, table, item.was)), Key("column", (schema, table, item.column))
    return Key("table", (schema, item.was)), Key("table", (schema, table))


def _steps(item: Rename, live: Catalog, wanted: frozenset[Key]) -> Iterator[Step]:
    if not _pending(item, live):
        return
    old, new = _keys(item)
    schema, table = name_of(item.entity)
    if item.column:
        action = ddl("RENAME COLUMN {} TO {}", ident(item.was), ident(item.column))
        yield _step(old, new, ddl("ALTER TABLE {} {}", qualified(schema, table), action), qualified(schema, table))
        return
    statements_ = [ddl("ALTER TABLE {} RENAME TO {}", qualified(schema, item.was), ident(table))]
    statements_ += _followers(item.was, table, schema, live, wanted)
    yield _step(old, new, *statements_, qualified(schema, item.was))


def _followers(was: str, table: str, schema: str, live: Catalog, wanted: frozenset[Key]) -> Iterator[Sql]:
    """Constraints and indexes named after the table take its new name where the declaration expects that."""
    for found in live.objects.values():
        if isinstance(found, Constraint) and found.table_key == Key("table", (schema, was)):
            new = f"{table}{found.constraint.removeprefix(was)}"
            if Key("constraint", (schema, table, new)) in wanted and new != found.constraint:
                action = ddl("RENAME CONSTRAINT {} TO {}", ident(found.constraint), ident(new))
                yield ddl("ALTER TABLE {} {}", qualified(schema, table), action)
        elif isinstance(found, Index) and found.table_key == Key("table", (schema, was)):
            new = f"{table}{found.index.removeprefix(was)}"
            if Key("index", (schema, new)) in wanted and new != found.index:
                yield ddl("ALTER INDEX {} RENAME TO {}", qualified(schema, found.index), ident(new))


def _step(old: Key, new: Key, *parts: Sql) -> Step:
    *texts, on = parts
    change = Change(title=f"rename {old} to {new}", statements=tuple(texts), lock=Lock.ACCESS_EXCLUSIVE, on=on)
    return Step(number=0, key=old, change=change, room="model", reason="the rename is declared")


def _rehearse(connection: Connection, live: Catalog, steps: Iterable[Step]) -> Catalog:
    """Copy the live structure, without data, into the scratch database and rename there."""
    own = _complete(live.objects)
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


def _complete(objects: Mapping[Key, Object]) -> dict[Key, Object]:
    """Tables with their columns, which the catalog keeps apart."""
    columns: dict[Key, list[Column]] = {}
    for item in objects.values():
        if isinstance(item, Column):
            columns.setdefault(item.table_key, []).append(item)
    return {
        key: replace(item, columns=tuple(columns.get(key, ()))) if isinstance(item, Table) else item
        for key, item in objects.items()
    }
