"""Every misconfiguration that is seeded is found by its code and its name, and was not there before."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from freehold.assess import Finding, Limits, Review, assess
from freehold.assess import review as review_module
from freehold.assess.checks import CHECKS
from freehold.assess.finding import Check
from freehold.testing.database import Database

Connection = psycopg.Connection[Any]
GROUND = """
CREATE SCHEMA app;
CREATE TABLE app.company (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL);
CREATE TABLE app.customer (
    company_id bigint NOT NULL REFERENCES app.company, id bigint GENERATED ALWAYS AS IDENTITY, email text,
    PRIMARY KEY (company_id, id)
);
CREATE TABLE app.invoice (
    company_id bigint NOT NULL REFERENCES app.company, id bigint GENERATED ALWAYS AS IDENTITY, customer_id bigint,
    amount numeric(12, 2) NOT NULL, at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (company_id, id),
    CONSTRAINT invoice_customer FOREIGN KEY (company_id, customer_id) REFERENCES app.customer
);
CREATE INDEX invoice_customer_ix ON app.invoice (company_id, customer_id);
ALTER TABLE app.customer ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE app.invoice ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON app.customer USING (company_id = (SELECT current_setting('app.company', true)::bigint));
CREATE POLICY own ON app.invoice USING (company_id = (SELECT current_setting('app.company', true)::bigint));
"""
TABLE = "CREATE TABLE app.t (id bigint PRIMARY KEY, {});"
CASES = [
    ("A101", "app.note", "CREATE TABLE app.note (company_id bigint NOT NULL, id bigint PRIMARY KEY);"),
    ("A102", "app.customer", "ALTER TABLE app.customer NO FORCE ROW LEVEL SECURITY"),
    ("A103", "app.customer", "DROP POLICY own ON app.customer"),
    ("A104", "app.customer", "ALTER TABLE app.customer DISABLE ROW LEVEL SECURITY"),
    ("A105", "policy everything", "CREATE POLICY everything ON app.customer USING (true)"),
    ("A106", "policy slow", "CREATE POLICY slow ON app.customer USING (email = current_setting('app.email'))"),
    ("A106", "policy half", "CREATE POLICY half ON app.customer WITH CHECK (email = current_setting('app.email'))"),
    ("A107", "policy any_row", "CREATE POLICY any_row ON app.customer FOR INSERT WITH CHECK (true)"),
    (
        "A108",
        "constraint loose",
        "ALTER TABLE app.customer ADD UNIQUE (id); ALTER TABLE app.invoice ADD CONSTRAINT loose "
        "FOREIGN KEY (customer_id) REFERENCES app.customer (id)",
    ),
    ("A109", "constraint email_uq", "ALTER TABLE app.customer ADD CONSTRAINT email_uq UNIQUE (email)"),
    ("A110", "app.note.company_id", "CREATE TABLE app.note (company_id bigint, id bigint PRIMARY KEY);"),
    (
        "A111",
        "app.part_1",
        "CREATE TABLE app.part (company_id bigint NOT NULL, id bigint, PRIMARY KEY (id)) PARTITION BY RANGE (id);"
        "ALTER TABLE app.part ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
        "CREATE TABLE app.part_1 PARTITION OF app.part FOR VALUES FROM (1) TO (9);"
        "GRANT SELECT ON app.part_1 TO PUBLIC",
    ),
    ("A112", "app.kept", "CREATE MATERIALIZED VIEW app.kept AS SELECT email FROM app.customer"),
    ("A113", "app.seen", "CREATE VIEW app.seen AS SELECT email FROM app.customer"),
    ("B201", "app.keyless", "CREATE TABLE app.keyless (a text)"),
    ("B202", "app.t.id", "CREATE TABLE app.t (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY)"),
    (
        "B203",
        "app.t_id_seq",
        "CREATE TABLE app.t (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY);"
        "SELECT setval('app.t_id_seq', 2000000000)",
    ),
    ("B204", "app.t.id", "CREATE TABLE app.t (id bigserial PRIMARY KEY)"),
    ("B205", "app.t.at", TABLE.format("at timestamp")),
    ("B206", "app.t.code", TABLE.format("code char(3)")),
    ("B207", "app.t.sum", TABLE.format("sum money")),
    ("B208", "app.t.body", TABLE.format("body json")),
    ("B209", "app.t.hour", TABLE.format("hour timetz")),
    ("B210", "app.t.unit_price", TABLE.format("unit_price double precision")),
    ("B211", 'app.t."Odd"', TABLE.format('"Odd" text')),
    (
        "B212",
        "constraint k",
        TABLE.format("company integer, CONSTRAINT k FOREIGN KEY (company) REFERENCES app.company"),
    ),
    (
        "B213",
        "constraint k",
        TABLE.format("company bigint, CONSTRAINT k FOREIGN KEY (company) REFERENCES app.company")
        + "INSERT INTO app.t SELECT i FROM generate_series(1, 2000) AS i; ANALYZE app.t",
    ),
    ("B214", "constraint positive", "ALTER TABLE app.invoice ADD CONSTRAINT positive CHECK (amount > 0) NOT VALID"),
    (
        "B215",
        "constraint twice",
        "ALTER TABLE app.customer ADD CONSTRAINT twice FOREIGN KEY (company_id) REFERENCES app.company",
    ),
    (
        "B216",
        "constraint k",
        TABLE.format("company bigint, CONSTRAINT k FOREIGN KEY (company) REFERENCES app.company ON DELETE CASCADE")
        + "UPDATE pg_class SET reltuples = 2000000 WHERE oid = 'app.t'::regclass",
    ),
    (
        "C301",
        "app.broken",
        "CREATE INDEX broken ON app.invoice (amount);"
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'app.broken'::regclass",
    ),
    ("C302", "app.again", "CREATE INDEX again ON app.invoice (company_id, customer_id)"),
    ("C303", "app.shorter", "CREATE INDEX shorter ON app.invoice (company_id)"),
    (
        "C304",
        "app.idle",
        TABLE.format("a text")
        + "INSERT INTO app.t SELECT i, repeat(md5(i::text), 9) FROM generate_series(1, 9000) AS i;"
        "CREATE INDEX idle ON app.t (a)",
    ),
    (
        "C305",
        "app.t",
        TABLE.format("a integer") + "".join(f"CREATE INDEX ON app.t ((a + {i}));" for i in range(11)),
    ),
    ("D401", "app.invoice", "UPDATE pg_class SET reltuples = 2e8 WHERE oid = 'app.invoice'::regclass"),
    (
        "D403",
        "app.t",
        TABLE.format("a integer")
        + "INSERT INTO app.t SELECT i FROM generate_series(1, 5000) AS i; SELECT pg_stat_force_next_flush()",
    ),
    ("D404", "app.t", "CREATE TABLE app.t (id bigint PRIMARY KEY) WITH (autovacuum_enabled = false)"),
    ("D406", "app.t", "CREATE UNLOGGED TABLE app.t (id bigint PRIMARY KEY)"),
    (
        "D407",
        "app.t",
        TABLE.format("a text") + "INSERT INTO app.t SELECT i, repeat('x', 400) FROM generate_series(1, 9000) AS i;"
        "DELETE FROM app.t WHERE id > 90; ANALYZE app.t",
    ),
    (
        "D408",
        "trigger quiet",
        "CREATE TRIGGER quiet BEFORE UPDATE ON app.customer FOR EACH ROW EXECUTE FUNCTION "
        "suppress_redundant_updates_trigger(); ALTER TABLE app.customer DISABLE TRIGGER quiet",
    ),
    ("D409", "rule nothing", "CREATE RULE nothing AS ON DELETE TO app.company DO INSTEAD NOTHING"),
    ("E501", "role {name}_r", "CREATE ROLE {name}_r LOGIN SUPERUSER"),
    ("E502", "role {name}_r", "CREATE ROLE {name}_r LOGIN BYPASSRLS"),
    ("E503", "role {name}_r", "CREATE ROLE {name}_r LOGIN CREATEROLE"),
    ("E504", "role {name}_r", "CREATE ROLE {name}_r LOGIN REPLICATION CREATEDB"),
    ("E505", "role {name}_r", "CREATE ROLE {name}_r LOGIN"),
    ("E506", "role {name}_r", "CREATE ROLE {name}_r LOGIN; ALTER TABLE app.company OWNER TO {name}_r"),
    ("E507", "role {name}_r", "CREATE ROLE {name}_r LOGIN; GRANT pg_read_all_data TO {name}_r"),
    (
        "E508",
        "role {name}_r",
        "CREATE ROLE {name}_r LOGIN; SET password_encryption = 'md5'; ALTER ROLE {name}_r PASSWORD 'x'; "
        "RESET password_encryption",
    ),
    ("E509", "schema app", "GRANT CREATE ON SCHEMA app TO PUBLIC"),
    ("E510", "app.company", "GRANT SELECT ON app.company TO PUBLIC"),
    ("E511", "default privileges", "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC"),
    ("E512", "app.f()", "CREATE FUNCTION app.f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'"),
    ("E513", "app.f()", "CREATE FUNCTION app.f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'"),
    ("E515", "extension dblink", "CREATE EXTENSION dblink"),
    ("F615", "replication slot {name}", "SELECT pg_create_physical_replication_slot('{name}', true)"),
]
SERVER = {"F601", "F602", "F603", "F604", "F605", "F606", "F607", "F608", "F609", "F610", "F611", "F612", "F613"}
"""About the server as it runs, which a test does not restart: the queries run, and what they say is not asserted."""
UNSEEDED = SERVER | {"D402", "D405", "E514", "F614", "F615", "F616"}
"""Beside them: what waits for statistics, for two billion transactions, or for a language that is not installed."""


def found(review: Review, code: str, subject: str) -> list[str]:
    return [f.subject for f in review.findings if f.check.code == code and subject in f.subject]


@pytest.mark.parametrize(("code", "subject", "script"), CASES, ids=[f"{c}-{n}" for n, (c, _, _) in enumerate(CASES)])
def test_a_seeded_fault_is_found(database: Database, layer_name: str, code: str, subject: str, script: str) -> None:
    subject, script = subject.replace("{name}", layer_name), script.replace("{name}", layer_name)
    with database.connect(autocommit=True) as connection:
        connection.execute(GROUND)
        before = assess(connection)
        assert found(before, code, subject) == []
        try:
            connection.execute(script.encode())
        except psycopg.errors.UndefinedFile:
            pytest.skip(f"the files of the {subject} are not installed")
        try:
            after = assess(connection)
            assert found(after, code, subject) != []
            (finding, *_) = (f for f in after.findings if f.check.code == code and subject in f.subject)
            assert finding.evidence
            if finding.mend.startswith(("ALTER TABLE", "BEGIN;")) and code not in {"B205", "D406"}:
                connection.execute(finding.mend.encode())
                assert found(assess(connection), code, subject) == [], "what mends it does"
        finally:
            if code == "F615":
                connection.execute("SELECT pg_drop_replication_slot(%s)", (layer_name,))


def test_most_checks_are_seeded() -> None:
    codes = {check.code for check in CHECKS}
    assert len(codes) == len(CHECKS) >= 60
    assert len({code for code, _, _ in CASES} - SERVER) >= 45
    assert codes - {code for code, _, _ in CASES} - UNSEEDED == set()


def test_every_query_runs_and_takes_no_lock_beyond_access_share(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Locks are kept to the end of the transaction, and looked at within it, after each check."""
    modes: set[tuple[str, str]] = set()
    ask = review_module._asked

    def watched(connection: Connection, check: Check, values: dict[str, Any]) -> list[Finding]:
        found = ask(connection, check, values)
        held = connection.execute(
            "SELECT l.mode, l.relation::regclass::text FROM pg_locks AS l "
            "WHERE l.pid = pg_backend_pid() AND l.relation IS NOT NULL"
        )
        modes.update(held)
        return found

    monkeypatch.setattr(review_module, "_asked", watched)
    with database.connect(autocommit=True) as connection, database.connect(autocommit=True) as other:
        connection.execute(GROUND)
        other.execute("BEGIN; LOCK TABLE app.invoice IN SHARE ROW EXCLUSIVE MODE")
        review = assess(connection)
    assert [(check.code, reason) for check, reason in review.not_looked_at] == []
    assert review.tenant_column == "company_id"
    assert ("AccessShareLock", "app.company_id_seq") in modes, "what is read is seen"
    assert {mode for mode, _ in modes} == {"AccessShareLock"}


