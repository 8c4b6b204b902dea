"""The ledger accounts for every exit of the worked example, and names a stranger of each kind."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from freehold.isolation import Standing
from tests.isolation.conftest import Retail

LENDS = "LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'SELECT count(*) FROM retail.customer'"
STRANGERS: list[tuple[str, Sequence[str], str]] = [
    (
        "a table without the guard",
        (
            "CREATE TABLE retail.copied AS TABLE retail.customer",
            "GRANT SELECT ON retail.copied TO {rw}",
        ),
        "broken table retail.copied",
    ),
    (
        "a table that nobody classifies",
        ("CREATE TABLE retail.notes (note text)", "GRANT INSERT (note) ON retail.notes TO {ro}"),
        "unknown table retail.notes",
    ),
    ("row security off", ("ALTER TABLE retail.customer DISABLE ROW LEVEL SECURITY",), "broken table retail.customer"),
    (
        "a policy of one role's",
        ("CREATE POLICY support ON retail.customer FOR SELECT TO {ro} USING (true)",),
        "broken table retail.customer",
    ),
    ("TRUNCATE", ("GRANT TRUNCATE ON retail.customer TO {ro}",), "unknown table retail.customer"),
    ("TRIGGER", ("GRANT TRIGGER ON retail.product TO {ro}",), "unknown table retail.product"),
    (
        "a view with its owner's rights",
        (
            "CREATE VIEW retail.seen AS SELECT tenant_id FROM retail.customer",
            "GRANT SELECT ON retail.seen TO {ro}",
        ),
        "broken view retail.seen",
    ),
    (
        "a view without the tenant column",
        (
            "CREATE VIEW retail.counted AS SELECT count(*) FROM retail.customer",
            "GRANT SELECT ON retail.counted TO {ro}",
        ),
        "unknown view retail.counted",
    ),
    (
        "a materialized view",
        (
            "CREATE MATERIALIZED VIEW retail.kept AS SELECT tenant_id FROM retail.customer",
            "GRANT SELECT ON retail.kept TO {ro}",
        ),
        "broken materialized view retail.kept",
    ),
    (
        "an inheritance child",
        ("CREATE TABLE retail.child () INHERITS (retail.customer)", "GRANT SELECT ON retail.child TO {ro}"),
        "table retail.child",
    ),
    (
        "a function with its owner's rights",
        (
            f"CREATE FUNCTION retail.leak() RETURNS bigint {LENDS}",
            "GRANT EXECUTE ON FUNCTION retail.leak() TO {ro}",
        ),
        "unknown function retail.leak()",
    ),
    (
        "a trigger's function with its owner's rights",
        (
            "CREATE FUNCTION retail.spy() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RETURN NEW; END'",
            "CREATE TRIGGER spy BEFORE INSERT ON retail.customer FOR EACH ROW EXECUTE FUNCTION retail.spy()",
        ),
        "unknown function retail.spy()",
    ),
    (
        "a leakproof function",
        ("CREATE FUNCTION retail.quick(text) RETURNS text LANGUAGE sql LEAKPROOF IMMUTABLE AS 'SELECT $1'",),
        "unknown function retail.quick(text)",
    ),
    ("a publication", ("CREATE PUBLICATION everything FOR TABLE retail.customer",), "unknown publication everything"),
    (
        "a foreign server",
        (
            "CREATE FOREIGN DATA WRAPPER beyond",
            "CREATE SERVER far FOREIGN DATA WRAPPER beyond",
            "GRANT USAGE ON FOREIGN SERVER far TO {rw}",
        ),
        "unknown foreign server far",
    ),
    (
        "a foreign table",
        (
            "CREATE FOREIGN DATA WRAPPER beyond",
            "CREATE SERVER far FOREIGN DATA WRAPPER beyond",
            "CREATE FOREIGN TABLE retail.away (id int) SERVER far",
            "GRANT SELECT ON retail.away TO {ro}",
        ),
        "unknown foreign table retail.away",
    ),
    (
        "a default privilege",
        ("ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA retail GRANT SELECT ON TABLES TO {ro}",),
        "unknown default privilege of ledger_owner on tables in retail",
    ),
    (
        "a rule",
        ("CREATE RULE copying AS ON DELETE TO retail.source DO ALSO NOTHING",),
        "unknown rule copying on retail.source",
    ),
    ("a large object", ("SELECT lo_from_bytea(0, 'x')",), "unknown large objects of"),
    (
        "a sequence that tells its state",
        ("CREATE SEQUENCE retail.numbers", "GRANT SELECT ON SEQUENCE retail.numbers TO {ro}"),
        "unknown sequence retail.numbers",
    ),
]


def test_everything_is_accounted_for(retail: Retail) -> None:
    ledger = retail.ledger()
    assert retail.failing() == []
    assert ledger.unheld == ()
    counts = ledger.counts()
    assert counts[Standing.PROVEN] > 20
    line = retail.line("table retail.customer", "ledger_app_b")
    assert (line.standing, "ledger_rw" in line.roles, len(line.probes)) == (Standing.PROVEN, True, 4)


@pytest.mark.parametrize(("statements", "found"), [each[1:] for each in STRANGERS], ids=[each[0] for each in STRANGERS])
def test_a_stranger_is_named(retail: Retail, statements: Sequence[str], found: str) -> None:
    retail.run(*statements)
    failing = retail.failing()
    assert any(found in line for line in failing), failing
    assert all(entry.advice for entry in retail.ledger().failing)


def test_what_everybody_holds_is_proven_as_what_a_login_holds(retail: Retail) -> None:
    retail.run("GRANT USAGE ON SCHEMA retail TO PUBLIC", "GRANT SELECT ON retail.quarantine TO PUBLIC")
    line = retail.line("table retail.quarantine", "public")
    assert (line.standing, "ledger_ro" in line.roles) == (Standing.PROVEN, True)


def test_an_exit_is_accepted_by_name_with_a_reason(retail: Retail) -> None:
    retail.run("CREATE PUBLICATION everything FOR TABLE retail.customer")
    ledger = retail.ledger({"publication everything": "feeds the warehouse"})
    line = next(each for each in ledger.entries if each.kind == "publication")
    assert (line.standing, line.reason) == (Standing.EXEMPT, "declared: feeds the warehouse")
    assert ledger.failing == ()


def test_an_accepted_exit_that_is_gone_is_told(retail: Retail) -> None:
    (line,) = retail.ledger({"publication gone": "fed the warehouse"}).failing
    assert (line.exit, line.standing) == ("publication gone", Standing.UNKNOWN)


def test_accepting_does_not_mend_what_is_broken(retail: Retail) -> None:
    retail.run("ALTER TABLE retail.customer DISABLE ROW LEVEL SECURITY")
    assert retail.ledger({"table retail.customer": "nobody looks"}).failing


def test_who_may_become_a_superuser_is_told(retail: Retail, layer_name: str) -> None:
    retail.run(f"CREATE ROLE {layer_name}_root SUPERUSER", f"GRANT {layer_name}_root TO {{app}}")
    try:
        found = [line for line in retail.ledger().entries if line.exit == f"role {layer_name}_root"]
        assert [(line.standing, "superuser that ledger_app_a" in line.reason) for line in found] == [
            (Standing.UNKNOWN, True)
        ]
    finally:
        retail.run(f"REVOKE {layer_name}_root FROM {{app}}")


def test_a_member_of_the_owner_that_nobody_declared_is_told(retail: Retail, layer_name: str) -> None:
    retail.run(f"CREATE ROLE {layer_name}_guest LOGIN", f"GRANT CONNECT ON DATABASE {layer_name} TO {layer_name}_guest")
    retail.run(f"GRANT {{owner}} TO {layer_name}_guest")
    try:
        assert any(f"role ledger_owner: ledger_owner: {layer_name}_guest may become it" in x for x in retail.failing())
    finally:
        retail.run(f"REVOKE {{owner}} FROM {layer_name}_guest")
