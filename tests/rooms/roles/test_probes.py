"""Each promise of the room is seen held, then broken by a sabotage, then held again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from psycopg import sql

from freehold.kernel.compile import Declared
from freehold.kernel.observe import Connection
from freehold.operations import apply_layer, plan_layer
from freehold.rooms.roles import Roles
from freehold.testing.database import Database

from .layer import broken, build, customer, greet, layer, rate


class Built(NamedTuple):
    """A layer on its database."""

    name: str
    declared: Declared
    connection: Connection


@pytest.fixture
def built(database: Database, layer_name: str) -> Iterator[Built]:
    roles = Roles(writes=[rate], columns={customer: {"ro": ["tenant_id", "id"], "rw": {"UPDATE": ["name"]}}})
    declared = layer(layer_name, roles, greet)
    with database.connect(autocommit=True) as connection:
        build(connection, declared)
        yield Built(layer_name, declared, connection)


def test_everything_holds_on_a_fresh_layer(built: Built) -> None:
    probes = [p for p in built.declared.probes if p.room == "roles"]
    assert len(probes) > 40
    assert broken(built.connection, built.declared) == []


def test_a_plan_afterwards_has_nothing_to_do(built: Built) -> None:
    plan = plan_layer(built.connection, built.declared)
    assert (plan.steps, plan.strangers) == ((), ())


def test_a_plan_repairs_what_was_declared_and_names_what_was_not(built: Built) -> None:
    for drift in (
        "GRANT CONNECT, TEMPORARY ON DATABASE {database} TO PUBLIC",
        "GRANT USAGE ON SCHEMA shop TO PUBLIC",
        "GRANT EXECUTE ON FUNCTION shop.greet_v1() TO PUBLIC",
        "GRANT DELETE ON shop.country TO {rw}",
        "ALTER ROLE {app_a} CREATEROLE",
        "ALTER TABLE shop.rate OWNER TO postgres",
        "ALTER ROLE {app_a} SET statement_timeout = 0",
        "GRANT DELETE ON shop.country TO {auditor}",
        "GRANT {owner} TO {app_a}",
    ):
        run(built, drift)
    plan = plan_layer(built.connection, built.declared)
    assert len(plan.steps) == 7, plan.as_sql()
    strangers = {str(stranger.key) for stranger in plan.strangers}
    assert strangers == {
        "grant table.shop.country.{auditor}".format(**names(built)),
        "membership {owner}.{app_a}".format(**names(built)),
    }
    # Who owns a table can switch its guards off, so that even the way back needs the flag.
    apply_layer(built.connection, built.declared, weaker_guard="a test")
    run(built, "REVOKE {owner} FROM {app_a}; REVOKE DELETE ON shop.country FROM {auditor}")
    assert broken(built.connection, built.declared) == []


SABOTAGE = [
    ("GRANT TRUNCATE ON shop.customer TO {rw}", "REVOKE TRUNCATE ON shop.customer FROM {rw}", "cannot TRUNCATE"),
    ("GRANT INSERT ON shop.country TO {rw}", "REVOKE INSERT ON shop.country FROM {rw}", "cannot INSERT shop.country"),
    ("GRANT SELECT ON shop.queue TO {app_a}", "REVOKE SELECT ON shop.queue FROM {app_a}", "cannot SELECT shop.queue"),
    ("GRANT DELETE ON shop.country TO {rw}", "REVOKE DELETE ON shop.country FROM {rw}", "holds on tables"),
    ("GRANT UPDATE ON shop.rate TO {ro}", "REVOKE UPDATE ON shop.rate FROM {ro}", "{ro} holds on tables"),
    ("GRANT INSERT ON shop.rate TO {ro}", "REVOKE INSERT ON shop.rate FROM {ro}", "{ro} cannot INSERT shop.rate"),
    (
        "GRANT SELECT (email) ON shop.customer TO {ro}",
        "REVOKE SELECT (email) ON shop.customer FROM {ro}",
        "{ro} cannot SELECT column email",
    ),
    (
        "GRANT UPDATE (email) ON shop.customer TO {rw}",
        "REVOKE UPDATE (email) ON shop.customer FROM {rw}",
        "{app_a} cannot UPDATE column email",
    ),
    (
        "GRANT INSERT (code) ON shop.country TO {ro}",
        "REVOKE INSERT (code) ON shop.country FROM {ro}",
        "{ro} holds on columns",
    ),
    ("GRANT CREATE ON SCHEMA shop TO {rw}", "REVOKE CREATE ON SCHEMA shop FROM {rw}", "creates nothing in schema shop"),
    ("GRANT CREATE ON SCHEMA shop TO PUBLIC", "REVOKE CREATE ON SCHEMA shop FROM PUBLIC", "PUBLIC holds no right"),
    ("GRANT SELECT ON shop.rate TO PUBLIC", "REVOKE SELECT ON shop.rate FROM PUBLIC", "PUBLIC holds no right"),
    (
        "GRANT EXECUTE ON FUNCTION shop.greet_v1() TO PUBLIC",
        "REVOKE EXECUTE ON FUNCTION shop.greet_v1() FROM PUBLIC",
        "PUBLIC holds no right",
    ),
    (
        "GRANT CONNECT ON DATABASE {database} TO PUBLIC",
        "REVOKE CONNECT ON DATABASE {database} FROM PUBLIC",
        "PUBLIC holds no right",
    ),
    (
        "GRANT EXECUTE ON FUNCTION shop.greet_v1() TO {rw}",
        "REVOKE EXECUTE ON FUNCTION shop.greet_v1() FROM {rw}",
        "{rw} executes the functions",
    ),
    (
        "ALTER FUNCTION shop.greet_v1() RESET search_path",
        "ALTER FUNCTION shop.greet_v1() SET search_path = pg_catalog, pg_temp",
        "pins its search_path",
    ),
    (
        "ALTER FUNCTION shop.greet_v1() SECURITY DEFINER; ALTER FUNCTION shop.greet_v1() OWNER TO postgres",
        "ALTER FUNCTION shop.greet_v1() SECURITY INVOKER; ALTER FUNCTION shop.greet_v1() OWNER TO {owner}",
        "lends the rights of a superuser",
    ),
    ("GRANT {owner} TO {app_a}", "REVOKE {owner} FROM {app_a}", "{app_a} cannot become {owner}"),
    ("GRANT {verifier} TO {app_a}", "REVOKE {verifier} FROM {app_a}", "{app_a} cannot become {verifier}"),
    ("GRANT {verifier} TO {ro}", "REVOKE {verifier} FROM {ro}", "has the declared members"),
    ("GRANT {verifier} TO {migrator}", "REVOKE {verifier} FROM {migrator}", "{migrator} cannot become {verifier}"),
    ("GRANT pg_read_all_data TO {app_b}", "REVOKE pg_read_all_data FROM {app_b}", "has the declared members"),
    ("ALTER ROLE {app_b} BYPASSRLS", "ALTER ROLE {app_b} NOBYPASSRLS", "bypasses row security"),
    ("ALTER ROLE {owner} LOGIN", "ALTER ROLE {owner} NOLOGIN", "bypasses row security"),
    ("ALTER ROLE {app_a} RESET search_path", "ALTER ROLE {app_a} SET search_path = 'pg_catalog'", "pinned search_path"),
    (
        "ALTER ROLE {ro} SET default_transaction_read_only = off",
        "ALTER ROLE {ro} SET default_transaction_read_only = 'on'",
        "has its limits",
    ),
    ("ALTER TABLE shop.rate OWNER TO {app_b}", "ALTER TABLE shop.rate OWNER TO {owner}", "no login owns anything"),
    (
        "GRANT pg_execute_server_program TO {app_a}",
        "REVOKE pg_execute_server_program FROM {app_a}",
        "runs no program on the server",
    ),
    (
        "GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_file(text) TO {rw}; GRANT pg_read_server_files TO {rw}",
        "REVOKE EXECUTE ON FUNCTION pg_catalog.pg_read_file(text) FROM {rw}; REVOKE pg_read_server_files FROM {rw}",
        "reads no file of the server",
    ),
    (
        "GRANT SET ON PARAMETER session_replication_role TO {rw}",
        "REVOKE SET ON PARAMETER session_replication_role FROM {rw}",
        "cannot silence triggers",
    ),
    ("ALTER ROLE {app_a} SUPERUSER", "ALTER ROLE {app_a} NOSUPERUSER", "cannot make itself a superuser"),
    ("ALTER TABLE shop.queue OWNER TO {rw}", "ALTER TABLE shop.queue OWNER TO {owner}", "cannot ALTER shop.queue"),
    (
        "SET LOCAL password_encryption = md5; ALTER ROLE {app_a} PASSWORD 'secret'",
        "ALTER ROLE {app_a} PASSWORD NULL",
        "kept as SCRAM-SHA-256",
    ),
]


def test_every_sabotage_is_seen(built: Built) -> None:
    """One database for all of them: each is cured before the next."""
    for wound, cure, promise in SABOTAGE:
        run(built, wound)
        seen = broken(built.connection, built.declared)
        wanted = promise.format(**names(built))
        assert any(wanted in each for each in seen), f"after {wound} not seen: {wanted}; seen: {seen}"
        run(built, cure)
        assert broken(built.connection, built.declared) == [], f"not cured: {wound}"


def names(built: Built) -> dict[str, str]:
    purposes = ("owner", "verifier", "rw", "app_a", "app_b", "ro", "auditor", "migrator")
    return {**{p: f"{built.name}_{p}" for p in purposes}, "database": built.connection.info.dbname}


def run(built: Built, statement: str) -> None:
    with built.connection.transaction():
        built.connection.execute(sql.SQL(statement.format(**names(built))))
