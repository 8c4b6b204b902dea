"""Build what can be built of a declared state, and say of the rest why PostgreSQL refuses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import psycopg
from psycopg import sql

from freehold.kernel.names import Sql
from freehold.kernel.objects import Key, Object, Site
from freehold.kernel.observe import KINDS, Catalog, Connection, prepare_session, read_catalog
from freehold.kernel.scratch import make_roles, scratch_database, statements


class _Undo(Exception):
    """Ends a scratch transaction without keeping anything."""


def build_leniently(connection: Connection, objects: Mapping[Key, Object]) -> tuple[Catalog, dict[Key, str]]:
    """The catalog of the objects that PostgreSQL takes, and its message for each that it refuses.

    Parameters
    ----------
    connection
        To any database of the server, as a role that may create databases. It must be in autocommit mode.
    """
    site = Site(database="scratch", version=connection.info.server_version, new=frozenset(objects))
    with scratch_database(connection) as scratch:
        work = statements(objects, replace(site, database=scratch.info.dbname))
        try:
            with scratch.transaction():
                prepare_session(scratch)
                make_roles(scratch, objects)
                refused = _build(scratch, work)
                catalog = read_catalog(scratch, [kind for kind in KINDS if not kind.shared])
                raise _Undo
        except _Undo:
            return catalog, refused


def _build(scratch: Connection, work: Sequence[tuple[Object, Sql]]) -> dict[Key, str]:
    """Halve what is refused until single statements are left: most of it is taken as a whole."""
    refused: dict[Key, str] = {}
    waiting = [list(work)] if work else []
    while waiting:
        part = waiting.pop()
        message = _try(scratch, part)
        if message and len(part) > 1:
            half = len(part) // 2
            waiting += [part[half:], part[:half]]
        elif message:
            refused.setdefault(part[0][0].key, message)
    return refused


def _try(scratch: Connection, part: Sequence[tuple[Object, Sql]]) -> str:
    try:
        with scratch.transaction():
            scratch.execute(sql.SQL(";\n".join(statement for _, statement in part)))
    except psycopg.Error as error:
        if scratch.broken:
            raise
        return error.diag.message_primary or str(error)
    return ""
