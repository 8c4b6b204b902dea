"""Which columns get their values in batches, from what the plan would change and from what earlier runs have begun."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from psycopg import sql

from freehold.errors import PlanError
from freehold.kernel.compile import Declared
from freehold.kernel.declare import Rename, name_of
from freehold.kernel.difference import Difference
from freehold.kernel.names import Sql, ddl, ident, trusted
from freehold.kernel.objects import Column, Constraint, Key, Object, Site, Trigger
from freehold.kernel.objects.column import STABLE
from freehold.kernel.objects.width import rewrites
from freehold.kernel.observe import Catalog, Connection, prepare_session, read_catalog
from freehold.kernel.online.columns import Filling, shadow_of, trigger_key
from freehold.kernel.scratch import make_roles, scratch_database, statements

FIRES = frozenset("OA")
"""``pg_trigger.tgenabled`` of a trigger that fires for the application."""


def find_fillings(
    declared: Declared, found: Difference, live: Catalog, desired: Catalog, progress: Mapping[str, bool]
) -> dict[Key, Filling]:
    """The columns, each with how it is filled.

    Parameters
    ----------
    progress
        The batches that were begun, and whether they came to their end.

    Raises
    ------
    PlanError
        A table has no primary key, by which its rows could be walked.
    """
    old_names = {new: old for old, new in online_renames(declared.renames)}
    result = {}
    for key, item in desired.objects.items():
        if isinstance(item, Column) and item.table_key in live.objects and item.table_key not in found.moved:
            made = _filling(item, declared, found, live, old_names.get(key), progress)
            if made is None:
                continue
            begun = made.batch.name in progress and _goes_on(made, live)
            finished = begun and progress[made.batch.name]
            result[key] = replace(made, begun=begun, finished=finished)
    return {key: made for key, made in result.items() if _is_needed(key, made, found)}


def _goes_on(made: Filling, live: Catalog) -> bool:
    """Whether all stands that an earlier run has begun; what hands have changed meanwhile is begun anew."""
    column = live.objects.get(Key("column", (*made.column.table_key.name, made.into)))
    if not isinstance(column, Column) or (made.beside and column.type != made.column.type):
        return False
    trigger = live.objects.get(trigger_key(made))
    return not made.followed or (isinstance(trigger, Trigger) and trigger.enabled in FIRES)


def _is_needed(key: Key, made: Filling, found: Difference) -> bool:
    """Whether a plan has something to do with it: a declared value is of no use where nothing is missing."""
    return (
        key in found.create
        or (key in found.alter and not made.finished)
        or (made.begun and not made.finished)
        or (bool(made.old) or made.into != made.column.column)
    )


def _filling(
    item: Column,
    declared: Declared,
    found: Difference,
    live: Catalog,
    old: Key | None,
    progress: Mapping[str, bool],
) -> Filling | None:
    declared_value = declared.backfills.get(item.key)
    before = live.objects.get(item.key)
    if old in live.objects and old is not None:
        value = ddl("t.{}", ident(old.name[2]))
        return _made(item, item.column, value, live, old=old.name[2])
    if isinstance(before, Column) and item.key in found.alter and before.type != item.type:
        if item.table_key in live.heavy and rewrites(item.type, before.type):
            value = declared_value or ddl("t.{}::{}", ident(item.column), trusted(item.type))
            return _made(item, shadow_of(item), value, live)
        return None
    if declared_value:
        return _made(item, item.column, declared_value, live)
    volatile = item.default and not item.generated and not STABLE.fullmatch(item.default)
    if volatile and item.table_key in live.heavy:
        made = _made(item, item.column, trusted(item.default), live, followed=False)
        unfinished = progress.get(made.batch.name) is False
        return made if before is None or unfinished else None
    return None


def _made(item: Column, into: str, value: Sql, live: Catalog, *, old: str = "", followed: bool = True) -> Filling:
    key = key_of(item.table_key, live)
    if not key:
        raise PlanError(
            f"{item.table_key} has no primary key, so that {item.key} cannot be filled row by row",
            hint="Declare a primary key and apply, then change the column.",
        )
    return Filling(column=item, into=into, key=key, value=value, old=old, followed=followed)


def set_leaving(found: Difference, live: Catalog) -> None:
    """Tell which columns leave for others, and leave to their going the indexes and constraints on them."""
    found.leaving = frozenset(
        Key("column", (*filling.column.table_key.name, filling.old))
        for filling in found.fillings.values()
        if filling.old
    )
    for key in [key for key in found.drop if key.kind in {"index", "constraint"} and key not in found.create]:
        if not found.leaving.isdisjoint(live.needs.get(key, ())):
            del found.drop[key]


def key_of(table: Key, live: Catalog) -> tuple[tuple[str, str], ...]:
    """The columns of a live table's primary key, each with its type."""
    for item in live.objects.values():
        if isinstance(item, Constraint) and item.type == "p" and item.table_key == table:
            columns = (live.objects[Key("column", (*table.name, name))] for name in item.columns)
            return tuple((column.column, column.type) for column in columns if isinstance(column, Column))
    return ()


def online_renames(renames: tuple[Rename, ...]) -> Iterator[tuple[Key, Key]]:
    """Renamed columns, old and new, both of which are there until the contraction."""
    for item in renames:
        if item.column and not item.at_once:
            schema, table = name_of(item.entity)
            yield Key("column", (schema, table, item.was)), Key("column", (schema, table, item.column))


def shadow_objects(connection: Connection, declared: Declared, made: Mapping[Key, Filling]) -> Mapping[Key, Object]:
    """The declared objects as they are written over the columns beside the ones that change their type."""
    shadows = {key: filling for key, filling in made.items() if filling.into != filling.column.column}
    if not shadows:
        return {}
    site = Site(database="scratch", version=connection.info.server_version, new=frozenset(declared.objects))
    with scratch_database(connection) as scratch, scratch.transaction(force_rollback=True):
        prepare_session(scratch)
        make_roles(scratch, declared.objects)
        for _, statement in statements(declared.objects, site):
            scratch.execute(sql.SQL(statement))
        for filling in shadows.values():
            rename = ddl(
                "ALTER TABLE {} RENAME COLUMN {} TO {}",
                filling.table,
                ident(filling.column.column),
                ident(filling.into),
            )
            scratch.execute(sql.SQL(rename))
        return read_catalog(scratch, dependencies=False).objects
