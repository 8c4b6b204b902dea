"""Read a database, build what was read in an empty one, read it back: what differs is a fault of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

from freehold.kernel.lenient import build_leniently
from freehold.kernel.objects import Constraint, Index, Key, Object, Table, View
from freehold.kernel.observe import Catalog, Connection
from freehold.kernel.stable import stable
from freehold.kernel.unmanaged import Survey, Unmanaged, survey

T = TypeVar("T", bound=Object)

_EXPRESSIONS = frozenset({"definition", "using", "check", "default", "checks"})
_VERBATIM = frozenset({"function", "event_trigger"})
"""Kinds whose text the server keeps as it was given."""

OF_THE_WHOLE = frozenset({"event_trigger"})
"""Kinds that are not built beside the database: an event trigger would fire at what is built after it."""


@dataclass(frozen=True)
class RoundTrip:
    """What came out.

    Parameters
    ----------
    differences
        Objects that came out otherwise than they were, or that PostgreSQL refused, each with what happened.
    unmanaged
        What is not read at all.
    standing
        What was left out of the build, since it stands on something unmanaged.
    kept
        The objects that came out as they were.
    reworded
        Views that PostgreSQL itself writes otherwise when it has read what it wrote, each with both texts.
    """

    differences: Mapping[Key, str]
    unmanaged: tuple[Unmanaged, ...]
    standing: Mapping[Key, Unmanaged]
    kept: frozenset[Key]
    reworded: Mapping[Key, str]


def round_trip(connection: Connection) -> RoundTrip:
    """Read, build and read again; the database itself is only read.

    Parameters
    ----------
    connection
        As a role that may create databases, in autocommit mode.
    """
    read = survey(connection)
    wanted = _built(read)
    built, refused = build_leniently(connection, wanted)
    found = {key: why for key in wanted if (why := refused.get(key) or _difference(key, read.catalog, built))}
    reworded = {key: why for key, why in found.items() if _reworded(key, read.catalog, built)}
    return RoundTrip(
        differences={key: why for key, why in found.items() if key not in reworded},
        unmanaged=read.unmanaged,
        standing=read.standing,
        kept=frozenset(wanted) - found.keys(),
        reworded=reworded,
    )


def _difference(key: Key, live: Catalog, built: Catalog) -> str:
    was, came = live.objects[key], built.objects.get(key)
    if came is None:
        return "it is not there after it was built"
    told = _differing(was, came)
    return "; ".join(f"{name}: {getattr(was, name)!r} came out as {getattr(came, name)!r}" for name in told)


def _differing(was: Object, came: Object) -> list[str]:
    """The fields that differ."""
    return [f.name for f in fields(was) if f.compare and getattr(was, f.name) != getattr(came, f.name)]


def _reworded(key: Key, live: Catalog, built: Catalog) -> bool:
    """Whether a view has the same words, with other brackets or names of tables before its columns.

    PostgreSQL writes a view otherwise when what it wrote was read again, as with ``ON TRUE`` of a join.
    """
    was, came = live.objects[key], built.objects.get(key)
    if not (isinstance(was, View) and isinstance(came, View)) or _differing(was, came) != ["definition"]:
        return False
    return _words(was.definition) == _words(came.definition)


def _words(text: str) -> str:
    return re.sub(r'[\w"]+\.|[()\s]', "", text.lower())


def _built(read: Survey) -> dict[Key, Object]:
    """What is built: all but what belongs to the cluster and what stands on something unmanaged."""
    found = {key: item for key, item in read.catalog.objects.items() if not item.shared}
    left = {key for key in found if key in read.standing or key.kind in OF_THE_WHOLE}
    built = {key: rebuilt(item, read.catalog) for key, item in found.items() if key not in left}
    return {**built, **_after_those_of_the_parent(built)}


def _after_those_of_the_parent(built: Mapping[Key, Object]) -> dict[Key, Object]:
    """The indexes of partitions: one of the parent's would take them as its own, were they there before it."""
    tables: dict[str, Table] = {item.sql: item for item in built.values() if isinstance(item, Table)}
    indexes: dict[Key, list[Index]] = {}
    for item in built.values():
        if isinstance(item, Index):
            indexes.setdefault(item.table_key, []).append(item)
    return {
        own.key: replace(own, after=(*own.after, *(above.key for above in indexes.get(tables[table.parent].key, ()))))
        for table in tables.values()
        if table.parent in tables
        for own in indexes.get(table.key, ())
    }


def rebuilt(item: Object, catalog: Catalog) -> Object:
    """An object of the catalog as it is declared, so that building it gives the same one again."""
    needs = set(catalog.needs.get(item.key, ()))
    if isinstance(item, Table):
        needs |= {need for column in item.columns for need in catalog.needs.get(column.key, ())} - {item.key}
        item = replace(item, columns=tuple(_written(column) for column in item.columns))
    needs = {_whole(need) for need in needs} - {item.key}
    return replace(_written(item), after=tuple(sorted(needs)))


def _whole(key: Key) -> Key:
    """The table of a column: columns are written with it."""
    return Key("table", key.name[:2]) if key.kind == "column" else key


def _written(item: T) -> T:
    changed: dict[str, Any] = {
        field.name: _stable(value)
        for field in fields(item)
        if field.name in _EXPRESSIONS and (value := getattr(item, field.name)) and item.kind not in _VERBATIM
    }
    if isinstance(item, View) and item.materialized:
        # Its rows are of no concern, and may be an error to compute.
        changed["definition"] = f"{changed['definition']}\nWITH NO DATA"
    if isinstance(item, Constraint) and not item.validated and not item.definition.endswith(" NOT ENFORCED"):
        changed["definition"] = f"{changed['definition']} NOT VALID"
    return replace(item, **changed) if changed else item


def _stable(value: object) -> object:
    if isinstance(value, tuple):
        return tuple(_stable(each) for each in value)
    return stable(value) if isinstance(value, str) else value
