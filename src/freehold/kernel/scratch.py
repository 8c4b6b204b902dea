"""The declared state, built in an empty database on the same server and read back by the reader of the live one."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from freehold.errors import DeclarationError, PrivilegeMissing
from freehold.kernel.names import Sql, ddl, ident
from freehold.kernel.objects import Grant, Key, Object, Role, Site
from freehold.kernel.observe import KINDS, Catalog, Connection, prepare_session, read_catalog, with_columns
from freehold.kernel.topological import topological

SCRATCH = "freehold_scratch_"
ABANDONED_SECONDS = 3600
"""Age at which a scratch database has nobody left who would drop it."""

CACHE_FORMAT = 4


def ordered(objects: Mapping[Key, Object]) -> list[Object]:
    """Objects in an order in which each can be created: what they name first, then by rank, then as declared."""
    needed = {key: {need for need in (*item.parents, *item.after) if need in objects} for key, item in objects.items()}
    return [objects[key] for key in topological(needed, {key: item.rank for key, item in objects.items()})]


def statements(objects: Mapping[Key, Object], site: Site) -> list[tuple[Object, Sql]]:
    """Every statement that builds the declared state, shared objects left out: they are compared as declared."""
    return [
        (item, statement)
        for item in ordered(objects)
        if not item.shared
        for change in _creation(item, site)
        for statement in change.statements
    ]


def _creation(item: Object, site: Site) -> Sequence[Any]:
    if item.kind == "column":
        return ()  # written with its table
    if isinstance(item, Grant) and not item.privileges:
        return item.drop(site) if item.on != "function" else ()
    return item.create(site)


def build(connection: Connection, objects: Mapping[Key, Object], cache: Path | None = None) -> Catalog:
    """The catalog of the declared state.

    Parameters
    ----------
    connection
        To the live database, as a role that may create databases. It must be in autocommit mode.
    objects
        What the layer declares.
    cache
        A directory for results. A result depends on nothing but the statements and the server's version, which name
        the file, so that an unchanged declaration is not built again.

    Raises
    ------
    DeclarationError
        The server refuses a declared object; the error names it.
    PrivilegeMissing
        The login may not build it.
    """
    site = Site(database="scratch", version=connection.info.server_version, new=frozenset(objects))
    file = _file(objects, site.version, cache)
    known = _load(file) if file and file.exists() else None
    if known:
        return known
    with scratch_database(connection) as scratch:
        here = replace(site, database=scratch.info.dbname)
        catalog = _build_in(scratch, statements(objects, here), objects)
    if file:
        _store(file, catalog)
    return catalog


def is_built(connection: Connection, objects: Mapping[Key, Object], cache: Path | None) -> bool:
    """Whether the declared state was built before, so that most likely nothing is to be changed."""
    file = _file(objects, connection.info.server_version, cache)
    return file is not None and file.exists()


def _file(objects: Mapping[Key, Object], version: int, cache: Path | None) -> Path | None:
    return cache / f"{_digest(objects, version)}.json" if cache else None


@contextmanager
def scratch_database(connection: Connection) -> Iterator[Connection]:
    """A connection to an empty database beside the live one, dropped afterwards."""
    _sweep(connection)
    name = f"{SCRATCH}{int(time.time())}_{secrets.token_hex(4)}"
    connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
    try:
        target = psycopg.conninfo.make_conninfo(connection.info.dsn, dbname=name, password=connection.info.password)
        with psycopg.connect(target, autocommit=True) as scratch:
            yield scratch
    finally:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _sweep(connection: Connection) -> None:
    """Drop the scratch databases of plans that were killed; a living one is minutes old at most."""
    names = connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", (SCRATCH,)).fetchall()
    for (name,) in names:
        born = name.removeprefix(SCRATCH).partition("_")[0]
        if born.isdigit() and int(born) < time.time() - ABANDONED_SECONDS:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


class _Undo(Exception):
    """Ends a scratch transaction without keeping anything."""


def _build_in(scratch: Connection, work: Sequence[tuple[Object, Sql]], objects: Mapping[Key, Object]) -> Catalog:
    """Build and read in one transaction that is rolled back, so that roles made for it never exist elsewhere."""
    try:
        with scratch.transaction():
            prepare_session(scratch)
            make_roles(scratch, objects)
            _run(scratch, work)
            catalog = read_catalog(scratch, [kind for kind in KINDS if not kind.shared])
            raise _Undo
    except _Undo:
        return catalog


def make_roles(scratch: Connection, objects: Mapping[Key, Object]) -> None:
    """Create the declared roles that the cluster lacks, in the transaction that is rolled back."""
    have = {row[0] for row in scratch.execute("SELECT rolname FROM pg_roles")}
    wanted = [item.role for item in objects.values() if isinstance(item, Role) and item.role not in have]
    text = ";\n".join(ddl("CREATE ROLE {} NOLOGIN", ident(role)) for role in wanted)
    if text:
        scratch.execute(sql.SQL(text))


def _run(scratch: Connection, work: Sequence[tuple[Object, Sql]]) -> None:
    """Send everything at once; if the server refuses, send it again one by one to name the culprit."""
    if not work:
        return
    try:
        with scratch.transaction():
            scratch.execute(sql.SQL(";\n".join(statement for _, statement in work)))
    except psycopg.errors.Error as error:
        if scratch.broken:
            raise
        _name_culprit(scratch, work, error)


def _name_culprit(scratch: Connection, work: Sequence[tuple[Object, Sql]], whole: psycopg.Error) -> None:
    for item, statement in work:
        try:
            scratch.execute(sql.SQL(statement))
        except psycopg.errors.InsufficientPrivilege as error:
            raise PrivilegeMissing(
                f"The login {scratch.info.user} may not build {item.key}, declared by {item.room or 'the layer'}",
                detail=error.diag.message_primary or "",
                hint="Plan as a superuser, or as a role that is a member of all of the layer's roles.",
            ) from error
        except psycopg.errors.Error as error:
            raise DeclarationError(
                f"PostgreSQL refuses {item.key}, declared by {item.room or 'the layer'}: {error.diag.message_primary}",
                detail=f"SQLSTATE {error.sqlstate}, statement: {statement}",
                hint=error.diag.message_hint or "Correct the declaration or the model that asks for it.",
            ) from error
    raise whole


def _digest(objects: Mapping[Key, Object], version: int) -> str:
    """Names a result by all it depends on: the declared objects, the server's version and this package's."""
    hasher = hashlib.sha256(f"{CACHE_FORMAT} {metadata.version('freehold')} {version}\n".encode())
    for key, item in objects.items():
        hasher.update(repr((key.kind, item.to_row())).encode())
    return hasher.hexdigest()


def _store(file: Path, catalog: Catalog) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    numbers = {key: number for number, key in enumerate(catalog.objects)}
    content = {
        "version": catalog.version,
        "objects": [[key.kind, item.to_row()] for key, item in catalog.objects.items()],
        "needs": [[numbers[key], [numbers[n] for n in found]] for key, found in catalog.needs.items()],
    }
    temporary = file.with_suffix(f".{secrets.token_hex(4)}")
    temporary.write_text(json.dumps(content, separators=(",", ":")), encoding="utf-8")
    temporary.replace(file)


def _load(file: Path) -> Catalog | None:
    """The stored result, or None where the file is damaged."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        return None
    kinds = {kind.kind: kind for kind in KINDS}
    items = [kinds[kind].from_row(row) for kind, row in content["objects"]]
    keys = [item.key for item in items]
    return Catalog(
        version=content["version"],
        database="",
        objects=with_columns(dict(zip(keys, items, strict=True))),
        needs={keys[number]: frozenset(keys[n] for n in found) for number, found in content["needs"]},
    )
