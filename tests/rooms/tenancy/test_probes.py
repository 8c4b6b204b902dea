"""Every promise holds on a fresh layer; each sabotage breaks the promise it should, and the repair restores it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import psycopg
import pytest
from psycopg import sql

from freehold.kernel.compile import Declared
from freehold.testing.database import Database

from .layer import applied, broken


class Built(NamedTuple):
    """A layer on its database."""

    name: str
    declared: Declared
    connection: psycopg.Connection[Any]

    def run(self, statement: str) -> None:
        """One statement; ``{owner}`` and the like are the layer's roles."""
        roles = {p: sql.Identifier(f"{self.name}_{p}") for p in ("owner", "verifier", "app_a", "rw", "migrator")}
        self.connection.execute(sql.SQL(statement).format(**roles))

    def broken(self) -> list[str]:
        """The promises that do not hold."""
        return broken(self.connection, self.declared)


@pytest.fixture
def built(database: Database, layer_name: str) -> Iterator[Built]:
    with database.connect(autocommit=True) as connection:
        yield Built(layer_name, applied(connection, layer_name), connection)


class Sabotage(NamedTuple):
    """What breaks a promise, what repairs it, and the promises that must be seen broken."""

    harm: str
    repair: str
    promises: list[str]
    name: str


SABOTAGE = [
    Sabotage(
        "ALTER TABLE shop.customer DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE shop.customer ENABLE ROW LEVEL SECURITY",
        [
            "shop.customer: without a context",
            "shop.customer: a tenant sees its own rows and none of another",
            "shop.customer: another tenant's rows cannot be deleted",
            "row security is on, forced",
        ],
        "row security off",
    ),
    Sabotage(
        "ALTER POLICY freehold_select ON shop.customer USING (true)",
        "ALTER POLICY freehold_select ON shop.customer USING (tenant_id = (SELECT freehold.tenant_v1()))",
        ["shop.customer: a tenant sees its own rows and none of another", "have the declared policies and no other"],
        "policy loosened",
    ),
    Sabotage(
        "ALTER POLICY freehold_insert ON shop.customer WITH CHECK (true)",
        "ALTER POLICY freehold_insert ON shop.customer WITH CHECK (tenant_id = (SELECT freehold.tenant_v1()))",
        ["shop.customer: a row of another tenant cannot be inserted", "have the declared policies and no other"],
        "write side loosened",
    ),
    Sabotage(
        'CREATE POLICY support ON shop."order" FOR SELECT USING (true)',
        'DROP POLICY support ON shop."order"',
        ["shop.order: a tenant sees its own rows and none of another", "have the declared policies and no other"],
        "a stranger's permissive policy",
    ),
    Sabotage(
        'CREATE POLICY support ON shop."order" FOR DELETE TO {app_a} USING (true)',
        'DROP POLICY support ON shop."order"',
        ["have the declared policies and no other"],
        "a stranger's policy that no attack with a condition meets",
    ),
    Sabotage(
        "ALTER TABLE shop.customer NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE shop.customer FORCE ROW LEVEL SECURITY",
        ["shop.customer: row security holds for the table's owner", "row security is on, forced"],
        "owner without FORCE",
    ),
    Sabotage(
        "ALTER TABLE shop.customer DISABLE TRIGGER freehold_tenant_immutable",
        "ALTER TABLE shop.customer ENABLE TRIGGER freehold_tenant_immutable",
        ["shop.customer: a row cannot be moved to another tenant"],
        "trigger disabled",
    ),
    Sabotage(
        "GRANT SELECT ON freehold.context_key TO {rw}",
        "REVOKE SELECT ON freehold.context_key FROM {rw}",
        ["the application cannot read the context's keys"],
        "keys granted",
    ),
    Sabotage(
        "GRANT EXECUTE ON FUNCTION freehold.issue_context_v1(text, text, interval) TO {app_a}",
        "REVOKE EXECUTE ON FUNCTION freehold.issue_context_v1(text, text, interval) FROM {app_a}",
        ["the application cannot have a context issued"],
        "signing granted",
    ),
    Sabotage(
        "GRANT {verifier} TO {migrator}",
        "REVOKE {verifier} FROM {migrator}",
        ["nobody may act as the owner of the context's keys"],
        "member of the verifier",
    ),
    Sabotage(
        "ALTER TABLE shop.move_early DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE shop.move_early ENABLE ROW LEVEL SECURITY",
        ["row security is on, forced"],
        "partition unguarded",
    ),
    Sabotage(
        "CREATE TABLE shop.move_late PARTITION OF shop.move FOR VALUES FROM ('2030-01-01') TO ('2040-01-01')",
        "DROP TABLE shop.move_late",
        ["row security is on, forced"],
        "a stranger's partition",
    ),
    Sabotage(
        "ALTER VIEW shop.buyer RESET (security_invoker)",
        "ALTER VIEW shop.buyer SET (security_invoker = true)",
        ["every view over an owned table reads with its caller's rights"],
        "view with its owner's rights",
    ),
    Sabotage(
        "ALTER FUNCTION freehold.context_v1() SET search_path = ''",
        "ALTER FUNCTION freehold.context_v1() SET search_path = pg_catalog, pg_temp",
        ["a type text of the application's own", "the functions of the context have the declared bodies"],
        "the temporary schema first",
    ),
    Sabotage(
        "CREATE MATERIALIZED VIEW shop.everyone AS SELECT count(*) FROM shop.customer",
        "DROP MATERIALIZED VIEW shop.everyone",
        ["every view over an owned table reads with its caller's rights"],
        "materialized view",
    ),
]

