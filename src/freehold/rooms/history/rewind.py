"""Rows as they were, written again: ordinary writes by the caller's rights, which history records as new versions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.expression import ClauseElement, Executable

from freehold.kernel.declare import table_of
from freehold.rooms.history.key import key_of
from freehold.rooms.history.runtime import as_of


@dataclass(frozen=True, slots=True)
class Rewound:
    """How many rows were written again, changed back, and deleted because they were not there yet."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0

    def __add__(self, other: Rewound) -> Rewound:
        return Rewound(self.inserted + other.inserted, self.updated + other.updated, self.deleted + other.deleted)


def rewind(session: Session, entity: type[Any], key: Any, when: datetime) -> Rewound:
    """Bring one row back to what it was at a moment: changed, inserted again, or deleted if it was not there.

    Parameters
    ----------
    session
        Under the tenant; nothing is committed by this.
    entity
        A mapped class that has a `History`.
    key
        The primary key: a value, or a tuple in the key's order.
    when
        A time with a zone.

    Raises
    ------
    InputError
        The time has no zone, or the key another number of values than the primary key.
    ConstraintViolated
        The past row does not fit the present: its unique key is taken, what it refers to is gone, rows refer to it, or
        a rule of the table refuses the change.
    """
    wanted = key_of(entity, key)
    return _Slice(session, entity, when, wanted).write() + _Slice(session, entity, when, wanted).remove()


def rewind_all(session: Session, entities: Iterable[type[Any]], when: datetime) -> Rewound:
    """Bring all rows of some entities that the session's tenant owns back to what they were at a moment.

    Rows are written parents first, and then removed children first; name the entities that belong together.

    Parameters and errors are those of `rewind`.
    """
    named = {table_of(entity): entity for entity in entities}
    tables = [table for table in next(iter(named)).metadata.sorted_tables if table in named] if named else []
    slices = [_Slice(session, named[table], when, {}) for table in tables]
    done = Rewound()
    for each in slices:
        done += each.write()
    for each in reversed(slices):
        done += each.remove()
    session.expire_all()
    return done


class _Slice:
    """Some rows of one table, now and then."""

    def __init__(self, session: Session, entity: type[Any], when: datetime, key: dict[str, Any]) -> None:
        session.flush()
        self.session = session
        self.table = table_of(entity)
        past = sa.inspect(as_of(entity, when)).selectable
        self.then = sa.select(*(past.c[column.name] for column in self.table.columns)).subquery("then")
        self.key = [column.name for column in self.table.primary_key.columns]
        self.only = key
        self.tenant = self._tenant()

    def _tenant(self) -> dict[str, Any]:
        """Row security keeps other tenants' rows away; saying so lets an administrator's session do as much."""
        columns = getattr(self.session, "_tenant_columns", {})
        name = columns.get(self.table)
        return {name: self.session.tenant} if name else {}  # type: ignore[attr-defined]

    def write(self) -> Rewound:
        """Change back what is there, and insert what is not."""
        written = [c.name for c in self.table.columns if c.computed is None]
        plain = [c for c in written if c not in self.key and not _always(self.table.c[c])]
        updated = 0
        if plain:
            changed = sa.or_(*(_differs(self.table.c[name], self.then.c[name]) for name in plain))
            update = sa.update(self.table).values({name: self.then.c[name] for name in plain})
            updated = self._run(update.where(self._same(), changed, *self._mine(self.table)))
        missing = sa.select(*(self.then.c[name] for name in written)).where(
            ~sa.exists().where(self._same()).correlate(self.then), *self._mine(self.then)
        )
        return Rewound(inserted=self._run(_Insert(self.table, written, missing)), updated=updated)

    def remove(self) -> Rewound:
        """Delete what was not there."""
        there = sa.exists().where(self._same()).correlate(self.table)
        deleted = self._run(sa.delete(self.table).where(~there, *self._mine(self.table)))
        return Rewound(deleted=deleted)

    def _same(self) -> sa.ColumnElement[bool]:
        return sa.and_(*(self.table.c[name] == self.then.c[name] for name in self.key))

    def _mine(self, rows: Any) -> list[sa.ColumnElement[bool]]:
        return [rows.c[name] == value for name, value in {**self.tenant, **self.only}.items()]

    def _run(self, statement: Any) -> int:
        return int(self.session.connection().execute(statement).rowcount)


def _always(column: sa.Column[Any]) -> bool:
    return column.identity is not None and bool(column.identity.always)


def _differs(now: sa.ColumnElement[Any], then: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """JSON has no equality; its text has."""
    if isinstance(now.type, sa.JSON) and not isinstance(now.type, JSONB):
        return sa.cast(now, sa.Text).is_distinct_from(sa.cast(then, sa.Text))
    return now.is_distinct_from(then)


class _Insert(Executable, ClauseElement):
    """INSERT of whole rows, numbers that the database would draw included."""

    inherit_cache = False
    is_dml = True

    def __init__(self, table: sa.Table, names: list[str], rows: sa.Select[Any]) -> None:
        self.table, self.names, self.rows = table, names, rows


@compiles(_Insert)
def _compile_insert(element: _Insert, compiler: Any, **options: Any) -> str:
    prepare = compiler.preparer
    names = ", ".join(prepare.quote(name) for name in element.names)
    rows = compiler.process(element.rows, **options)
    return f"INSERT INTO {prepare.format_table(element.table)} ({names}) OVERRIDING SYSTEM VALUE {rows}"
