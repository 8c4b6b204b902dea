"""Plan, apply, and a second apply that has nothing to do, on a real server of each major version."""

from __future__ import annotations

import sqlalchemy as sa

from freehold.kernel.declare import Extra, Rename
from freehold.operations import apply_layer, plan_layer
from freehold.testing.database import Database
from tests.kernel.sample import extras, layer, metadata, sample


def test_second_apply_has_nothing_to_do(database: Database) -> None:
    with database.connect(autocommit=True) as connection:
        ran = apply_layer(connection, sample())
        assert len(ran.steps) > 10
        assert plan_layer(connection, sample()).steps == ()


def test_plan_pastes_into_psql(database: Database) -> None:
    with database.connect(autocommit=True) as connection:
        text = plan_layer(connection, sample()).as_sql()
        connection.execute("SET check_function_bodies = off; SET search_path = ''")
        connection.execute(text.replace("BEGIN;", "").replace("COMMIT;", "").encode())
        assert plan_layer(connection, sample()).steps == ()


def test_added_and_dropped_column(database: Database) -> None:
    wider = metadata()
    wider.tables["shop.customer"].append_column(sa.Column("phone", sa.Text))
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, sample())
        (added,) = apply_layer(connection, layer(wider, Extra(*extras()))).steps
        assert added.change.statements == ("ALTER TABLE shop.customer ADD COLUMN phone text",)
        connection.execute("INSERT INTO shop.customer (email, phone) VALUES ('a@example.org', '1')")
        (dropped,) = plan_layer(connection, sample()).steps
        assert dropped.flag == "--allow-data-loss"
        assert "(1 rows)" in dropped.change.loses


def test_retyped_column_under_view_and_policy(database: Database) -> None:
    wider = metadata()
    wider.tables["shop.orders"].columns["net"].type = sa.Numeric(16, 2)
    wider.tables["shop.orders"].columns["gross"].server_default = None
    target = layer(wider, Extra(*extras()))
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, sample())
        titles = [step.change.title for step in plan_layer(connection, target).steps]
        (together,) = (title for title in titles if title.startswith("change type of column shop.orders.net"))
        assert together.endswith("that go with it"), "no moment without the view and the policy"


def test_renamed_table_and_column_keep_their_rows(database: Database) -> None:
    data = sa.MetaData(schema="shop")
    sa.Table("client", data, sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("mail", sa.Text, unique=True))
    new = sa.MetaData(schema="shop")
    customer = sa.Table(
        "customer", new, sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("email", sa.Text, unique=True)
    )
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, layer(data))
        connection.execute("INSERT INTO shop.client (mail) VALUES ('a@example.org')")
        renamed = layer(new, Rename(customer, was="client"), Rename(customer, column="email", was="mail"))
        ran = apply_layer(connection, renamed)
        assert [step.flag for step in ran.steps] == [""] * len(ran.steps)
        assert connection.execute("SELECT email FROM shop.customer").fetchall() == [("a@example.org",)]
        connection.execute("INSERT INTO shop.client (mail) VALUES ('b@example.org')")
        connection.execute("UPDATE shop.client SET mail = 'c@example.org' WHERE mail = 'a@example.org'")
        seen = connection.execute("SELECT email FROM shop.customer ORDER BY 1").fetchall()
        assert seen == [("b@example.org",), ("c@example.org",)], "older applications write under the old names"
        apply_layer(connection, renamed, contract=True)
        assert plan_layer(connection, renamed).steps == ()
        assert connection.execute("SELECT to_regclass('shop.client')").fetchone() == (None,)