FALLBACK = """
CREATE OR REPLACE FUNCTION freehold.tenant_v1() RETURNS uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN COALESCE(NULLIF(pg_catalog.current_setting(%s, true), ''), NULL)::uuid;
END $$
"""


CHECKS = [
    ("IF pg_catalog.date_part(", "IF false AND pg_catalog.date_part(", "an expired"),
    ("IF pg_catalog.date_part(", "IF false AND pg_catalog.date_part(", "from the future"),
    ("ELSIF part[6] <> '0'", "ELSIF false AND part[6] <> '0'", "a context of another connection is refused"),
    ("IF NOT FOUND OR part[1] <>", "IF false AND part[1] <>", "signed with a key of the attacker's own is refused"),
    ("IF NOT FOUND OR part[1] <>", "IF false AND part[1] <>", "a context whose tenant was exchanged is refused"),
    ("IS NULL OR token = ''", "IS NULL", "an emptied context, as a transaction leaves it behind"),
    ("AND k.retired_at IS NULL", "", "a context of a retired key is refused"),
]


def test_everything_holds_on_a_fresh_layer(built: Built) -> None:
    assert built.broken() == []


def test_each_sabotage_is_seen_and_its_repair_too(built: Built, subtests: pytest.Subtests) -> None:
    for sabotage in SABOTAGE:
        with subtests.test(sabotage.name):
            built.run(sabotage.harm)
            found = built.broken()
            for promise in sabotage.promises:
                assert any(promise in each for each in found), found
            built.run(sabotage.repair)
            assert built.broken() == []


def _definition(built: Built) -> str:
    row = built.connection.execute("SELECT pg_get_functiondef('freehold.tenant_v1'::regproc)").fetchone()
    assert row is not None
    return str(row[0])


def test_verifier_with_a_settable_fallback_is_seen(built: Built, subtests: pytest.Subtests) -> None:
    definition = _definition(built)
    for setting in ("freehold.context", "app.tenant"):
        with subtests.test(setting):
            built.connection.execute(FALLBACK.replace("%s", f"'{setting}'").encode())
            found = built.broken()
            assert any("the functions of the context have the declared bodies" in each for each in found)
            assert any("a tenant's bare name is no context" in each for each in found)
            built.connection.execute(definition.encode())
            assert built.broken() == []


def test_each_check_of_the_verifier_has_a_probe(built: Built, subtests: pytest.Subtests) -> None:
    definition = _definition(built)
    for guard, replacement, promise in CHECKS:
        with subtests.test(promise):
            assert guard in definition
            built.connection.execute(definition.replace(guard, replacement).encode())
            assert any(promise in each for each in built.broken())
    built.connection.execute(definition.encode())
    assert built.broken() == []
