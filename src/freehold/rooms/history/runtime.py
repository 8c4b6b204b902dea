"""Reading the past through the ORM: versions as mapped rows, an entity or a whole session as it was at a moment."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapper, Session, aliased, registry

from freehold.errors import InputError
from freehold.kernel.declare import name_of, table_of
from freehold.rooms.history.declare import history_name
from freehold.rooms.history.past import MOMENT, past_schema

E = TypeVar("E")

_OWN: tuple[tuple[str, type[sa.types.TypeEngine[Any]]], ...] = (
    ("operation", sa.Text),
    ("actor", sa.Text),
    ("transaction_id", sa.Uuid),
    ("ended_operation", sa.Text),
    ("ended_actor", sa.Text),
    ("ended_transaction_id", sa.Uuid),
)


class Moment(sa.types.TypeDecorator[datetime]):
    """A time that may be infinite: it reads as None, since Python's ``datetime`` ends with the year 9999."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def column_expression(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        """Select infinity as NULL; comparisons still see the column itself, and so its index."""
        finite = sa.and_(column != sa.literal_column("'infinity'"), column != sa.literal_column("'-infinity'"))
        return sa.case((finite, column))


def versions_of(entity: type[E]) -> type[E]:
    """A mapped class of all versions of an entity, each with ``valid_from``, ``valid_to``, ``operation``, ``actor`` …

    It has the entity's columns under the entity's attribute names, and no relationships. ``valid_to`` is None while a
    version is current, and ``valid_from`` where it began before history did. Rows that no trigger has
    seen are among them.

    >>> versions = versions_of(Customer)  # doctest: +SKIP
    >>> session.scalars(select(versions).order_by(versions.valid_from))  # doctest: +SKIP
    """
    return cast("type[E]", _version_class(cast("Any", entity)))


@cache
def _version_class(entity: Any) -> type[Any]:
    mapper: Mapper[Any] = sa.inspect(entity)
    table = _versions(table_of(entity))
    kind = type(f"{entity.__name__}Version", (), {"__doc__": f"A version of {entity.__name__}."})
    names = {attribute.columns[0].name: attribute.key for attribute in mapper.column_attrs}
    registry().map_imperatively(
        kind,
        table,
        # valid_from never changes, while valid_to of a version does.
        primary_key=[*(table.c[name] for name in _key(table_of(entity))), table.c.valid_from],
        properties={key: table.c[name] for name, key in names.items() if key != name},
    )
    return kind


def as_of(entity: type[E], when: datetime, *, name: str | None = None) -> type[E]:
    """An entity as it was at a moment, to be used in ``select()`` and joins like the entity itself.

    Rows that were there before history began, and never changed since, are read from their table. Instances are
    versions: they have the entity's columns, no relationships, and no life in the present.

    Parameters
    ----------
    entity
        A mapped class that has a `History`.
    when
        A time with a zone.
    name
        The alias in SQL.

    Raises
    ------
    InputError
        The time has no zone.

    >>> past = as_of(Customer, datetime(2011, 3, 1, tzinfo=UTC))  # doctest: +SKIP
    >>> session.scalars(select(past).where(past.id == 17850))  # doctest: +SKIP
    """
    versions = versions_of(entity)
    return cast("type[E]", aliased(versions, _at(versions, table_of(entity), _zoned(when), name), adapt_on_names=True))


def between(entity: type[E], begin: datetime, end: datetime, *, name: str | None = None) -> type[E]:
    """The versions of an entity that were valid at some time from ``begin`` until just before ``end``.

    Parameters and errors are those of `as_of`.

    >>> spring = between(Price, datetime(2011, 3, 1, tzinfo=UTC), datetime(2011, 6, 1, tzinfo=UTC))  # doctest: +SKIP
    """
    versions = versions_of(entity)
    found = _during(versions, table_of(entity), _zoned(begin), _zoned(end), name)
    return cast("type[E]", aliased(versions, found, adapt_on_names=True))


def look_back(session: Session, models: type[DeclarativeBase] | sa.MetaData, when: datetime) -> None:
    """From here on, the session sees every table as it was at a moment: entities, joins, relationships, aggregates.

    It lasts until the transaction ends, and is for reading: the application may not write the past. A table without a
    history is not there. Under asyncio: ``await session.run_sync(look_back, Base, when)``, where the session allows it.

    Parameters
    ----------
    session
        One that has loaded nothing yet.
    models
        The base of the models, or their metadata.
    when
        A time with a zone.

    Raises
    ------
    InputError
        The time has no zone, or the session holds objects of the present, which the past would mix with.

    >>> look_back(session, Base, datetime(2011, 3, 1, tzinfo=UTC))  # doctest: +SKIP
    >>> session.get_one(Customer, (tenant, 17850)).orders  # doctest: +SKIP
    """
    if session.new or session.identity_map:
        raise InputError(
            "The session holds objects of the present", hint="Look back first in a transaction of its own."
        )
    moment = _zoned(when).astimezone(UTC).isoformat()
    session.execute(sa.select(sa.func.set_config(MOMENT, moment, True)))
    metadata = models if isinstance(models, sa.MetaData) else models.metadata
    schemas = {table.schema for table in metadata.tables.values()}
    session.connection().execution_options(
        schema_translate_map={schema: past_schema(schema or "public") for schema in schemas}
    )


def _zoned(when: datetime) -> datetime:
    if when.tzinfo is None:
        raise InputError(
            f"The time {when.isoformat()} has no zone, so that it names a different moment in each session",
            hint="Give a datetime with tzinfo, such as datetime(2011, 3, 1, tzinfo=UTC).",
        )
    return when


def _at(versions: type[Any], base: sa.Table, when: datetime, name: str | None) -> sa.Subquery:
    """Versions valid at a moment."""
    moment = sa.literal(when, sa.DateTime(timezone=True))
    found = sa.inspect(versions).local_table
    valid = sa.and_(found.c.valid_from <= moment, found.c.valid_to > moment)
    return sa.select(*found.columns).where(valid).subquery(name or f"{base.name}_as_of")


def _during(versions: type[Any], base: sa.Table, begin: datetime, end: datetime, name: str | None) -> sa.Subquery:
    """Versions valid at some time of a period."""
    first, last = (sa.literal(moment, sa.DateTime(timezone=True)) for moment in (begin, end))
    found = sa.inspect(versions).local_table
    valid = sa.and_(found.c.valid_from < last, found.c.valid_to > first)
    return sa.select(*found.columns).where(valid).subquery(name or f"{base.name}_between")


def _versions(base: sa.Table) -> sa.Table:
    """The view of all versions for SQLAlchemy, in a metadata of its own."""
    schema, table = name_of(base)
    return sa.Table(
        history_name(table),
        sa.MetaData(),
        *(sa.Column(column.name, column.type) for column in base.columns),
        sa.Column("valid_from", Moment()),
        sa.Column("valid_to", Moment()),
        *(sa.Column(name, kind) for name, kind in _OWN),
        schema=past_schema(schema),
    )


def _key(base: sa.Table) -> tuple[str, ...]:
    return tuple(column.name for column in base.primary_key.columns)
