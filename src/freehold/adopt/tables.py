"""One table: a class where it has a primary key, a plain table where it has none, a bare one for a partition."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from freehold.adopt.columns import ColumnWriter, KeyColumn
from freehold.adopt.constraints import constraint_call
from freehold.adopt.indexes import index_call
from freehold.adopt.naming import Names, attribute_name
from freehold.adopt.parse import parts_of
from freehold.adopt.source import Group, Node, Text, call, dict_of, list_of, tuple_of, written
from freehold.kernel.objects import Column, Constraint, Index, Key, Table

_ORDER = ("p", "u", "f", "c", "x")


@dataclass(frozen=True)
class Parts:
    """A table and what is told with it.

    ``inline`` are foreign keys at their columns, by column; ``rest`` what stands beside the columns; ``plain_key`` says
    that the primary key has the name and shape that it gets by itself.
    """

    table: Table
    columns: tuple[Column, ...]
    key: Constraint | None
    plain_key: bool
    inline: Mapping[str, Node]
    rest: tuple[Node, ...]


def parts_of_table(
    table: Table,
    items: Iterable[Constraint | Index],
    target: Callable[[tuple[str, ...]], str],
    closing: frozenset[Key],
    unsaid: Callable[[Key], None],
) -> Parts:
    """Sort what stands on a table; ``unsaid`` is told of what SQLAlchemy has no words for."""
    constraints = [item for item in items if isinstance(item, Constraint)]
    key = next((item for item in constraints if item.type == "p"), None)
    plain = key is not None and _plain_key(table, key)
    inline: dict[str, Node] = {}
    rest: list[Node] = []
    for item in sorted(constraints, key=lambda item: (_ORDER.index(item.type), item.constraint)):
        if item is key and plain:
            continue
        alone = item.type == "f" and len(item.columns) == 1 and item.columns[0] not in inline
        made = constraint_call(item, target, closes=item.key in closing, inline=alone)
        if made is None:
            unsaid(item.key)
            key = None if item is key else key
        elif alone:
            inline[item.columns[0]] = made
        else:
            rest.append(made)
    for index in sorted((item for item in items if isinstance(item, Index)), key=lambda item: item.index):
        made = index_call(index)
        rest += [made] if made is not None else []
        if made is None:
            unsaid(index.key)
    return Parts(table, table.columns, key, plain, inline, tuple(rest))


def _plain_key(table: Table, key: Constraint) -> bool:
    """Whether ``primary_key=True`` at the columns says all of a primary key."""
    order = [column.column for column in table.columns if column.column in key.columns]
    bare = key.definition.endswith(")") and " INCLUDE " not in key.definition and "WITHOUT" not in key.definition
    return bare and key.constraint == f"{table.table}_pkey" and order == list(key.columns)


def class_text(parts: Parts, name: str, writer: ColumnWriter, schema: str) -> str:
    """A mapped class."""
    assert parts.key is not None
    names = Names()
    lines = [f"class {name}(Base):", f"    __tablename__ = {written(Text(parts.table.table))}"]
    if (arguments := _arguments(parts, schema)) is not None:
        lines.append(f"    {written(arguments, 4, '__table_args__ = ')}")
    lines.append("")
    for column in parts.columns:
        held = column.column in parts.key.columns
        alone = held and len(parts.key.columns) == 1
        place = KeyColumn(written=held and parts.plain_key, alone=alone)
        attribute = names.give(attribute_name(column.column))
        lines.append(f"    {writer.attribute(column, attribute, place, parts.inline.get(column.column))}")
    return "\n".join(lines)


def _arguments(parts: Parts, schema: str) -> Group | None:
    """``__table_args__``: what stands beside the columns, then the options."""
    options = _options(parts.table, schema)
    items = [*parts.rest, *([dict_of(options)] if options else [])]
    return tuple_of(items) if items else None


def _options(table: Table, schema: str) -> dict[str, Node]:
    found: dict[str, Node] = {}
    if table.schema != (schema or "public"):
        found["schema"] = Text(table.schema)
    if table.comment:
        found["comment"] = Text(table.comment)
    if table.persistence == "u":
        found["prefixes"] = list_of([Text("UNLOGGED")])
    if table.partition_key:
        found["postgresql_partition_by"] = Text(table.partition_key)
    if table.options:
        pairs = (option.partition("=") for option in table.options)
        found["postgresql_with"] = dict_of({name: Text(value) for name, _, value in pairs})
    return found


def table_text(parts: Parts, name: str, writer: ColumnWriter, schema: str) -> str:
    """A plain table, which nothing maps."""
    columns = [_with_foreign(writer.column(column), parts.inline.get(column.column)) for column in parts.columns]
    made = call(
        "sa.Table", Text(parts.table.table), "Base.metadata", *columns, *parts.rest, **_options(parts.table, schema)
    )
    return written(made, 0, f"{name} = ")


def _with_foreign(column: Group, foreign: Node | None) -> Group:
    """The foreign key follows the name and the type."""
    if foreign is None:
        return column
    items = column.items
    return Group(column.opening, (*items[:2], ("", foreign), *items[2:]), column.closing)


def partition_text(table: Table, schema: str) -> str:
    """A partition, whose columns are its parent's."""
    info = tuple_of([Text(".".join(parts_of(table.parent))), Text(table.bound)])
    options = _options(table, schema)
    made = call("sa.Table", Text(table.table), "Base.metadata", **options, info=dict_of({"partition_of": info}))
    return written(made)
