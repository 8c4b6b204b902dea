"""Guards that only log: every statement passes, and what the guard would have done is noted, once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import psycopg
import pytest
from psycopg import sql

from freehold.errors import DeclarationError, StepRefused
from freehold.kernel.compile import Declared, compile_layer
from freehold.kernel.declare import Declarations
from freehold.kernel.prove import Outcome, run_probes
from freehold.operations import apply_layer, plan_layer
from freehold.rooms.roles import ROOM as ROLES
from freehold.rooms.roles import Roles
from freehold.rooms.tenancy import ROOM, Tenancy
from freehold.rooms.tenancy.refusals import clear_refusals, read_refusals
from freehold.testing.database import Database

from .layer import SECRET, A, B, Base, Company, Customer, Move, Product, Setting

Connection = psycopg.Connection[Any]
ISSUE = "SELECT set_config('freehold.context', freehold.issue_context_v1(%s, 'ana', '1 minute'), true)"
REASON = "the shop's release of March binds its tenant"


def layer(name: str, *log_only: type[Base]) -> Declared:
    """The layer, with guards that only log on some tables."""
    tenancy = Tenancy(
        Company,
        shared=[Product],
        exempt={Setting: "settings of the operating staff"},
        log_only=dict.fromkeys(log_only, REASON),
    )
    items = (tenancy, Roles(writes=[Product]))
    return compile_layer(Declarations(metadata=Base.metadata, items=items, name=name), [ROOM, ROLES])


class Built(NamedTuple):
    """A layer on its database, seen by the administrator, and a way in for the application."""

    name: str
    database: Database
    connection: Connection

    def application(self) -> Connection:
        """A session that the guards hold; it is not the administrator's any more."""
        opened = self.database.connect(autocommit=True)
        opened.execute("SET application_name = 'till'")
        self.hold(opened)
        return opened

    def hold(self, session: Connection) -> None:
        """Let the guards hold a session."""
        session.execute(sql.SQL("SET SESSION AUTHORIZATION {}").format(sql.Identifier(f"{self.name}_app_a")))

    def bind(self, session: Connection, tenant: object) -> None:
        """Bind a tenant to the session's transaction, as the administrator whom it belongs to by right."""
        session.execute("RESET SESSION AUTHORIZATION")
        session.execute(ISSUE, (str(tenant),))
        self.hold(session)

    def noted(self) -> set[tuple[str, str, str]]:
        """Table, command and why."""
        return {(each.relation, each.command, each.why) for each in read_refusals(self.connection, hours=1, most=100)}


@pytest.fixture
def built(database: Database, layer_name: str) -> Iterator[Built]:
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, layer(layer_name, Customer, Move))
        connection.execute("SELECT freehold.add_context_key_v1('k1', %s)", (SECRET,))
        for tenant in (A, B):
            connection.execute("INSERT INTO shop.company (id) VALUES (%s)", (tenant,))
            connection.execute("INSERT INTO shop.customer (tenant_id, email) VALUES (%s, 'a@example.org')", (tenant,))
            connection.execute("INSERT INTO shop.move VALUES (%s, '2020-02-02', 1)", (tenant,))
        yield Built(layer_name, database, connection)


def one(connection: Connection, query: str, *values: object) -> Any:
    """The first value of the first row."""
    row = connection.execute(query.encode(), values).fetchone()
    assert row is not None
    return row[0]


def test_without_a_context_everything_passes_and_is_noted(built: Built) -> None:
    with built.application() as till:
        assert one(till, "SELECT count(*) FROM shop.customer") == 2
        till.execute("INSERT INTO shop.customer (tenant_id, email) VALUES (%s, 'b@example.org')", (B,))
        assert till.execute("UPDATE shop.customer SET email = 'c@example.org' WHERE id = 1").rowcount == 1
        assert till.execute("DELETE FROM shop.customer WHERE id = 1").rowcount == 1
        assert one(till, "SELECT count(*) FROM shop.move") == 2
        with pytest.raises(psycopg.Error) as refused:
            till.execute("SELECT count(*) FROM shop.company")
    assert refused.value.sqlstate == "FH001", "a table beside them is guarded as ever"
    commands = ("SELECT", "INSERT", "UPDATE", "DELETE")
    assert built.noted() == {
        *(("shop.customer", command, "FH001") for command in commands),
        ("shop.move", "SELECT", "FH001"),
    }
    (found,) = (each for each in read_refusals(built.connection, hours=1, most=9) if each.relation == "shop.move")
    assert (found.role, found.application) == (f"{built.name}_app_a", "till")
    assert found.statement == "SELECT count(*) FROM shop.move"
    assert "FH001" in found.told


def test_rows_of_another_tenant_pass_and_are_noted(built: Built) -> None:
    with built.application() as till, till.transaction():
        built.bind(till, A)
        assert one(till, "SELECT count(*) FROM shop.customer WHERE tenant_id = %s", A) == 1
        assert built.noted() == set(), "its own rows are nobody's concern"
        assert one(till, "SELECT count(*) FROM shop.customer") == 2
        till.execute("INSERT INTO shop.customer (tenant_id, email) VALUES (%s, 'b@example.org')", (B,))
        moved = "UPDATE shop.customer SET tenant_id = %s, email = 'm' WHERE tenant_id = %s AND email = 'b@example.org'"
        till.execute(moved.encode(), (A, B))
    assert built.noted() >= {
        ("shop.customer", "SELECT", "hidden"),
        ("shop.customer", "INSERT", "42501"),
        ("shop.customer", "UPDATE", "hidden"),
        ("shop.customer", "UPDATE", "FH010"),
    }


