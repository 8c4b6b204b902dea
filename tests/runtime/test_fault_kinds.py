"""Each way in which the server refuses a statement is an error of its own class, and none tells a value of a row."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from freehold import errors
from freehold.errors import FreeholdError
from freehold.kernel.dialect import DIALECT
from freehold.kernel.metadata import partition_of
from freehold.rooms.tenancy import tenant_unique
from freehold.runtime.constraints import fault_message
from freehold.runtime.faults import Faults
from freehold.servers.disposable import replica_of
from freehold.servers.owned import OwnedServer
from freehold.testing.database import Database
from freehold.testing.servers import wait_for_replay

OWN, FOREIGN = uuid.UUID(int=1), uuid.UUID(int=2)
SECRET = "hidden@example.org"
METADATA = sa.MetaData(schema="shop")

customer = sa.Table(
    "customer",
    METADATA,
    sa.Column("tenant_id", sa.Uuid, primary_key=True),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("email", sa.Text, nullable=False, info=fault_message("Give an e-mail address.")),
    sa.Column("name", sa.String(5), nullable=False, server_default=""),
    sa.Column("age", sa.SmallInteger),
    sa.Column("stay", sa.dialects.postgresql.INT4RANGE),
    tenant_unique("email", info=fault_message("This e-mail address is taken.")),
    sa.CheckConstraint("age > 0", name="customer_age_positive"),
    ExcludeConstraint(("stay", "&&"), name="customer_stay"),
    sa.Index("customer_name", "tenant_id", "name", unique=True, postgresql_where=sa.text("name <> ''")),
)
order = sa.Table(
    "order",
    METADATA,
    sa.Column("tenant_id", sa.Uuid, primary_key=True),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("customer_id", sa.Integer),
    sa.ForeignKeyConstraint(["tenant_id", "customer_id"], ["shop.customer.tenant_id", "shop.customer.id"]),
)
move = sa.Table(
    "move",
    METADATA,
    sa.Column("tenant_id", sa.Uuid, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    postgresql_partition_by="RANGE (day)",
)
early = sa.Table("move_early", METADATA, info=partition_of("shop.move", "FOR VALUES FROM ('2000-01-01') TO (MAXVALUE)"))
EARLY = "CREATE TABLE shop.move_early PARTITION OF shop.move FOR VALUES FROM ('2000-01-01') TO (MAXVALUE)"
POLICY = "CREATE POLICY own ON shop.customer USING (tenant_id = current_setting('freehold.tenant')::uuid)"

FAULTS = Faults((customer, order, move, early), dict.fromkeys((customer, order, move), "tenant_id"))
INSERT = "INSERT INTO shop.customer (tenant_id, id, email, name, age, stay) VALUES "

CASES: dict[str, tuple[str, type[FreeholdError], str, tuple[str, ...]]] = {
    "unique": (f"{INSERT} ('{OWN}', 2, '{SECRET}', '', 1, NULL)", errors.UniqueViolated, "", ("email",)),
    "key": (f"{INSERT} ('{OWN}', 1, 'other', '', 1, NULL)", errors.UniqueViolated, "customer_pkey", ("id",)),
    "index": (f"{INSERT} ('{OWN}', 2, 'other', 'Ada', 1, NULL)", errors.UniqueViolated, "customer_name", ("name",)),
    "null": (f"{INSERT} ('{OWN}', 2, NULL, '', 1, NULL)", errors.NotNullViolated, "", ("email",)),
    "check": (f"{INSERT} ('{OWN}', 2, 'o', '', -1, NULL)", errors.CheckViolated, "customer_age_positive", ()),
    "exclude": (f"{INSERT} ('{OWN}', 2, 'o', '', 1, '[5,6)')", errors.ExclusionViolated, "customer_stay", ("stay",)),
    "long": (f"{INSERT} ('{OWN}', 2, 'o', 'Hopper', 1, NULL)", errors.StringTooLong, "", ()),
    "large": (f"{INSERT} ('{OWN}', 2, 'o', '', 40000, NULL)", errors.NumericOutOfRange, "", ()),
    "text": (f"SELECT '{SECRET}'::uuid", errors.TextInvalid, "", ()),
    "day": (f"SELECT '{SECRET}'::date", errors.TextInvalid, "", ()),
    "zero": ("SELECT 1 / 0", errors.DataRefused, "", ()),
    "reference": (
        f"INSERT INTO shop.order VALUES ('{OWN}', 2, 77)",
        errors.ForeignKeyViolated,
        "order_tenant_id_customer_id_fkey",
        ("customer_id",),
    ),
    "referred": (
        f"DELETE FROM shop.customer WHERE tenant_id = '{OWN}'",
        errors.ForeignKeyViolated,
        "order_tenant_id_customer_id_fkey",
        ("customer_id",),
    ),
    "partition": (f"INSERT INTO shop.move VALUES ('{OWN}', '2020-02-02')", errors.UniqueViolated, "", ("day",)),
    "many": ("SELECT (SELECT id FROM (VALUES (1), (2)) AS several (id))", errors.StatementFailed, "", ()),
    "unsupported": ("SELECT count(*) FROM shop.order FOR UPDATE", errors.StatementFailed, "", ()),
    "wide": (f"SELECT {', '.join('1' * 2000)}", errors.StatementFailed, "", ()),
    "early": ("SELECT lastval()", errors.StatementFailed, "", ()),
    "cursor": ("FETCH FROM nothing", errors.StatementFailed, "", ()),
    "view": (f"INSERT INTO shop.large VALUES ('{OWN}', 2, NULL)", errors.DataRefused, "", ()),
    "internal": ("SELECT array_in('{1}', 0, -1)", errors.ServerError, "", ()),
    "unknown": ("SELECT * FROM shop.nothing", errors.StatementFailed, "", ()),
    "syntax": ("SELEC 1", errors.StatementFailed, "", ()),
}


@pytest.fixture
def shop(database: Database) -> Iterator[psycopg.Connection[Any]]:
    """The tables with one tenant's rows."""
    with database.connect(autocommit=True) as admin:
        admin.execute("CREATE SCHEMA shop")
        for table in (customer, order, move):
            admin.execute(str(sa.schema.CreateTable(table).compile(dialect=DIALECT)))
            for index in table.indexes:
                admin.execute(str(sa.schema.CreateIndex(index).compile(dialect=DIALECT)))
        admin.execute(EARLY)
        admin.execute("CREATE VIEW shop.large AS SELECT * FROM shop.order WHERE id > 5 WITH CHECK OPTION")
        admin.execute(INSERT + f"('{OWN}', 1, '{SECRET}', 'Ada', 1, '[1,9)')")
        admin.execute(f"INSERT INTO shop.order VALUES ('{OWN}', 1, 1)")
        admin.execute(f"INSERT INTO shop.move VALUES ('{OWN}', '2020-02-02')")
    with database.connect(autocommit=True) as connection:
        yield connection


