"""What a database holds that no class of objects reads, told by kind and name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from psycopg import sql

from freehold.kernel.objects import Grant, Index, Key, Object, Owner, Table
from freehold.kernel.observe import KINDS, Address, Catalog, Connection, prepare_session, read_catalog
from freehold.kernel.template import read_sql

CIRCLE = "circle of views"


@dataclass(frozen=True, slots=True, order=True)
class Unmanaged:
    """An object that is not read, or a property of one that is: ``cluster mark``, ``of index app.by_name``."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Survey:
    """A catalog, what it leaves out, and what of it stands on something that is left out."""

    catalog: Catalog
    unmanaged: tuple[Unmanaged, ...]
    standing: Mapping[Key, Unmanaged]


def survey(connection: Connection) -> Survey:
    """Read a database's catalog and all that the catalog's classes do not read, in one transaction.

    Raises
    ------
    psycopg.Error
        The connection failed; the caller translates it.
    """
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        prepare_session(connection)
        rows = connection.execute(sql.SQL(read_sql(__name__.rpartition(".")[0], "list_unmanaged"))).fetchall()
        found = {(classid, objid): Unmanaged(kind, name) for classid, objid, kind, name in rows if classid}
        addresses: dict[Address, Key] = {
            (classid, objid, 0): Key("unmanaged", (item.kind, item.name)) for (classid, objid), item in found.items()
        }
        catalog = read_catalog(connection, KINDS, besides=addresses)
    everything = {Unmanaged(kind, name) for _, _, kind, name in rows}
    apart = {**_in_circles(catalog), **_unbuilt(catalog)}
    told = {item for item in apart.values() if item.kind == CIRCLE}
    return Survey(catalog, tuple(sorted(everything | told)), {**standing_on(catalog, apart), **apart})


def _unbuilt(catalog: Catalog) -> dict[Key, Unmanaged]:
    """Indexes that are not valid, and the owners and rights of what is not read: the list has both by their names."""
    invalid = (key for key, item in catalog.objects.items() if isinstance(item, Index) and not item.valid)
    without = (key for key, item in catalog.objects.items() if _target(item) - catalog.objects.keys())
    return {
        **{key: Unmanaged("invalid state", f"of index {'.'.join(key.name)}") for key in invalid},
        **{key: Unmanaged("routine", ".".join(key.name[1:])) for key in without},
    }


def _target(item: Object) -> set[Key]:
    """The routine that an owner or a right is of."""
    if isinstance(item, Owner | Grant) and item.on == "function":
        return {item.target_key}
    return set()


def _in_circles(catalog: Catalog) -> dict[Key, Unmanaged]:
    """Views that read each other in a circle, which PostgreSQL lets CREATE OR REPLACE close."""
    views = {key for key in catalog.objects if key.kind == "view"}
    waiting = {key: set(catalog.needs.get(key, ())) & views for key in views}
    while free := [key for key, needed in waiting.items() if not needed & waiting.keys()]:
        for key in free:
            del waiting[key]
    needed_by_others = {need for needed in waiting.values() for need in needed}
    return {key: Unmanaged(CIRCLE, ".".join(key.name)) for key in waiting if key in needed_by_others}


def standing_on(catalog: Catalog, besides: Mapping[Key, Unmanaged] | None = None) -> dict[Key, Unmanaged]:
    """The objects that cannot be without something unmanaged, directly or by way of others."""
    needs = {key: set(_needs(key, item, catalog)) for key, item in catalog.objects.items()}
    users: dict[Key, list[Key]] = {}
    for key, needed in needs.items():
        for need in needed:
            users.setdefault(need, []).append(key)
    found: dict[Key, Unmanaged] = {}
    waiting = [(key, Unmanaged(*key.name)) for key in users if key.kind == "unmanaged"]
    waiting += (besides or {}).items()
    while waiting:
        need, cause = waiting.pop()
        for key in users.get(need, ()):
            if key not in found:
                found[key] = cause
                waiting.append((key, cause))
    return found


def _needs(key: Key, item: Object, catalog: Catalog) -> Iterable[Key]:
    yield from catalog.needs.get(key, ())
    yield from item.parents
    if isinstance(item, Table):
        yield from (column.key for column in item.columns)