@pytest.mark.parametrize("token", ["forged", "a|v1|k1|b"])
def test_a_context_that_is_not_valid_is_noted_as_what_it_is(built: Built, token: str) -> None:
    with built.application() as till, till.transaction():
        till.execute("SELECT set_config('freehold.context', %s, true)", (token,))
        assert one(till, "SELECT count(*) FROM shop.customer") == 2
    assert built.noted() == {("shop.customer", "SELECT", "FH002")}


def test_a_session_notes_a_statement_once(built: Built) -> None:
    count = "SELECT count(*) FROM freehold.would_refuse"
    with built.application() as till:
        for _ in range(3):
            till.execute("SELECT FROM shop.customer")
    assert one(built.connection, count) == 1
    with built.application() as other:
        other.execute("SELECT FROM shop.customer")
    assert one(built.connection, count) == 1, "another session sees that it was noted"
    assert clear_refusals(built.connection) == 1
    assert built.noted() == set()


def test_nobody_waits_for_a_note(built: Built) -> None:
    with built.application() as first, built.application() as second:
        for session in (first, second):
            session.execute("BEGIN")
            session.execute("SET LOCAL lock_timeout = '1ms'")
            session.execute("SELECT FROM shop.customer")
        second.execute("COMMIT")
        first.execute("ROLLBACK")
    assert built.noted() == {("shop.customer", "SELECT", "FH001")}


def test_serializable_transactions_do_not_fail_for_it(built: Built) -> None:
    with built.application() as first, built.application() as second:
        for session in (first, second):
            session.execute("BEGIN ISOLATION LEVEL SERIALIZABLE")
            session.execute("SELECT FROM shop.customer")
        for session in (first, second):
            session.execute("INSERT INTO shop.product VALUES (%s)", (str(session.info.backend_pid),))
        for session in (first, second):
            session.execute("COMMIT")
    assert built.noted() == {("shop.customer", "SELECT", "FH001")}


def test_a_read_only_transaction_tells_the_log(built: Built) -> None:
    told: list[str] = []
    with built.application() as till:
        till.add_notice_handler(lambda message: told.append(str(message.severity_nonlocalized)))
        till.execute("SET default_transaction_read_only = on")
        till.execute("SET client_min_messages = log")
        assert one(till, "SELECT count(*) FROM shop.customer") == 2
    assert told == ["LOG"]
    assert built.noted() == set()


def test_what_cannot_be_noted_does_not_fail(built: Built) -> None:
    built.connection.execute("ALTER TABLE freehold.would_refuse ADD CHECK (relation = '') NOT VALID")
    with built.application() as till:
        assert one(till, "SELECT count(*) FROM shop.customer") == 2
    assert built.noted() == set()


def test_the_application_neither_reads_nor_writes_notes(built: Built) -> None:
    with built.application() as till:
        for attack in (
            "SELECT FROM freehold.would_refuse",
            "DELETE FROM freehold.would_refuse",
            "SELECT freehold.note_refusal_v1('a', 'b', 'c')",
        ):
            with pytest.raises(psycopg.Error) as refused:
                till.execute(attack.encode())
            assert refused.value.sqlstate == "42501"


def test_its_promises_are_not_run_and_never_shown_as_held(built: Built) -> None:
    declared = layer(built.name, Customer, Move)
    verdicts = run_probes(built.connection, [probe for probe in declared.probes if probe.room == "tenancy"])
    assert not [each for each in verdicts if each.verdict is Outcome.BROKEN]
    withheld = [each for each in verdicts if each.verdict is Outcome.NOT_RUN]
    assert {each.subject for each in withheld} >= {"table shop.customer", "table shop.move"}
    assert all(REASON in each.detail for each in withheld)
    held = {each.subject for each in verdicts if each.verdict is Outcome.HELD}
    assert "table shop.order" in held


def test_the_guard_closes_without_a_flag_and_opens_with_one(built: Built) -> None:
    closed, logging = layer(built.name), layer(built.name, Customer, Move)
    assert plan_layer(built.connection, logging).steps == ()
    apply_layer(built.connection, closed, contract=True, data_loss=True)
    with built.application() as till, pytest.raises(psycopg.Error) as refused:
        till.execute("SELECT FROM shop.customer")
    assert refused.value.sqlstate == "FH001"
    assert one(built.connection, "SELECT to_regclass('freehold.would_refuse') IS NULL")
    with pytest.raises(StepRefused):
        apply_layer(built.connection, logging)
    apply_layer(built.connection, logging, weaker_guard="the release was taken back")
    with built.application() as till:
        till.execute("SELECT FROM shop.customer")
    assert plan_layer(built.connection, logging).steps == ()


def test_only_owned_tables_can_log(layer_name: str) -> None:
    with pytest.raises(DeclarationError, match=r"shop\.product"):
        layer(layer_name, Product)
    with pytest.raises(DeclarationError, match="without tenants"):
        Tenancy(None, exempt={"*": "one company's own books"}, log_only={Customer: REASON})
    with pytest.raises(DeclarationError, match="No reason"):
        Tenancy(Company, log_only={Customer: " "})