def refused(connection: psycopg.Connection[Any], statement: str, **known: Any) -> FreeholdError:
    """What the statement is refused with."""
    with pytest.raises(psycopg.Error) as caught:
        connection.execute(statement)
    found = FAULTS.fault(caught.value, **known)
    assert found is not None
    return found


@pytest.mark.parametrize("case", CASES)
def test_each_has_its_class_and_tells_no_value(shop: psycopg.Connection[Any], case: str) -> None:
    statement, kind, constraint, columns = CASES[case]
    found = refused(shop, statement)
    assert type(found) is kind
    assert not found.retryable
    if isinstance(found, errors.ConstraintViolated):
        assert found.columns == columns or case == "check"
        assert found.table.startswith("shop.")
        assert constraint in {"", found.constraint}
    for text in (found.message, found.detail, found.hint, str(found)):
        assert SECRET not in text
        assert str(OWN) not in text


def test_a_statement_after_a_failed_one_is_told(shop: psycopg.Connection[Any]) -> None:
    with pytest.raises(ZeroDivisionError), shop.transaction():
        with pytest.raises(psycopg.Error):
            shop.execute("SELECT 1 / 0")
        assert type(refused(shop, "SELECT 1")) is errors.TransactionAborted
        raise ZeroDivisionError


@pytest.mark.parametrize("state", ["P0001", "AB123", "55000"])
def test_what_the_application_raises_is_its_own(shop: psycopg.Connection[Any], state: str) -> None:
    with pytest.raises(psycopg.Error) as caught:
        shop.execute(f"DO $$ BEGIN RAISE EXCEPTION 'own' USING ERRCODE = '{state}'; END $$")
    assert FAULTS.fault(caught.value) is None


def test_a_taken_address_is_told_from_a_clash_of_keys(shop: psycopg.Connection[Any]) -> None:
    assert refused(shop, CASES["unique"][0]).message == "This e-mail address is taken."
    assert refused(shop, CASES["key"][0]).message == "Another row of shop.customer has the same id"
    assert refused(shop, CASES["null"][0]).message == "Give an e-mail address."


def test_a_constraint_that_nobody_declared_is_still_named(shop: psycopg.Connection[Any]) -> None:
    shop.execute("ALTER TABLE shop.order ADD CONSTRAINT late CHECK (id < 5)")
    found = refused(shop, f"INSERT INTO shop.order VALUES ('{OWN}', 9, 1)")
    assert isinstance(found, errors.CheckViolated)
    assert (found.constraint, found.table, found.columns) == ("late", "shop.order", ())


