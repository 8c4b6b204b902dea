"""A column comes, is renamed, and changes its type while its table is read and written by both versions."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.schema import SchemaItem

from freehold import Backfill, Rename
from freehold.errors import PlanError, RowsRefused
from freehold.kernel.budget import LockBudget, Pace
from freehold.kernel.compile import Declared
from freehold.kernel.plan import Plan
from freehold.operations import apply_layer, plan_layer
from freehold.testing.database import Database
from tests.kernel.sample import layer

ROWS = 2000
ALWAYS = LockBudget(hold_seconds=0.0, pace=Pace(batch_seconds=0.02))
"""Whatever would be written anew while somebody waits goes in batches, however small the table is."""


Number = type[sa.types.TypeEngine[Any]]


def metadata(*columns: SchemaItem, key: str = "id", mail: str = "mail", number: Number = sa.Integer) -> sa.MetaData:
    """Customers and their orders."""
    data = sa.MetaData(schema="shop")
    sa.Table(
        "customer",
        data,
        sa.Column(key, number, sa.Identity(), primary_key=True),
        sa.Column(mail, sa.Text, nullable=False),
        sa.Column("units", number, nullable=False, server_default="1"),
        *columns,
        sa.CheckConstraint("units > 0", name="customer_units_check"),
        sa.UniqueConstraint(mail, name="customer_mail_key"),
        sa.Index("customer_units_ix", "units", mail),
    )
    sa.Table(
        "orders",
        data,
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column(
            "customer_id", number, sa.ForeignKey(f"shop.customer.{key}", name="orders_customer_id_fkey"), nullable=False
        ),
    )
    return data


@dataclass
class Load:
    """Clients that write as the two versions of an application do, and what they were refused."""

    statements: tuple[str, ...]
    refused: list[str] = field(default_factory=list)
    rounds: int = 0


@contextmanager
def load(database: Database, *statements: str) -> Iterator[Load]:
    """Run the statements over and over, one transaction each round."""
    seen, done = Load(statements), threading.Event()

    def run() -> None:
        with database.connect(autocommit=True) as connection:
            while not done.is_set():
                try:
                    with connection.transaction():
                        for statement in statements:
                            connection.execute(statement.encode())
                except psycopg.Error as error:
                    seen.refused.append(f"{error.sqlstate}: {error}")
                seen.rounds += 1

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


INSERT = "INSERT INTO shop.customer (mail) VALUES (gen_random_uuid()::text)"
UPDATE = "UPDATE shop.customer SET units = units + 1 WHERE id = (SELECT 1 + (random() * 1999)::integer)"
ORDER = "INSERT INTO shop.orders (customer_id) SELECT 1 + (random() * 1999)::integer"
MAIL = "UPDATE shop.customer SET mail = gen_random_uuid()::text WHERE id = (SELECT 1 + (random() * 1999)::integer)"


@pytest.fixture
def live(database: Database) -> Iterator[psycopg.Connection[Any]]:
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, layer(metadata()))
        connection.execute("INSERT INTO shop.customer (mail) SELECT 'c' || i FROM generate_series(1, %s) AS i", (ROWS,))
        connection.execute("INSERT INTO shop.orders (customer_id) SELECT id FROM shop.customer")
        yield connection


def settle(connection: psycopg.Connection[Any], declared: Declared) -> Plan:
    """Apply, and see that nothing but what contracts is left."""
    apply_layer(connection, declared, budget=ALWAYS)
    plan = plan_layer(connection, declared, budget=ALWAYS)
    assert [step.change.title for step in plan.due(contract=False)] == []
    return plan


def contract(connection: psycopg.Connection[Any], declared: Declared) -> None:
    """Contract, and see that nothing of the change is left."""
    apply_layer(connection, declared, contract=True, budget=ALWAYS)
    assert plan_layer(connection, declared, budget=ALWAYS).steps == ()
    left = connection.execute(
        "SELECT tgname FROM pg_trigger WHERE tgname LIKE 'zz_freehold%%' UNION ALL "
        "SELECT proname FROM pg_proc WHERE pronamespace = to_regnamespace('freehold_coming') UNION ALL "
        "SELECT relname FROM pg_class JOIN pg_index ON indexrelid = oid WHERE NOT indisvalid UNION ALL "
        "SELECT conname FROM pg_constraint WHERE NOT convalidated UNION ALL "
        "SELECT attname FROM pg_attribute JOIN pg_class AS c ON c.oid = attrelid "
        "WHERE c.relkind = 'r' AND attrelid >= 16384 AND NOT attisdropped AND attname LIKE '%%\\_\\_%%'",
        (),
    ).fetchall()
    assert left == []


def one(connection: psycopg.Connection[Any], query: str) -> Any:
    """The single value of a query."""
    row = connection.execute(query.encode()).fetchone()
    assert row
    return row[0]


def test_a_required_column_is_filled(live: psycopg.Connection[Any], database: Database) -> None:
    data = metadata(sa.Column("domain", sa.Text, nullable=False))
    table = data.tables["shop.customer"]
    declared = layer(data, Backfill(table, "domain", sa.func.upper(table.c.mail)))
    with load(database, INSERT, UPDATE, ORDER) as seen:
        plan = settle(live, declared)
    assert seen.refused == []
    assert one(live, "SELECT count(*) FROM shop.customer WHERE domain IS DISTINCT FROM upper(mail)") == 0
    assert one(live, "SELECT count(*) FROM pg_stats WHERE tablename = 'customer' AND attname = 'domain'") == 1
    assert [step.change.title for step in plan.waiting] == [
        "stop filling for older applications: trigger shop.customer.zz_freehold_value_customer_domain"
    ]
    contract(live, declared)
    with pytest.raises(psycopg.errors.NotNullViolation):
        live.execute(INSERT.encode())


def test_a_volatile_default_is_filled(live: psycopg.Connection[Any], database: Database) -> None:
    declared = layer(metadata(sa.Column("token", sa.Uuid, nullable=False, server_default=sa.text("gen_random_uuid()"))))
    with load(database, INSERT, UPDATE, ORDER) as seen:
        settle(live, declared)
    assert seen.refused == []
    assert one(live, "SELECT count(*) - count(DISTINCT token) FROM shop.customer") == 0
    contract(live, declared)


def test_a_renamed_column_has_both_names(live: psycopg.Connection[Any], database: Database) -> None:
    data = metadata(mail="email")
    declared = layer(data, Rename(data.tables["shop.customer"], column="email", was="mail"))
    with load(database, INSERT, UPDATE, MAIL, ORDER) as seen:
        plan = settle(live, declared)
    assert seen.refused == []
    assert "drop column shop.customer.mail" in [step.change.title for step in plan.waiting]
    assert [step.flag for step in plan.waiting] == [""] * len(plan.waiting), "nothing is lost"
    new = [statement.replace("(mail)", "(email)").replace("SET mail", "SET email") for statement in (INSERT, MAIL)]
    with load(database, INSERT, MAIL) as older, load(database, *new) as newer:
        while newer.rounds < 20 or older.rounds < 20:
            pass
    assert older.refused + newer.refused == []
    assert one(live, "SELECT count(*) FROM shop.customer WHERE mail IS DISTINCT FROM email") == 0
    contract(live, declared)
    assert one(live, "SELECT count(*) FROM pg_indexes WHERE tablename = 'customer'") == 3
    with pytest.raises(psycopg.errors.UniqueViolation):
        live.execute("INSERT INTO shop.customer (email) SELECT email FROM shop.customer LIMIT 1")


def test_keys_become_wider(live: psycopg.Connection[Any], database: Database) -> None:
    declared = layer(metadata(number=sa.BigInteger))
    with load(database, INSERT, UPDATE, ORDER) as seen:
        plan = settle(live, declared)
    assert seen.refused == []
    assert plan.steps == ()
    types = live.execute(
        "SELECT DISTINCT format_type(atttypid, NULL) FROM pg_attribute WHERE attname IN ('id', 'units', 'customer_id') "
        "AND attrelid IN ('shop.customer'::regclass, 'shop.orders'::regclass) AND NOT attisdropped"
    ).fetchall()
    assert types == [("bigint",)]
    assert one(live, "SELECT count(*) FROM shop.orders WHERE customer_id NOT IN (SELECT id FROM shop.customer)") == 0
    assert one(live, "SELECT count(*) - count(DISTINCT id) FROM shop.customer") == 0
    live.execute(INSERT.encode())
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        live.execute("DELETE FROM shop.customer WHERE id = 1")
    with pytest.raises(psycopg.errors.CheckViolation):
        live.execute("UPDATE shop.customer SET units = 0")
    contract(live, declared)


def test_rows_that_do_not_convert_are_named(live: psycopg.Connection[Any]) -> None:
    data = metadata()
    data.tables["shop.customer"].c.mail.type = sa.Integer()
    live.execute("UPDATE shop.customer SET mail = id::text WHERE id NOT IN (7, 1900)")
    declared = layer(data)
    with pytest.raises(RowsRefused) as refused:
        apply_layer(live, declared, budget=ALWAYS, data_loss=True)
    assert "(id) = (7)" in refused.value.detail
    assert "(id) = (1900)" in refused.value.detail
    assert one(live, "SELECT count(mail) FROM shop.customer") == ROWS, "the old column serves as before"
    live.execute("UPDATE shop.customer SET mail = id::text WHERE id IN (7, 1900)")
    apply_layer(live, declared, budget=ALWAYS, data_loss=True)
    assert one(live, "SELECT count(*) FROM shop.customer WHERE mail = id") == ROWS
    contract(live, declared)


class Killed(Exception):
    """The process is gone."""


def until(limit: int) -> Callable[[object], None]:
    """A listener that ends the process when so many steps are begun or done."""
    seen = [0]

    def listen(event: object) -> None:
        if type(event).__name__ in {"StepStarted", "StepApplied", "Progress"}:
            seen[0] += 1
            if seen[0] > limit:
                raise Killed

    return listen


def widened() -> Declared:
    return layer(metadata(number=sa.BigInteger))


def renamed() -> Declared:
    data = metadata(mail="email")
    return layer(data, Rename(data.tables["shop.customer"], column="email", was="mail"))


def filled() -> Declared:
    data = metadata(sa.Column("domain", sa.Text, nullable=False))
    return layer(data, Backfill(data.tables["shop.customer"], "domain", "none"))


@pytest.mark.parametrize("change", [widened, renamed, filled])
def test_a_kill_anywhere_is_taken_up(live: psycopg.Connection[Any], change: Callable[[], Declared]) -> None:
    """Each run is cut short one event later than the one before, until one comes to its end."""
    declared = change()
    for limit in range(1, 200, 2):
        try:
            apply_layer(live, declared, budget=ALWAYS, listener=until(limit))
        except Killed:
            live.execute("UPDATE shop.customer SET units = units + 1 WHERE id < 9")
        else:
            break
    assert limit > 3
    settle(live, declared)
    contract(live, declared)
    assert one(live, "SELECT count(*) FROM shop.customer") == ROWS
    assert one(live, "SELECT sum(units) FROM shop.customer") >= ROWS + 8


def test_a_key_is_renamed_at_once_or_not(live: psycopg.Connection[Any]) -> None:
    data = metadata(key="number")
    table = data.tables["shop.customer"]
    with pytest.raises(PlanError, match="part of the key"):
        plan_layer(live, layer(data, Rename(table, column="number", was="id")))
    apply_layer(live, layer(data, Rename(table, column="number", was="id", at_once=True)))
    assert one(live, "SELECT count(number) FROM shop.customer") == ROWS


def test_a_renamed_table_keeps_its_weight(live: psycopg.Connection[Any]) -> None:
    """What is too large to be written anew under its old name is so under the new one."""
    data = metadata(number=sa.BigInteger)
    table = data.tables["shop.customer"].to_metadata(moved := sa.MetaData(schema="shop"), name="client")
    declared = layer(moved, Rename(table, was="customer"))
    steps = [step.change.title for step in plan_layer(live, declared, budget=ALWAYS).steps]
    assert any(title.startswith("prepare another type of column shop.client.units") for title in steps), steps
