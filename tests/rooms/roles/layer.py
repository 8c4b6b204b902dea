"""A small layer with one table of each kind, applied to a real database."""

from __future__ import annotations

import sqlalchemy as sa

from freehold.kernel.compile import Declared, compile_layer
from freehold.kernel.declare import Declarations, Extra
from freehold.kernel.objects import Function, Object
from freehold.kernel.observe import Connection
from freehold.kernel.prove import Outcome, run_probes
from freehold.operations import apply_layer
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
    "SET search_path = pg_catalog, pg_temp AS 'SELECT 1'",
    returns="text",
)


def layer(name: str, roles: Roles, *extra: Object) -> Declared:
    """The compiled layer."""
    tenancy = Tenancy(company, shared=[country, rate], exempt={queue: "a queue of the operating staff"})
    items = (tenancy, roles, Extra(*extra))
    return compile_layer(Declarations(metadata=metadata, items=items, name=name), [TENANCY, ROOM])


def build(connection: Connection, declared: Declared) -> None:
    """Apply a layer to an empty database."""
    apply_layer(connection, declared)


def broken(connection: Connection, declared: Declared) -> list[str]:
    """The promises of the room that do not hold, or could not be tried."""
    probes = [probe for probe in declared.probes if probe.room == "roles"]
    return [v.promise for v in run_probes(connection, probes) if v.verdict is not Outcome.HELD]
