"""From declarations to objects: the rooms compile in their phases, each over what the earlier ones produced."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from freehold.errors import Contradiction, DeclarationError, UnclassifiedTable, UnknownTable
from freehold.kernel.budget import LockBudget
from freehold.kernel.check import refuse_dangling, refuse_repeated
from freehold.kernel.declare import Adopted, Backfill, Declarations, Extra, Rename, column_of, name_of, table_of
from freehold.kernel.dialect import over_row
from freehold.kernel.garbage import uncollected
from freehold.kernel.metadata import metadata_objects
from freehold.kernel.model import Class, Model, Ownership
from freehold.kernel.names import Sql
from freehold.kernel.objects import Key, Object, Table
from freehold.kernel.room import Drill, Phase, Probe, Room, Scope


@dataclass(frozen=True)
class Declared:
    """The finished model, with what it answers for and how it is proved."""

    model: Model
    pairs: tuple[tuple[Room[Any], Any], ...]
    renames: tuple[Rename, ...]

    @cached_property
    def scopes(self) -> tuple[tuple[str, Scope], ...]:
        """What each room answers for."""
        return tuple((room.name, scope) for room, item in self.pairs for scope in room.scope(item, self.model))

    @cached_property
    def probes(self) -> tuple[Probe, ...]:
        """Every room's attacks; a plan does not need them, so they are made when asked for."""
        return tuple(
            replace(probe, room=room.name) for room, item in self.pairs for probe in room.probes(item, self.model)
        )

    @cached_property
    def drills(self) -> tuple[Drill, ...]:
        """Every room's drills."""
        return tuple(
            replace(drill, room=room.name) for room, item in self.pairs for drill in room.drills(item, self.model)
        )

    @property
    def budget(self) -> LockBudget:
        """How long a change may keep writes waiting."""
        return next((item for item in self.model.declarations if isinstance(item, LockBudget)), LockBudget())

    @cached_property
    def backfills(self) -> Mapping[Key, Sql]:
        """The declared values of columns, over a row ``t``, those of the tables derived from theirs too."""
        found = {}
        for item in (each for each in self.model.declarations if isinstance(each, Backfill)):
            name = name_of(item.entity)
            value = over_row(item.value, table_of(item.entity), column_of(item.entity, item.column))
            for table in self.model.tables:
                if (table.schema, table.table) == name or table.facts.of == name:
                    found[Key("column", (table.schema, table.table, item.column))] = value
        return found

    @property
    def objects(self) -> Mapping[Key, Object]:
        """Every declared object by its key."""
        return self.model.objects


@uncollected
def compile_layer(layer: Declarations, rooms: Sequence[Room[Any]]) -> Declared:
    """Let every room compile its declarations.

    Raises
    ------
    DeclarationError
        A declaration names what is not there, contradicts another, belongs to no room, or leaves a table unclassified.
    """
    pairs = tuple(_pairs(layer, rooms))
    refuse_repeated(pairs)
    refuse_dangling(layer.metadata)
    model = _classified(layer, pairs)
    for phase in Phase:
        for room, item in pairs:
            if room.phase is phase:
                made = (_stamped(found, room.name) for found in room.compile(item, model))
                model = _added(model, made)
        if phase is Phase.SHAPE:
            model = _added(model, _extras(layer))
    return Declared(model=model, pairs=pairs, renames=tuple(_renames(layer, model)))


def _pairs(layer: Declarations, rooms: Sequence[Room[Any]]) -> Iterator[tuple[Room[Any], Any]]:
    by_type = {room.declaration: room for room in rooms}
    for item in layer.items:
        if isinstance(item, Adopted | Extra | Rename | Backfill | LockBudget):
            continue
        room = next((by_type[kind] for kind in type(item).__mro__ if kind in by_type), None)
        if room is None:
            known = sorted(kind.__name__ for found in by_type for kind in (found.__subclasses__() or (found,)))
            raise DeclarationError(
                f"{item!r} is not a declaration that a room understands",
                hint=f"Use one of {', '.join(known)}, Adopted, Extra, Rename, Backfill or LockBudget.",
            )
        yield room, item


