"""The constraints and indexes that SQLAlchemy metadata asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.schema import CreateIndex

from freehold.kernel.declare import name_of
from freehold.kernel.dialect import DDL, DIALECT, bare, checked
from freehold.kernel.objects import Constraint, Index, Key

ROOM = "model"

_CONTYPES: Mapping[type[Any], tuple[str, str]] = {
    sa.PrimaryKeyConstraint: ("p", "pkey"),
    sa.UniqueConstraint: ("u", "key"),
    sa.ForeignKeyConstraint: ("f", "fkey"),
    sa.CheckConstraint: ("c", "check"),
    ExcludeConstraint: ("x", "excl"),
}


def constraints_of(table: sa.Table) -> Iterator[Constraint]:
    """The constraints of a table, those first that others refer to."""
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
    return rule is None or bool(rule(DDL))


def _constraint(table: sa.Table, constraint: sa.Constraint) -> Constraint:
    schema, name = name_of(table)
    contype, suffix = _CONTYPES[_kind(constraint)]
    columns = tuple(column.name for column in getattr(constraint, "columns", ()))
    chosen = _name(constraint) or default_name(name, () if contype == "p" else columns, suffix)
    text = str(DDL.process(constraint))
    if constraint.name is not None:
        text = text.removeprefix(f"CONSTRAINT {DIALECT.identifier_preparer.format_constraint(constraint)} ")
    return Constraint(
        schema=schema,
        table=name,
        constraint=checked(chosen, table.fullname),
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
    return bare(DIALECT.identifier_preparer.format_constraint(constraint)) if constraint.name is not None else ""


def default_name(table: str, columns: tuple[str, ...], suffix: str) -> str:
    """The name that PostgreSQL would choose, so that an unnamed constraint keeps the one it has."""
    return "_".join((table, *columns, suffix))


def indexes_of(table: sa.Table) -> Iterator[Index]:
    """The indexes of a table that stand behind no constraint."""
    schema, name = name_of(table)
    for index in sorted(table.indexes, key=lambda item: str(item.name)):
        definition = str(CreateIndex(index).compile(dialect=DIALECT)).strip()
        yield Index(
            schema=schema,
            table=name,
            index=checked(bare(DIALECT.identifier_preparer.format_index(index)), table.fullname),
            definition=definition,
            room=ROOM,
            reason=f"an index of the model {name}",
        )
