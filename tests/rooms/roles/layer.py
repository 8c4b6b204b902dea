"""A small layer with one table of each kind, built on a real database, and a judge of probes."""

from __future__ import annotations

from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql

from freehold.kernel.compile import Declared, compile_layer
from freehold.kernel.declare import Declarations, Extra
from freehold.kernel.objects import Function, Grant, Object, Site
from freehold.kernel.room import Affects, Probe, Raises, Returns
from freehold.kernel.scratch import ordered
from freehold.rooms.roles import ROOM, Roles
from freehold.rooms.tenancy import ROOM as TENANCY
from freehold.rooms.tenancy import Tenancy

metadata = sa.MetaData(schema="shop")
company = sa.Table("company", metadata, sa.Column("id", sa.Uuid, primary_key=True), sa.Column("name", sa.Text))
customer = sa.Table(
    "customer",
    metadata,
    sa.Column("tenant_id", sa.Uuid, sa.ForeignKey("shop.company.id"), primary_key=True),
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("name", sa.Text),
    sa.Column("email", sa.Text),
)
country = sa.Table("country", metadata, sa.Column("code", sa.Text, primary_key=True))
rate = sa.Table("rate", metadata, sa.Column("code", sa.Text, primary_key=True), sa.Column("rate", sa.Numeric))
queue = sa.Table("queue", metadata, sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True))

greet = Function(
    schema="shop",
    function="greet_v1",
    definition="CREATE OR REPLACE FUNCTION shop.greet_v1() RETURNS text LANGUAGE sql "
    "SET search_path = '' AS 'SELECT 1'",
    returns="text",
)


def layer(name: str, roles: Roles, *extra: Object) -> Declared:
    """The compiled layer."""
    tenancy = Tenancy(company, shared=[country, rate], exempt={queue: "a queue of the operating staff"})
    items = (tenancy, roles, Extra(*extra))
    return compile_layer(Declarations(metadata=metadata, items=items, name=name), [TENANCY, ROOM])


def build(connection: psycopg.Connection[Any], declared: Declared) -> None:
    """Make every object of a layer in an empty database."""
    site = Site(connection.info.dbname, connection.info.server_version, frozenset(declared.objects))
    connection.execute("SET LOCAL check_function_bodies = off")
    for item in ordered(declared.objects):
        empty = isinstance(item, Grant) and not item.privileges
        if item.kind == "column" or (empty and item.name[0] == "function"):
            continue
        for change in item.drop(site) if empty else item.create(site):
            for statement in change.statements:
                connection.execute(sql.SQL(statement))
    connection.commit()


def held(connection: psycopg.Connection[Any], probe: Probe) -> bool:
    """Whether a probe's promise holds; the attack is rolled back."""
    try:
        for statement in probe.prepare:
            connection.execute(statement.encode())
        if probe.role:
            connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(probe.role)))
        cursor = connection.execute(probe.attack.encode())
        found = _seen(cursor, probe)
    except psycopg.Error as error:
        found = isinstance(probe.expect, Raises) and error.sqlstate == probe.expect.sqlstate
    finally:
        connection.rollback()
    return found


def _seen(cursor: psycopg.Cursor[Any], probe: Probe) -> bool:
    if isinstance(probe.expect, Returns):
        return tuple(cursor.fetchall()) == probe.expect.rows
    return isinstance(probe.expect, Affects) and cursor.rowcount == probe.expect.count


def broken(connection: psycopg.Connection[Any], declared: Declared) -> list[str]:
    """The promises of the room that do not hold."""
    return [p.promise for p in declared.probes if p.room == "roles" and not held(connection, p)]