def test_row_security_is_told_from_a_missing_grant(
    shop: psycopg.Connection[Any], database: Database, layer_name: str
) -> None:
    shop.execute(f"CREATE ROLE {layer_name}_rw")
    shop.execute(POLICY)
    shop.execute("ALTER TABLE shop.customer ENABLE ROW LEVEL SECURITY")
    shop.execute(f"GRANT USAGE ON SCHEMA shop TO {layer_name}_rw")
    shop.execute(f"GRANT ALL ON shop.customer TO {layer_name}_rw")
    shop.execute(f"SET ROLE {layer_name}_rw")
    shop.execute(f"SET freehold.tenant = '{OWN}'")
    assert type(refused(shop, INSERT + f"('{FOREIGN}', 2, 'o', '', 1, NULL)")) is errors.RowRefused
    assert type(refused(shop, "SELECT * FROM shop.order")) is errors.PrivilegeMissing
    with pytest.raises(psycopg.errors.UniqueViolation) as caught:
        shop.execute(CASES["unique"][0])
    # Under row security the server itself leaves the values out, so that the cause tells none either.
    assert SECRET not in str(caught.value)


def test_limits_are_told_from_cancels(shop: psycopg.Connection[Any], database: Database) -> None:
    shop.execute("SET statement_timeout = '50ms'")
    began = time.monotonic()
    found = refused(shop, "SELECT pg_sleep(5)", waited=0.05, statement_timeout=0.05)
    assert time.monotonic() - began < 2
    assert type(found) is errors.StatementTimeout
    assert type(refused(shop, "SELECT pg_sleep(5)")) is errors.QueryCancelled
    shop.execute("SET statement_timeout = 0")
    with database.connect(autocommit=True) as admin:
        pid = shop.info.backend_pid
        timer = threading.Timer(0.2, admin.execute, ("SELECT pg_cancel_backend(%s)", (pid,)))
        timer.start()
        assert type(refused(shop, "SELECT pg_sleep(5)", waited=0.2, statement_timeout=30.0)) is errors.QueryCancelled
        timer.join()


def test_time_limits_of_a_transaction(shop: psycopg.Connection[Any], database: Database, pg_major: int) -> None:
    limits: dict[str, type[FreeholdError]] = {"idle_in_transaction_session_timeout": errors.IdleTimeout}
    if pg_major >= 17:
        limits["transaction_timeout"] = errors.TransactionTimeout
    for setting, kind in limits.items():
        with database.connect() as limited:
            limited.execute(f"SET {setting} = '50ms'")
            time.sleep(0.3)
            assert type(refused(limited, "SELECT 1")) is kind


def test_locks_conflicts_and_read_only(shop: psycopg.Connection[Any], database: Database) -> None:
    with database.connect() as other:
        other.execute("LOCK TABLE shop.customer")
        shop.execute("SET lock_timeout = '50ms'")
        assert type(refused(shop, "SELECT 1 FROM shop.customer")) is errors.LockNotAvailable
    with database.connect() as first, database.connect() as second:
        for each in (first, second):
            each.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            each.execute("SELECT 1 FROM shop.customer")
        first.execute("UPDATE shop.customer SET age = 2")
        first.commit()
        conflict = refused(second, "UPDATE shop.customer SET age = 3")
    assert type(conflict) is errors.SerializationFailed
    assert conflict.retryable
    shop.execute("SET default_transaction_read_only = on")
    write = "UPDATE shop.customer SET age = 3"
    assert type(refused(shop, write, read_only=True)) is errors.ReadOnly
    assert type(refused(shop, write)) is errors.ServerReadOnly


def test_a_changed_plan(shop: psycopg.Connection[Any]) -> None:
    shop.execute("PREPARE every AS SELECT * FROM shop.customer")
    shop.execute("EXECUTE every")
    shop.execute("ALTER TABLE shop.customer ADD COLUMN more int")
    found = refused(shop, "EXECUTE every")
    assert type(found) is errors.PlanChanged
    assert found.retryable


def test_a_replica_that_must_replay(own_server: OwnedServer) -> None:
    with own_server.connect("postgres", autocommit=True) as admin:
        admin.execute("CREATE TABLE busy AS SELECT 1 AS one")
        with replica_of(own_server, settings={"max_standby_streaming_delay": "0"}) as replica:
            wait_for_replay(own_server, replica)
            with replica.connect("postgres") as reader:
                reader.execute("SELECT * FROM busy")
                admin.execute("TRUNCATE busy")
                wait_for_replay(own_server, replica)
                found = refused(reader, "SELECT * FROM busy")
    assert type(found) is errors.ReplicaConflict
    assert found.retryable


def test_what_only_the_application_can_read_is_left_to_it(shop: psycopg.Connection[Any]) -> None:
    with pytest.raises(psycopg.Error) as caught:
        shop.execute("DO $$BEGIN RAISE EXCEPTION 'sold out' USING ERRCODE = 'APP01'; END$$")
    assert FAULTS.fault(caught.value) is None


def test_a_dead_peer_is_told_from_a_closed_connection() -> None:
    lost = psycopg.OperationalError("gone")
    assert type(FAULTS.fault(lost)) is errors.ConnectionLost
    assert type(FAULTS.fault(lost, peer_dead="it did not answer in time")) is errors.PeerDead
