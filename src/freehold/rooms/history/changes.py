"""What changed on one row, by whom, from what to what: as data, as text, as HTML."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from html import escape
from itertools import groupby
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from freehold.rooms.history.key import key_of
from freehold.rooms.history.runtime import versions_of


@dataclass(frozen=True, slots=True)
class Change:
    """One attribute of one row: what it was before, and what it is after.

    ``at`` is None for what was there before history began. ``operation`` is INSERT, UPDATE, DELETE, TRUNCATE, BEFORE or
    CATCH UP.
    """

    at: datetime | None
    actor: str | None
    transaction_id: UUID | None
    operation: str
    attribute: str
    before: Any
    after: Any


def changes_of(session: Session, entity: type[Any], key: Any) -> list[Change]:
    """Every change of one row, in their order.

    Parameters
    ----------
    session
        Under the tenant.
    entity
        A mapped class that has a `History`.
    key
        The primary key: a value, or a tuple in the key's order.

    Raises
    ------
    InputError
        The key has another number of values than the primary key.

    >>> changes_of(session, Invoice, (tenant, 4711))  # doctest: +SKIP
    """
    versions: Any = versions_of(entity)
    columns = sa.inspect(versions).local_table.c
    wanted = [columns[name] == value for name, value in key_of(entity, key).items()]
    found = session.scalars(sa.select(versions).where(*wanted).order_by(columns.valid_from, columns.valid_to)).all()
    names = [a.key for a in sa.inspect(entity).column_attrs if not a.columns[0].primary_key]
    return list(_walk(found, names))


def _walk(versions: Iterable[Any], names: list[str]) -> Iterator[Change]:
    last: Any = None
    for version in versions:
        if last is not None and last.valid_to != version.valid_from:
            yield from _ended(last, names)
            last = None
        who = (version.valid_from, version.actor, version.transaction_id, version.operation)
        yield from _differences(who, last, version, names)
        last = version
    if last is not None and last.valid_to is not None:
        yield from _ended(last, names)


def _ended(version: Any, names: list[str]) -> Iterator[Change]:
    who = (version.valid_to, version.ended_actor, version.ended_transaction_id, version.ended_operation)
    return _differences(who, version, None, names)


def _differences(who: tuple[Any, Any, Any, Any], last: Any, version: Any, names: list[str]) -> Iterator[Change]:
    for name in names:
        before, after = getattr(last, name, None), getattr(version, name, None)
        if before != after:
            yield Change(*who, name, before, after)


def timeline(changes: Iterable[Change]) -> str:
    """Changes as text: a line for each time, actor and operation, and one below it for each attribute."""
    lines = []
    for (at, actor, operation), group in _grouped(changes):
        lines.append(f"{_time(at)}  {actor or 'unknown'}  {operation}")
        lines += [f"  {change.attribute}: {_value(change.before)} -> {_value(change.after)}" for change in group]
    return "\n".join(lines)


def timeline_html(changes: Iterable[Change]) -> str:
    """Changes as an ordered list in HTML; every value is escaped."""
    items = []
    for (at, actor, operation), group in _grouped(changes):
        rows = "".join(
            f"<dt>{escape(change.attribute)}</dt>"
            f"<dd><del>{escape(_value(change.before))}</del> <ins>{escape(_value(change.after))}</ins></dd>"
            for change in group
        )
        moment = f'<time datetime="{at.isoformat()}">{_time(at)}</time>' if at else _time(at)
        items.append(f"<li>{moment} <b>{escape(actor or 'unknown')}</b> {escape(operation)}<dl>{rows}</dl></li>")
    return f'<ol class="timeline">{"".join(items)}</ol>'


def _grouped(changes: Iterable[Change]) -> Iterator[tuple[tuple[datetime | None, str | None, str], Iterator[Change]]]:
    return groupby(changes, key=lambda change: (change.at, change.actor, change.operation))


def _time(at: datetime | None) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S %Z") if at else "before history"


def _value(value: Any) -> str:
    return "nothing" if value is None else str(value)
