"""What an application calls: rows that hold at a moment, and a value from a moment on or for a while."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import DATERANGE, Range
from sqlalchemy.orm import Mapper, Session

from freehold.errors import InputError
from freehold.kernel.declare import column_of, name_of
from freehold.rooms.valid_time.declare import period_of

Moment = date | datetime


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of the rows that held before: shortened ones, ones cut in two, and ones that hold no longer."""

    shortened: int
    cut: int
    ended: int


def valid_at(entity: Any, moment: Moment, *, during: str = "") -> sa.ColumnElement[bool]:
    """The condition that a row holds at a moment, to be used in ``select()``.

    With an entity of another day (``as_of`` of history) it answers what was then believed of the moment.

    Parameters
    ----------
    entity
        A mapped class with one period, or an alias of one.
    moment
        A date for DATERANGE, a time for the others; one with a zone for TSTZRANGE.
    during
        The column, where the table has several periods.

    Raises
    ------
    DeclarationError
        The table has no period, or several.
    InputError
        The moment is not of the period's kind.

    >>> session.scalars(select(Price).where(valid_at(Price, date(2026, 1, 1))))  # doctest: +SKIP
    """
    mapper: Mapper[Any] = sa.inspect(entity).mapper
    column = _period(mapper.local_table, during)
    _check(moment, column)
    attribute = mapper.get_property_by_column(mapper.local_table.c[column.name]).key
    found: sa.ColumnElement[bool] = getattr(entity, attribute).op("@>", is_comparison=True)(
        sa.literal(moment, _kind(column))
    )
    return found


def set_from(
    session: Session, entity: type[Any], key: Mapping[str, Any], values: Mapping[str, Any], begin: Moment
) -> Settled:
    """Let a value hold from a moment on, for good.

    Parameters and errors are those of `set_between`.

    >>> set_from(session, Price, {"product_id": 7}, {"amount": 12}, date(2026, 1, 1))  # doctest: +SKIP
    """
    return set_between(session, entity, key, values, begin, None)


def set_between(
    session: Session,
    entity: type[Any],
    key: Mapping[str, Any],
    values: Mapping[str, Any],
    begin: Moment | None,
    end: Moment | None,
    *,
    during: str = "",
) -> Settled:
    """Let a value hold from ``begin`` until just before ``end``; what held then is shortened, cut in two, or ends.

    Ordinary writes by the caller's rights: policies judge them and history records them. Nothing is committed by this.
    Rows are locked before they are changed; where two transactions write the same key at once, the key over time lets
    one of them in.

    Parameters
    ----------
    session
        Under the tenant.
    entity
        A mapped class that has a `ValidTime`; the columns of its primary key that are not part of the key over time
        need a default.
    key
        Attributes of the key over time with their values; the tenant's is added by the session.
    values
        Attributes of the new row.
    begin, end
        None is unbounded.
    during
        The column, where the table has several periods.

    Raises
    ------
    InputError
        The period is empty, or a moment is not of its kind.
    ExclusionViolated
        Another transaction has written the same key meanwhile; run again.
    """
    column = _period(sa.inspect(entity).local_table, during)
    for moment in (begin, end):
        if moment is not None:
            _check(moment, column)
    period: Range[Any] = Range(begin, end, bounds="[)")
    if period.is_empty or (begin is not None and end is not None and begin >= end):
        raise InputError(f"From {begin} until {end} is no time", hint="The end comes after the beginning.")
    return _Change(session, entity, dict(key), column, period).make(values)


@dataclass(frozen=True)
class _Change:
    session: Session
    entity: type[Any]
    key: Mapping[str, Any]
    column: sa.Column[Any]
    period: Range[Any]

    def make(self, values: Mapping[str, Any]) -> Settled:
        """Make room first and fill it then: the key over time is judged row by row."""
        held = self._held()
        rests = [(row, self._rests(row)) for row in held]
        copies = []
        for row, parts in rests:
            if not parts:
                self.session.delete(row)
                continue
            setattr(row, self._attribute, parts[0])
            copies += [self._copy(row, part) for part in parts[1:]]
        self.session.flush()
        self.session.add_all([*copies, self.entity(**self.key, **values, **{self._attribute: self.period})])
        self.session.flush()
        whole = [len(parts) for _, parts in rests]
        return Settled(whole.count(1), whole.count(2), whole.count(0))

    @property
    def _mapper(self) -> Mapper[Any]:
        return cast("Mapper[Any]", sa.inspect(self.entity))

    @property
    def _attribute(self) -> str:
        return self._mapper.get_property_by_column(self._mapper.local_table.c[self.column.name]).key

    def _held(self) -> list[Any]:
        """The rows that hold at some time of the period, locked in one order."""
        during = getattr(self.entity, self._attribute)
        overlaps = during.op("&&", is_comparison=True)(sa.literal(self.period, self.column.type))
        wanted = [getattr(self.entity, name) == value for name, value in self.key.items()]
        query = sa.select(self.entity).where(*wanted, overlaps).order_by(during).with_for_update()
        return list(self.session.scalars(query.execution_options(populate_existing=True)))

    def _rests(self, row: Any) -> list[Range[Any]]:
        """What is left of a row's period: before, after, both, or nothing."""
        held: Range[Any] = getattr(row, self._attribute)
        low, high = self.period.lower, self.period.upper
        before = low is not None and (held.lower is None or held.lower < low)
        after = high is not None and (held.upper is None or held.upper > high)
        rests = [Range(held.lower, low, bounds="[)")] if before else []
        return [*rests, Range(high, held.upper, bounds="[)")] if after else rests

    def _copy(self, row: Any, part: Range[Any]) -> Any:
        """The row's values for another time, with a primary key of its own."""
        drawn = {column.name for column in self._mapper.primary_key} - self._key_columns()
        values = {
            each.key: getattr(row, each.key)
            for each in self._mapper.column_attrs
            if each.columns[0].name not in drawn and each.columns[0].computed is None
        }
        return self.entity(**{**values, self._attribute: part})

    def _key_columns(self) -> set[str]:
        """Columns that a copy shares with its row: the key over time, and the tenant's."""
        named = {column_of(self.entity, self._mapper.attrs[name].columns[0].name).name for name in self.key}
        tenants = getattr(self.session, "_tenant_columns", {})
        return named | {tenants.get(self._mapper.local_table, "")}


def _period(table: Any, during: str) -> sa.Column[Any]:
    return table.c[during] if during else period_of(table)


def _kind(column: sa.Column[Any]) -> sa.types.TypeEngine[Any]:
    """The type of a moment of the period."""
    if isinstance(column.type, DATERANGE):
        return sa.Date()
    return sa.DateTime(timezone=column.type.__visit_name__ == "TSTZRANGE")


def _check(moment: Moment, column: sa.Column[Any]) -> None:
    day = isinstance(column.type, DATERANGE)
    zoned = column.type.__visit_name__ == "TSTZRANGE"
    fits = day != isinstance(moment, datetime) and (day or (moment.tzinfo is not None) == zoned)  # type: ignore[union-attr]
    if not fits:
        needed = "a date" if day else f"a datetime {'with' if zoned else 'without'} a zone"
        raise InputError(
            f"{moment!r} is no moment of {'.'.join(name_of(column.table))}.{column.name}", hint=f"Give {needed}."
        )
