"""Seeing and restoring deleted rows from an application."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapper, Session, aliased, column_property, registry

from freehold.errors import InputError
from freehold.kernel.declare import Entity, name_of, table_of
from freehold.rooms.soft_delete.layout import deleted_name, function_name

E = TypeVar("E")

_OWN: tuple[tuple[str, sa.types.TypeEngine[Any]], ...] = (
    ("deletion", sa.BigInteger()),
    ("deleted_at", sa.DateTime(timezone=True)),
    ("deleted_by", sa.Text()),
    ("transaction_id", sa.Uuid()),
)


def deleted(entity: type[E]) -> type[E]:
    """A mapped class of deleted rows, with ``deleted_at``, ``deleted_by``, ``transaction_id`` and ``deletion``.

    It has the entity's columns under the entity's attribute names, and no relationships. A table gives a table,
    which the fast path takes.

    >>> gone = deleted(Customer)  # doctest: +SKIP
    >>> session.scalars(select(gone).where(gone.deleted_by == "ann"))  # doctest: +SKIP
    """
    return cast("type[E]", _table(entity) if isinstance(entity, sa.Table) else _class(cast("Any", entity)))


def with_deleted(entity: type[E], *, name: str | None = None) -> type[E]:
    """Live and deleted rows of an entity together, told apart by ``is_deleted``.

    Of a table it gives a subquery, which the fast path takes. ``name`` is the alias in SQL.

    >>> everybody = with_deleted(Customer)  # doctest: +SKIP
    >>> session.scalars(select(everybody).where(everybody.is_deleted))  # doctest: +SKIP
    """
    if isinstance(entity, sa.Table):
        return cast("type[E]", _together(entity, _table(entity), name))
    kind = _class(cast("Any", entity))
    both = _together(table_of(entity), sa.inspect(kind).local_table, name)
    return cast("type[E]", aliased(kind, both, adapt_on_names=True))


@cache
def _class(entity: Any) -> type[Any]:
    mapper: Mapper[Any] = sa.inspect(entity)
    base = table_of(entity)
    table = _table(base)
    kind = type(f"Deleted{entity.__name__}", (), {"__doc__": f"A deleted {entity.__name__}."})
    names = {attribute.columns[0].name: attribute.key for attribute in mapper.column_attrs}
    registry().map_imperatively(
        kind,
        table,
        primary_key=[*(table.c[column.name] for column in base.primary_key.columns), table.c.deletion],
        properties={
            **{key: table.c[name] for name, key in names.items() if key != name and name in table.c},
            "is_deleted": column_property(table.c.deletion.is_not(None)),
        },
    )
    return kind


@cache
def _table(base: sa.Table) -> sa.Table:
    """The table of deleted rows for SQLAlchemy, in a metadata of its own."""
    schema, table = name_of(base)
    return sa.Table(
        deleted_name(table),
        sa.MetaData(),
        *(sa.Column(column.name, column.type) for column in base.columns),
        *(sa.Column(name, kind) for name, kind in _OWN),
        schema=schema,
    )


def _together(base: sa.Table, gone: sa.Table, name: str | None) -> sa.Subquery:
    nothing = [sa.cast(sa.null(), kind).label(own) for own, kind in _OWN]
    live = sa.select(*base.columns, *nothing, sa.false().label("is_deleted"))
    dead = sa.select(*gone.columns, sa.true().label("is_deleted"))
    return sa.union_all(live, dead).subquery(name or f"{base.name}_with_deleted")


def restoring(entity: Entity, key: Any, *, at: Any = None) -> sa.Select[int]:
    """The statement that restores a row, for an asynchronous session, the asynchronous fast path, or a batch.

    Parameters and errors are those of `restore`; the statement returns one number, that of the rows restored.

    >>> await session.scalar(restoring(Customer, (tenant, 17850)))  # doctest: +SKIP
    """
    base = table_of(entity)
    gone = _table(base)
    values = key if isinstance(key, tuple) else (key,)
    columns = [gone.c[column.name] for column in base.primary_key.columns]
    if len(values) != len(columns):
        raise InputError(
            f"A key of {'.'.join(name_of(base))} has {len(columns)} values, and {len(values)} were given",
            detail="Its columns are " + ", ".join(column.name for column in columns) + ".",
            hint="Give the values in the order of the primary key.",
        )
    found = sa.select(gone.c.deletion).where(*(c == value for c, value in zip(columns, values, strict=True)))
    if at is not None:
        found = found.where(gone.c.deleted_at == at)
    last = found.order_by(gone.c.deletion.desc()).limit(1).scalar_subquery()
    schema, table = name_of(base)
    function = getattr(getattr(sa.func, schema), function_name("restore", table))
    return sa.select(function(last, type_=sa.BigInteger()).label("restored"))


def restore(session: Any, entity: Entity, key: Any, *, at: Any = None) -> int:
    """Bring back a deleted row, and all that was deleted with it; the number of rows.

    They are inserted by the caller's rights, so that row security, triggers and history see them. Children that were
    deleted in the same transaction come back with their parent; one with two deleted parents comes back with the last.

    Parameters
    ----------
    session
        A session, a transaction of the fast path, or a connection of SQLAlchemy.
    entity
        A mapped class or a table that has a `SoftDelete`.
    key
        The primary key: a value, or a tuple in the key's order.
    at
        ``deleted_at`` of the deletion that is meant; the last one where it is None.

    Raises
    ------
    InputError
        The key has another number of values than the primary key.
    DeletedRowMissing
        No such row is there: never deleted, restored, purged, or another tenant's.
    RestoreConflict
        A live row has taken its key, or another unique one.
    ParentMissing
        What the row refers to is not there.
    RestoreAltered
        A trigger of the table has changed the row while it was inserted.
    """
    if isinstance(session, Session):
        session.flush()
    return int(session.execute(restoring(entity, key, at=at)).scalar_one())