def _renames(layer: Declarations, model: Model) -> Iterator[Rename]:
    """The declared renames, and those of the tables that rooms derived from the renamed ones."""
    for item in layer.of_type(Rename):
        yield item
        schema, name = name_of(item.entity)
        for table in model.tables:
            if table.facts.of != (schema, name):
                continue
            derived = sa.Table(table.table, sa.MetaData(), schema=table.schema)
            if item.column:
                yield Rename(derived, was=item.was, column=item.column, at_once=item.at_once)
            elif table.table.startswith(name):
                yield Rename(derived, was=item.was + table.table.removeprefix(name))


def _extras(layer: Declarations) -> Iterator[Object]:
    for extra in layer.of_type(Extra):
        for item in extra.objects:
            yield replace(item, room="extra", reason=item.reason or "declared by the application")


def _stamped(item: Object, room: str) -> Object:
    return item if item.room else replace(item, room=room)


def _classified(layer: Declarations, pairs: Iterable[tuple[Room[Any], Any]]) -> Model:
    classes = _adopted(layer)
    bare = Model(layer=layer.name, metadata=layer.metadata, declarations=layer.items, classes=dict(classes))
    for room, item in pairs:
        for name, found in room.classify(item, bare).items():
            if classes.get(name, found) != found:
                raise Contradiction(
                    f"Two declarations classify table {'.'.join(name)} differently",
                    detail=f"{classes[name]} and {found}",
                    hint="Name the table in one of them.",
                )
            classes[name] = found
    _refuse_unclassified(layer, classes)
    model = replace(bare, classes=classes)
    return _with_tenant_type(_added(model, metadata_objects(layer.metadata, classes)))


def _adopted(layer: Declarations) -> dict[tuple[str, str], Class]:
    """The tables that nobody has classified yet, each with its partitions."""
    found: dict[tuple[str, str], Class] = {}
    tables = {name_of(table): table for table in layer.metadata.tables.values()}
    for item in layer.of_type(Adopted):
        reached = [name_of(entity) for entity in item.entities]
        if strange := [name for name in reached if name not in tables]:
            raise UnknownTable(
                f"Adopted names {', '.join('.'.join(name) for name in strange)}, which is not in the data layer",
                hint="Give the layer the metadata that holds the table.",
            )
        while reached:
            found.update({name: Class(Ownership.ADOPTED, reason=item.reason) for name in reached})
            reached = [name for name, table in tables.items() if name not in found and _parent(table) in reached]
    return found


def _parent(table: sa.Table) -> tuple[str, ...]:
    parent, _ = table.info.get("partition_of", ("", ""))
    return tuple(parent.split("."))


def _refuse_unclassified(layer: Declarations, classes: Mapping[tuple[str, str], Class]) -> None:
    missing = sorted({name_of(table) for table in layer.metadata.tables.values()} - set(classes))
    if missing:
        names = ", ".join(".".join(name) for name in missing)
        raise UnclassifiedTable(
            f"No declaration says who owns the rows of {names}",
            hint="Give each table the tenant column, or name it in Tenancy(shared=[...]) or "
            'Tenancy(exempt={table: "the reason"}).',
        )


def _with_tenant_type(model: Model) -> Model:
    root = next((name for name, found in model.classes.items() if found.ownership is Ownership.ROOT), None)
    if root is None:
        return model
    table = model.table(*root)
    column = next(c for c in table.columns if c.column == model.classes[root].tenant_column)
    return replace(model, tenant_type=column.type)


def _added(model: Model, made: Iterable[Object]) -> Model:
    """Add objects and the columns of tables; the same object from two rooms is one, a different one a contradiction."""
    objects = dict(model.objects)
    for item in made:
        for each in _with_columns(item):
            held = objects.setdefault(each.key, each)
            if held != each:
                raise Contradiction(
                    f"{each.key} is declared in two ways, by {held.room} and by {each.room}",
                    detail=f"{held}\n{each}",
                    hint="Rename one of them or let one declaration own it.",
                )
    return replace(model, objects=objects)


def _with_columns(item: Object) -> tuple[Object, ...]:
    if isinstance(item, Table):
        return (
            item,
            *(c if c.room else replace(c, room=item.room, reason=c.reason or item.reason) for c in item.columns),
        )
    return (item,)
