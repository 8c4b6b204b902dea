"""The module of models: one class a table, and a plain table where there is no primary key."""

from __future__ import annotations

import io
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from freehold.adopt.circles import closing_keys
from freehold.adopt.columns import ColumnWriter
from freehold.adopt.kinds import sequence_line, write_kinds
from freehold.adopt.naming import IMPORTED, Names, class_name, variable_name
from freehold.adopt.source import quoted
from freehold.adopt.tables import Parts, class_text, partition_text, parts_of_table, table_text
from freehold.adopt.ways import Way, Ways
from freehold.kernel.objects import Constraint, Index, Key, Object, Sequence, Table

T = TypeVar("T", bound=Object)

SERVER_TYPE = '''\
class ServerType(sa.types.UserDefinedType[Any]):
    """A type by the server's name for it, where SQLAlchemy has no class of its own."""

    cache_ok = True

    def __init__(self, name: str, collation: str | None = None) -> None:
        self.name = name
        self.collation = collation

    def get_col_spec(self, **options: object) -> str:
        return self.name'''


@dataclass(frozen=True)
class Module:
    """A written module: its text, and the names of its tables' classes and variables."""

    text: str
    entities: Mapping[Key, str]


def write_models(ways: Ways) -> Module:
    """The models of everything that ``ways`` tells by models; what they cannot say is passed on to the layer."""
    names = Names(IMPORTED)
    tables = sorted(_told(ways, Table), key=lambda table: table.name)
    schema = _only_schema(tables)
    kinds = write_kinds(ways, names)
    writer = ColumnWriter(kinds.own, _raw(ways))
    parts = _parts(ways, tables)
    entities = {each.table.key: _name(each, names) for each in parts}
    sequences = [
        sequence_line(item, names.give(variable_name(item.sequence), variable_name("_".join(item.name))), schema)
        for item in sorted(_told(ways, Sequence), key=lambda item: item.name)
    ]
    texts = [_entity(each, entities[each.table.key], writer, schema) for each in parts]
    partitions = [partition_text(table, schema) for table in tables if table.parent]
    blocks = [_base(schema), *kinds.lines, *sequences, *texts, *partitions]
    if any("ServerType(" in text for text in blocks):
        blocks.insert(0, SERVER_TYPE)
    body = _joined(blocks)
    return Module(f"{_head(ways.catalog.database, body)}\n{_after_imports(blocks)}{body}\n", entities)


def _told(ways: Ways, kind: type[T]) -> Iterator[T]:
    return (item for key, item in ways.catalog.objects.items() if isinstance(item, kind) and ways.told(key))


def _raw(ways: Ways) -> frozenset[tuple[str, ...]]:
    return frozenset(key.name for key, way in ways.chosen.items() if key.kind == "column" and way is Way.RAW)


def _only_schema(tables: Iterable[Table]) -> str:
    """The schema of all tables, where it is one and not ``public``."""
    schemas = {table.schema for table in tables}
    return schemas.pop() if len(schemas) == 1 and schemas != {"public"} else ""


def _parts(ways: Ways, tables: Iterable[Table]) -> list[Parts]:
    standing: dict[Key, list[Constraint | Index]] = {}
    for item in ways.catalog.objects.values():
        if isinstance(item, Constraint | Index) and ways.of(item.key) is Way.MODEL:
            standing.setdefault(item.table_key, []).append(item)
    whole = [table for table in tables if not table.parent]
    here = {table.key for table in whole}
    for key in standing.keys() - here:  # on a partition or a materialized view
        for item in standing[key]:
            ways.pass_on(item.key)
    constraints = [item for key in here for item in standing.get(key, []) if isinstance(item, Constraint)]
    closing = closing_keys(sorted(here), constraints)
    return [parts_of_table(table, standing.get(table.key, []), _target, closing, ways.pass_on) for table in whole]


def _target(table: tuple[str, ...]) -> str:
    """How a foreign key names a table: a table in ``public`` has no schema in the models."""
    return ".".join(table[1:] if table[0] == "public" else table)


def _name(parts: Parts, names: Names) -> str:
    schema, table = parts.table.name
    make = variable_name if parts.key is None else class_name
    return names.give(make(table), make(f"{schema}_{table}"))


def _entity(parts: Parts, name: str, writer: ColumnWriter, schema: str) -> str:
    write = table_text if parts.key is None else class_text
    return write(parts, name, writer, schema)


def _base(schema: str) -> str:
    own = f"\n\n    metadata = sa.MetaData(schema={quoted(schema)})" if schema else ""
    return f'class Base(DeclarativeBase):\n    """What all tables have in common."""{own}'


def _joined(blocks: list[str]) -> str:
    """Two empty lines around classes, one around statements of several lines."""
    text = blocks[0]
    for before, block in pairwise(blocks):
        if before.startswith("class ") or block.startswith("class "):
            text += "\n\n\n"
        else:
            text += "\n\n" if "\n" in before or "\n" in block else "\n"
        text += block
    return text


def _after_imports(blocks: list[str]) -> str:
    return "\n\n" if blocks[0].startswith("class ") else "\n"


def _head(database: str, body: str) -> str:
    """The docstring and the imports that the body needs."""
    tokens = tokenize.generate_tokens(io.StringIO(body).readline)
    used = {token.string for token in tokens if token.type == tokenize.NAME}
    orm = [name for name in ("DeclarativeBase", "Mapped", "mapped_column") if name in used]
    groups = (
        ("from __future__ import annotations",),
        tuple(line for name, line in _STANDARD if name in used),
        (*(line for name, line in _SQLALCHEMY if name in used), f"from sqlalchemy.orm import {', '.join(orm)}"),
    )
    title = " ".join(database.split()).replace("\\", "").replace('"', "")
    imports = "\n\n".join("\n".join(group) for group in groups if group)
    return f'"""The tables of the database {title}, as they were found."""\n\n{imports}'


_STANDARD = (
    ("dt", "import datetime as dt"),
    ("Decimal", "from decimal import Decimal"),
    ("Any", "from typing import Any"),
    ("UUID", "from uuid import UUID"),
)
_SQLALCHEMY = (
    ("sa", "import sqlalchemy as sa"),
    ("postgresql", "from sqlalchemy.dialects import postgresql"),
)
