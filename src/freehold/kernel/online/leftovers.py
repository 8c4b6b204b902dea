"""What earlier plans left for the moment in which no older application runs any more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from freehold.kernel.compile import Declared
from freehold.kernel.declare import Rename, name_of
from freehold.kernel.names import Sql, ddl, ident, qualified
from freehold.kernel.objects import Change, Column, Key, Lock, Stage, Table, Trigger
from freehold.kernel.observe import Catalog
from freehold.kernel.online.columns import Filling, trigger_key
from freehold.kernel.online.names import COMING, GONE, OURS, SHADOW


def leftovers(
    declared: Declared, live: Catalog, desired: Catalog, made: Mapping[Key, Filling]
) -> Iterator[tuple[Key, Change]]:
    """All of it, each with the step that takes it away."""
    yield from old_names(declared.renames, live)
    yield from old_rows(live)
    yield from abandoned(live, desired, made)


def old_names(renames: Iterable[Rename], live: Catalog) -> Iterator[tuple[Key, Change]]:
    """Views under the old names of tables, which go with the last application that knows them."""
    for item in renames:
        schema, _ = name_of(item.entity)
        key = Key("view", (schema, item.was))
        if not item.column and key in live.objects:
            view = qualified(schema, item.was)
            yield (
                Key("leftover", key.name),
                Change(
                    title=f"drop the old name {schema}.{item.was}",
                    statements=(ddl("DROP VIEW {}", view),),
                    lock=Lock.ACCESS_EXCLUSIVE,
                    on=view,
                    stage=Stage.CONTRACT,
                ),
            )


def old_rows(live: Catalog) -> Iterator[tuple[Key, Change]]:
    """The tables whose rows have moved, which wait to be dropped."""
    for key, item in live.objects.items():
        if isinstance(item, Table) and item.schema == GONE:
            change = Change(
                title=f"drop the old rows of {item.table}, which are in partitions",
                statements=(ddl("DROP TABLE {}", item.sql),),
                lock=Lock.ACCESS_EXCLUSIVE,
                on=item.sql,
                reversible=False,
                stage=Stage.CONTRACT,
            )
            yield Key("leftover", key.name), change


def abandoned(live: Catalog, desired: Catalog, made: Mapping[Key, Filling]) -> Iterator[tuple[Key, Change]]:
    """Triggers that fill what is filled or no longer wanted, and columns beside others that nobody goes on with."""
    active = {trigger_key(filling) for filling in made.values() if filling.old or not filling.finished}
    for key, item in live.objects.items():
        if isinstance(item, Trigger) and item.trigger.startswith(OURS) and key not in active and _fills(item):
            yield Key("leftover", key.name), _stopped(item)
        elif isinstance(item, Column) and _is_orphan(item, desired, made.values()):
            drop = ddl("ALTER TABLE {} DROP COLUMN {}", qualified(*item.table_key.name), ident(item.column))
            title = f"drop {key}, which was to take another one's place"
            yield Key("leftover", key.name), _contracted(title, qualified(*item.table_key.name), drop)


def _is_orphan(item: Column, desired: Catalog, made: Iterable[Filling]) -> bool:
    """Whether a column was to take another one's place, and nobody goes on with it."""
    if not item.column.endswith(SHADOW) or item.key in desired.objects:
        return False
    return not any((f.into, f.column.table_key) == (item.column, item.table_key) for f in made)


def _fills(item: Trigger) -> bool:
    return " BEFORE INSERT OR UPDATE " in item.definition


def _stopped(item: Trigger) -> Change:
    table, name = qualified(*item.table_key.name), ident(item.trigger)
    statements_ = (
        ddl("DROP TRIGGER {} ON {}", name, table),
        ddl("DROP FUNCTION IF EXISTS {}.{}()", ident(COMING), name),
    )
    return _contracted(f"stop filling for older applications: {item.key}", table, *statements_)


def _contracted(title: str, on: Sql, *statements_: Sql) -> Change:
    return Change(
        title=title, statements=statements_, lock=Lock.ACCESS_EXCLUSIVE, on=on, reversible=False, stage=Stage.CONTRACT
    )
