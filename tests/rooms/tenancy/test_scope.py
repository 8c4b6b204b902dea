"""A second apply has nothing to do, and what nobody declared is named."""

from __future__ import annotations

from psycopg import sql

from freehold.operations import plan_layer
from freehold.testing.database import Database

from .layer import applied

STRANGERS = {
    'CREATE POLICY support ON shop."order" FOR SELECT USING (true)': "policy shop.order.support",
    "CREATE FUNCTION freehold.back_door() RETURNS int LANGUAGE sql AS 'SELECT 1'": "function freehold.back_door",
    "GRANT SELECT ON freehold.context_key TO {app_a}": "grant table.freehold.context_key.{name}_app_a",
    "GRANT EXECUTE ON FUNCTION freehold.sign_context_v1(text) TO {app_a}": (
        "grant function.freehold.sign_context_v1.text.{name}_app_a"
    ),
    "GRANT {verifier} TO {app_a}": "membership {name}_verifier.{name}_app_a",
}


def test_strangers_are_named(database: Database, layer_name: str) -> None:
    roles = {purpose: sql.Identifier(f"{layer_name}_{purpose}") for purpose in ("app_a", "verifier")}
    with database.connect(autocommit=True) as connection:
        declared = applied(connection, layer_name)
        plan = plan_layer(connection, declared)
        assert plan.steps == ()
        assert plan.strangers == ()
        for harm in STRANGERS:
            connection.execute(sql.SQL(harm).format(**roles))
        found = {str(stranger.key) for stranger in plan_layer(connection, declared).strangers}
        assert {name.format(name=layer_name) for name in STRANGERS.values()} <= found, found
