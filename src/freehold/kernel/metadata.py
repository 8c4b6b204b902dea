"""SQLAlchemy metadata as objects: what the models say, in the kernel's words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from freehold.errors import DeclarationError
from freehold.kernel.declare import name_of
from freehold.kernel.dialect import DDL, TYPES
from freehold.kernel.metadata_constraints import constraints_of, indexes_of
from freehold.kernel.metadata_types import sequences_of, types_of
from freehold.kernel.model import Class, Ownership
from freehold.kernel.names import qualified
from freehold.kernel.objects import Column, Key, Object, Schema, Table, TableFacts

ROOM = "model"


def metadata_objects(metadata: sa.MetaData, classes: Mapping[tuple[str, str], Class]) -> Iterator[Object]:
    """Every object that the metadata asks for, tables before what stands on them."""
    tables = metadata.sorted_tables
    yield from _schemas(tables)
    yield from types_of(tables)
    yield from sequences_of(metadata)
    for table in tables:
        yield _table(table, classes.get(name_of(table)))
    standing = {table: tuple(constraints_of(table)) for table in tables}
    for table in tables:
        yield from (item for item in standing[table] if item.type != "f")
        yield from indexes_of(table)
    for table in tables:  # two tables may refer to each other, and both keys must be there first
        yield from (item for item in standing[table] if item.type == "f")


def _schemas(tables: Iterable[sa.Table]) -> Iterator[Schema]:
    names = dict.fromkeys(name_of(table)[0] for table in tables)
    return (Schema(schema=name, room=ROOM, reason="the models' tables live in it") for name in names)


def _table(table: sa.Table, classified: Class | None) -> Table:
    schema, name = name_of(table)
    parent, bound = table.info.get("partition_of", ("", ""))
    options = table.dialect_options["postgresql"]
    storage = options.get("with") or {}
    return Table(
        schema=schema,
        table=name,
        persistence="u" if "UNLOGGED" in table._prefixes else "p",
        partition_key=options.get("partition_by") or "",
        parent=qualified(*parent.split(".")) if parent else "",
        bound=bound,
        options=tuple(sorted(f"{key}={value}" for key, value in storage.items())),
        comment=table.comment or "",
        columns=tuple(_column(table, column) for column in table.columns),
        facts=_facts(classified),
        after=(Key("table", tuple(parent.split("."))),) if parent else (),
        room=ROOM,
        reason="a model's table",
    )


def _facts(classified: Class | None) -> TableFacts:
    if classified is None:
        return TableFacts()
    role = "model" if classified.ownership is Ownership.TENANT else str(classified.ownership)
    return TableFacts(role=role, tenant_column=classified.tenant_column, log_only=classified.log_only)


def partition_of(parent: str, bound: str) -> dict[str, tuple[str, str]]:
    """The ``info`` of a table that is a partition of ``schema.parent``.

    >>> partition_of("app.reading", "FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')")["partition_of"][0]
    'app.reading'
    """
    return {"partition_of": (parent, bound)}


def _column(table: sa.Table, column: sa.Column[Any]) -> Column:
    schema, name = name_of(table)
    default, identity, options, generated = _default(table, column)
    return Column(
        schema=schema,
        table=name,
        column=column.name,
        type=_type(column),
        not_null=not column.nullable,
        default=default,
        identity=identity,
        identity_options=options,
        generated=generated,
        collation=_collation(column),
        comment=column.comment or "",
        room=ROOM,
        reason=f"a column of the model {name}",
    )


def _type(column: sa.Column[Any]) -> str:
    try:
        text = str(TYPES.process(column.type, type_expression=column))
    except sa.exc.CompileError as error:
        raise DeclarationError(
            f"Column {column.table.fullname}.{column.name} has a type that PostgreSQL cannot be told",
            detail=str(error),
            hint="Give the column a SQLAlchemy type.",
        ) from error
    return text.partition(" COLLATE ")[0]


def _collation(column: sa.Column[Any]) -> str:
    collation = getattr(column.type, "collation", None)
    return qualified(*collation.split(".")) if collation else ""


def _default(table: sa.Table, column: sa.Column[Any]) -> tuple[str, str, str, str]:
    """``(default, identity, identity options, generated)`` of a column."""
    if column.computed is not None:
        text = str(DDL.sql_compiler.process(column.computed.sqltext, include_table=False, literal_binds=True))
        return text, "", "", "v" if column.computed.persisted is False else "s"
    if column.identity is not None:
        options = str(DDL.get_identity_options(column.identity))
        return "", "a" if column.identity.always else "d", options, ""
    if column is table.autoincrement_column and column.server_default is None:
        return "", "d", "", ""
    return str(DDL.get_column_default_string(column) or ""), "", "", ""
