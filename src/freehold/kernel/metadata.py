"""SQLAlchemy metadata as objects: what the models say, in the kernel's words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import DOMAIN, ExcludeConstraint
from sqlalchemy.dialects.postgresql import ENUM as PG_ENUM
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.schema import CreateIndex

from freehold.errors import DeclarationError
from freehold.kernel.declare import name_of
from freehold.kernel.model import Class, Ownership
from freehold.kernel.names import qualified
from freehold.kernel.objects import (
    Column,
    Constraint,
    Domain,
    Enum,
    Index,
    Key,
    Object,
    Schema,
    Sequence,
    Table,
    TableFacts,
)

ROOM = "model"
IDENTIFIER_LIMIT = 63
"""Bytes of an identifier that PostgreSQL keeps (NAMEDATALEN - 1); it cuts longer ones without an error."""

_dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call]
_ddl = _dialect.ddl_compiler(_dialect, None)  # type: ignore[arg-type]
_types = _dialect.type_compiler_instance

_CONTYPES: Mapping[type[Any], tuple[str, str]] = {
    sa.PrimaryKeyConstraint: ("p", "pkey"),
    sa.UniqueConstraint: ("u", "key"),
    sa.ForeignKeyConstraint: ("f", "fkey"),
    sa.CheckConstraint: ("c", "check"),
    ExcludeConstraint: ("x", "excl"),
}


def metadata_objects(metadata: sa.MetaData, classes: Mapping[tuple[str, str], Class]) -> Iterator[Object]:
    """Every object that the metadata asks for, tables before what stands on them."""
    tables = metadata.sorted_tables
    yield from _schemas(tables)
    yield from _types_of(metadata, tables)
    yield from _sequences(metadata)
    for table in tables:
        yield _table(table, classes.get(name_of(table)))
    for table in tables:
        yield from _constraints(table)
        yield from _indexes(table)


def _schemas(tables: Iterable[sa.Table]) -> Iterator[Schema]:
    names = dict.fromkeys(name_of(table)[0] for table in tables)
    return (Schema(schema=name, room=ROOM, reason="the models' tables live in it") for name in names)


def _types_of(metadata: sa.MetaData, tables: Iterable[sa.Table]) -> Iterator[Object]:
    seen: set[tuple[str, str]] = set()
    for table in tables:
        for column in table.columns:
            kind = column.type.dialect_impl(_dialect)
            item = _enum(kind, table) or _domain(kind, table)
            if item and item.name not in seen:
                seen.add((item.name[0], item.name[1]))
                yield item


def _enum(kind: Any, table: sa.Table) -> Enum | None:
    if not isinstance(kind, PG_ENUM) or not kind.name:
        return None
    schema = kind.schema or "public"
    return Enum(
        schema=schema,
        type_name=kind.name,
        labels=tuple(kind.enums),
        room=ROOM,
        reason=f"a column of {table.name} has this type",
    )


def _domain(kind: Any, table: sa.Table) -> Domain | None:
    if not isinstance(kind, DOMAIN) or not kind.name:
        return None
    check = f"CHECK ({kind.check})" if kind.check is not None else ""
    return Domain(
        schema=kind.schema or "public",
        type_name=kind.name,
        base=_types.process(kind.data_type),
        not_null=bool(kind.not_null),
        default=str(kind.default) if kind.default is not None else "",
        checks=((str(kind.constraint_name or f"{kind.name}_check"), check),) if check else (),
        room=ROOM,
        reason=f"a column of {table.name} has this type",
    )


def _sequences(metadata: sa.MetaData) -> Iterator[Sequence]:
    for sequence in metadata._sequences.values():
        yield Sequence(
            schema=sequence.schema or metadata.schema or "public",
            sequence=sequence.name,
            start=sequence.start or 1,
            increment=sequence.increment or 1,
            room=ROOM,
            reason="the metadata has this sequence",
        )


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
    return TableFacts(role=role, tenant_column=classified.tenant_column)


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
        text = str(_types.process(column.type, type_expression=column))
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
        text = str(_ddl.sql_compiler.process(column.computed.sqltext, include_table=False, literal_binds=True))
        return text, "", "", "v" if column.computed.persisted is False else "s"
    if column.identity is not None:
        options = str(_ddl.get_identity_options(column.identity))
        return "", "a" if column.identity.always else "d", options, ""
    if column is table.autoincrement_column and column.server_default is None:
        return "", "d", "", ""
    return str(_ddl.get_column_default_string(column) or ""), "", "", ""


def _constraints(table: sa.Table) -> Iterator[Constraint]:
    of_columns = {constraint for column in table.columns for constraint in column.constraints}
    found = [c for c in table.constraints | of_columns if isinstance(c, tuple(_CONTYPES))]
    ordered = sorted(found, key=lambda c: (list(_CONTYPES).index(_kind(c)), str(c.name or "")))
    for constraint in ordered:
        if isinstance(constraint, sa.PrimaryKeyConstraint) and not constraint.columns:
            continue
        if _skipped(constraint):
            continue
        yield _constraint(table, constraint)


def _kind(constraint: sa.Constraint) -> type[Any]:
    return next(kind for kind in _CONTYPES if isinstance(constraint, kind))


def _skipped(constraint: sa.Constraint) -> bool:
    """SQLAlchemy's own CHECK of a boolean or enum that is native here."""
    return bool(getattr(constraint, "_type_bound", False)) and not _applies(constraint)