def test_a_login_without_rights_is_told_what_was_not_looked_at(database: Database, layer_name: str) -> None:
    login = f"{layer_name}_poor"
    with database.connect(autocommit=True) as connection:
        connection.execute(GROUND)
        connection.execute(f"CREATE ROLE {login} LOGIN PASSWORD 'poor'".encode())
        with psycopg.connect(database.url(user=login, password="poor"), autocommit=True) as poor:
            review = assess(poor)
        missed = {check.code for check, _ in review.not_looked_at}
        assert {"D407", "E508", "F603", "F612", "F616"} <= missed
        assert review.findings


def test_limits_are_parameters(database: Database) -> None:
    with database.connect(autocommit=True) as connection:
        connection.execute(GROUND)
        connection.execute("INSERT INTO app.company (name) VALUES ('a')")
        low = replace(Limits(), old_transactions=0, long_seconds=0.0)
        codes = {finding.check.code for finding in assess(connection, limits=low).findings}
        assert "D405" in codes


def test_a_thousand_tables(database: Database, record_property: Callable[[str, object], None]) -> None:
    with database.connect(autocommit=True) as connection:
        connection.execute("CREATE SCHEMA app")
        for group in range(10):
            connection.execute(
                "; ".join(
                    f"CREATE TABLE app.t{group}_{n} (company_id bigint NOT NULL, id bigint PRIMARY KEY, a text UNIQUE)"
                    for n in range(100)
                ).encode()
            )
        review = assess(connection)
        assert len(review.findings) > 1000
        record_property("seconds", review.seconds)


def test_every_check_is_documented() -> None:
    text = Path("docs/assess.md").read_text(encoding="utf-8")
    told = [line.split(" | ")[0].removeprefix("| ") for line in text.splitlines() if re.match(r"\| [A-F]\d{3} ", line)]
    assert told == [check.code for check in CHECKS]
