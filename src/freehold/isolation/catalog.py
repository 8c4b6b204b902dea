"""What the ledger reads of a live database: its roles, relations, rights, functions and machinery, one query a kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from psycopg import sql

from freehold.kernel.observe import Connection
from freehold.kernel.template import read_sql

PACKAGE = "freehold.isolation"
PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class Actor:
    """A role as the ledger sees it.

    ``enters`` says whether it may log in to the database; ``from_`` are the logins, short of a superuser, that may
    become it; ``predefined`` are PostgreSQL's own roles that it is a member of.
    """

    name: str
    enters: bool = False
    superuser: bool = False
    bypasses: bool = False
    replicates: bool = False
    makes_roles: bool = False
    from_: tuple[str, ...] = ()
    predefined: tuple[str, ...] = ()

    @property
    def reachable(self) -> bool:
        """Whether anybody can act as it."""
        return self.enters or bool(self.from_) or self.name == PUBLIC


@dataclass(frozen=True, slots=True)
class Relation:
    """A table, partition, view, foreign table or sequence; ``kind`` is ``pg_class.relkind``."""

    oid: int
    schema: str
    name: str
    kind: str
    child: bool = False
    guarded: bool = False
    invoker: bool = False
    owner: str = ""
    columns: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    reads: tuple[int, ...] = ()

    @property
    def table(self) -> tuple[str, str]:
        """The name in two parts."""
        return (self.schema, self.name)


@dataclass(frozen=True, slots=True)
class Right:
    """What one role may do with one relation, and the policies that it meets there.

    ``sees_tenant`` says whether it may read a tenant column; ``updates`` is a column that it may change, or empty.
    """

    words: frozenset[str]
    policies: tuple[str, ...] = ()
    sees_tenant: bool = False
    updates: str = ""


@dataclass(frozen=True, slots=True)
class Routine:
    """A function or procedure; ``lifted`` says that a policy lets its owner see every row of some table."""

    schema: str
    name: str
    arguments: str = ""
    owner: str = ""
    definer: bool = False
    leakproof: bool = False
    trusted: bool = True
    fires: bool = False
    attached: bool = False
    extension: str = ""
    bare: bool = False
    callers: tuple[str, ...] = ()
    lifted: bool = False


@dataclass(frozen=True, slots=True)
class Machine:
    """Something else that carries rows: a publication, slot, server, default privilege, rule, large object."""

    kind: str
    name: str
    roles: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True)
class Exits:
    """All of it."""

    actors: Mapping[str, Actor]
    relations: tuple[Relation, ...] = ()
    rights: Mapping[tuple[int, str], Right] = field(default_factory=dict)
    routines: tuple[Routine, ...] = ()
    machines: tuple[Machine, ...] = ()


def read_exits(connection: Connection, declared: frozenset[str], columns: frozenset[str]) -> Exits:
    """Read the catalog in five queries, whatever the number of tables.

    Parameters
    ----------
    connection
        As a superuser, or as a member of every role of the layer.
    declared
        Roles that are judged even where nobody can act as them: the layer's own.
    columns
        The names of columns that say whose a row is.
    """
    everyone = [_actor(*row) for row in connection.execute(_query("read_roles"))]
    actors = {each.name: each for each in everyone if each.reachable or each.name in declared}
    actors[PUBLIC] = Actor(PUBLIC)
    asked = {"roles": [name for name, each in actors.items() if not each.superuser], "columns": sorted(columns)}
    relations = tuple(_relation(row) for row in connection.execute(_query("read_relations")))
    rights = {
        (oid, role): Right(frozenset(words), tuple(policies), sees, updates)
        for oid, role, words, policies, sees, updates in connection.execute(_query("read_rights"), asked)
    }
    routines = tuple(_routine(row) for row in connection.execute(_query("read_functions"), asked))
    machines = tuple(
        Machine(kind, name, tuple(roles), text)
        for kind, name, roles, text in connection.execute(_query("read_machinery"), asked)
    )
    return Exits(actors, relations, rights, routines, machines)


def _query(name: str) -> sql.SQL:
    return sql.SQL(read_sql(PACKAGE, name))


def _actor(
    name: str, enters: bool, superuser: bool, bypasses: bool, replicates: bool, makes: bool, *more: list[str]
) -> Actor:
    from_, predefined = more
    return Actor(name, enters, superuser, bypasses, replicates, makes, tuple(from_), tuple(predefined))


def _relation(row: tuple[Any, ...]) -> Relation:
    return Relation(*_cells(row))


def _routine(row: tuple[Any, ...]) -> Routine:
    return Routine(*_cells(row))


def _cells(row: tuple[Any, ...]) -> list[Any]:
    return [tuple(cell) if isinstance(cell, list) else cell for cell in row]