def _applies(constraint: sa.Constraint) -> bool:
    rule = getattr(constraint, "_create_rule", None)
    return rule is None or bool(rule(_ddl))


def _constraint(table: sa.Table, constraint: sa.Constraint) -> Constraint:
    schema, name = name_of(table)
    contype, suffix = _CONTYPES[_kind(constraint)]
    columns = tuple(column.name for column in getattr(constraint, "columns", ()))
    chosen = _name(constraint) or default_name(name, () if contype == "p" else columns, suffix)
    text = str(_ddl.process(constraint))
    if text.startswith("CONSTRAINT "):
        text = text.split(" ", 2)[2] if not text.startswith('CONSTRAINT "') else text.partition('" ')[2]
    return Constraint(
        schema=schema,
        table=name,
        constraint=_checked(chosen, table),
        type=contype,
        definition=text,
        columns=columns,
        room=ROOM,
        reason=f"a constraint of the model {name}",
        after=_referred(constraint),
    )


def _referred(constraint: sa.Constraint) -> tuple[Key, ...]:
    if not isinstance(constraint, sa.ForeignKeyConstraint):
        return ()
    return (Key("table", name_of(constraint.referred_table)),)


def _name(constraint: sa.Constraint) -> str:
    if constraint.name is None:
        return ""
    formatted = _dialect.identifier_preparer.format_constraint(constraint)
    return str(formatted).strip('"') if formatted else ""


def default_name(table: str, columns: tuple[str, ...], suffix: str) -> str:
    """The name that PostgreSQL would choose, so that an unnamed constraint keeps the one it has."""
    return "_".join((table, *columns, suffix))


def _checked(name: str, table: sa.Table) -> str:
    if len(name.encode()) > IDENTIFIER_LIMIT:
        raise DeclarationError(
            f"The name {name} on table {table.fullname} is longer than {IDENTIFIER_LIMIT} bytes",
            detail="PostgreSQL would cut it without an error.",
            hint="Give the constraint or index a shorter name, at most 45 bytes where it may run on Citus.",
        )
    return name


def _indexes(table: sa.Table) -> Iterator[Index]:
    schema, name = name_of(table)
    for index in sorted(table.indexes, key=lambda item: str(item.name)):
        definition = str(CreateIndex(index).compile(dialect=_dialect)).strip()
        yield Index(
            schema=schema,
            table=name,
            index=_checked(str(_dialect.identifier_preparer.format_index(index)).strip('"'), table),
            definition=definition,
            room=ROOM,
            reason=f"an index of the model {name}",
        )
