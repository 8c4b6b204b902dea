"""What a plan refuses, reports and leaves alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from freehold.errors import (
    Contradiction,
    DataViolates,
    DeclarationError,
    PlanStale,
    ServerTooOld,
    StepRefused,
    UnclassifiedTable,
)
from freehold.kernel.compile import compile_layer
from freehold.kernel.declare import Declarations, Extra
from freehold.kernel.objects import Function, Grant, Key, Policy, RowSecurity
from freehold.operations import apply_layer, check_server, plan_layer
from freehold.testing.database import Database
from tests.kernel.sample import TOUCH, extras, layer, metadata, sample


def test_unclassified_table_is_named() -> None:
    with pytest.raises(UnclassifiedTable, match=r"shop\.customer, shop\.orders"):
        compile_layer(Declarations(metadata(), (), "shop"), ())


def test_two_objects_under_one_key_contradict() -> None:
    other = Function(schema="shop", function="touch_v1", definition=TOUCH.replace("NEW.at", "NEW.born"))
    with pytest.raises(Contradiction, match=r"function shop\.touch_v1"):
        layer(metadata(), Extra(*extras()), Extra(other))


def test_unknown_declaration_is_refused() -> None:
    with pytest.raises(DeclarationError, match="not a declaration"):
        layer(metadata(), "history, please")


def test_object_that_the_server_refuses_is_named(database: Database) -> None:
    bad = Policy(schema="shop", table="orders", policy="bad", using="no_such_column > 0")
    with database.connect(autocommit=True) as connection, pytest.raises(DeclarationError) as caught:
        plan_layer(connection, layer(metadata(), Extra(bad)))
    assert "policy shop.orders.bad" in caught.value.message
    assert "42703" in caught.value.detail


def test_misnamed_arguments_are_told(database: Database) -> None:
    text = TOUCH.replace("touch_v1()", "touch_v1(a int)").replace("RETURNS trigger", "RETURNS int")
    wrong = Function(schema="shop", function="touch_v1", arguments="int", definition=text)
    with database.connect(autocommit=True) as connection, pytest.raises(DeclarationError) as caught:
        plan_layer(connection, layer(metadata(), Extra(wrong)))
    assert "function shop.touch_v1.integer" in caught.value.detail


def test_strangers_are_reported_and_left_alone(database: Database) -> None:
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, sample())
        connection.execute("CREATE POLICY stranger ON shop.orders USING (true)")
        connection.execute("CREATE TABLE shop.own (id int)")
        plan = apply_layer(connection, sample())
        assert plan.steps == ()
        assert [str(found.key) for found in plan.strangers] == ["policy shop.orders.stranger"]
        assert "not declared, left alone: policy shop.orders.stranger" in plan.as_sql()


def test_dropping_needs_its_flag_and_counts_the_rows(database: Database) -> None:
    fewer = metadata()
    fewer.remove(fewer.tables["shop.orders"])
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, sample())
        connection.execute("INSERT INTO shop.customer (email) SELECT i::text FROM generate_series(1, 7) AS i")
        connection.execute("INSERT INTO shop.orders (customer_id, net) SELECT id, 1 FROM shop.customer")
        with pytest.raises(StepRefused) as caught:
            apply_layer(connection, layer(fewer), contract=True)
        assert "every row of shop.orders (7 rows)" in caught.value.detail
        assert "--allow-data-loss" in caught.value.hint
        assert connection.execute("SELECT count(*) FROM shop.orders").fetchone() == (7,)
        waits = apply_layer(connection, layer(fewer), weaker_guard="a test")
        assert "drop table shop.orders" in [step.change.title for step in waits.waiting]
        assert connection.execute("SELECT count(*) FROM shop.orders").fetchone() == (7,), "it waits for its own command"
        apply_layer(connection, layer(fewer), data_loss=True, contract=True, weaker_guard="a test")
        assert connection.execute("SELECT to_regclass('shop.orders')").fetchone() == (None,)
        assert plan_layer(connection, layer(fewer)).steps == ()


def test_weaker_guards_need_their_flag(database: Database) -> None:
    loose = [item for item in extras() if not isinstance(item, Policy | RowSecurity)]
    loose += [
        Policy(schema="shop", table="orders", policy="orders_all", using="true", check="true"),
        RowSecurity(schema="shop", table="orders", enabled=True, forced=False),
    ]
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, sample())
        steps = plan_layer(connection, layer(metadata(), Extra(*loose))).steps
        assert {step.flag for step in steps} == {"--allow-weaker-guard"}
        assert len(steps) == 1, "row security and its policies change in one moment"
        strict = apply_layer(connection, layer(metadata(), Extra(*loose)), weaker_guard="a test")
        assert len(strict.steps) == 1
        assert [step.flag for step in plan_layer(connection, sample()).steps] == [""]


@pytest.mark.parametrize(
    ("more", "flag"),
    [
        ({"using": "net < 0"}, "--allow-weaker-guard"),
        ({"using": "net < 0", "permissive": False}, ""),
        ({"using": "net < 0", "command": "SELECT"}, "--allow-weaker-guard"),
    ],
)
def test_one_more_permissive_policy_opens_a_guard(database: Database, more: dict[str, Any], flag: str) -> None:
    beside = Policy(schema="shop", table="orders", policy="beside", **more)
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, sample())
        (step,) = plan_layer(connection, sample(Extra(beside))).steps
        assert step.flag == flag
        same = next(item for item in extras() if isinstance(item, Policy) and item.permissive)
        twin = replace(same, policy="twin")
        assert [each.flag for each in plan_layer(connection, sample(Extra(twin))).steps] == [""], "it admits no more"


def test_wider_grant_needs_its_flag(database: Database) -> None:
    login = database.name
    with database.connect(autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {login}_reader".encode())
        apply_layer(connection, sample())
        grant = Grant(on="table", target=("shop", "orders"), grantee=f"{login}_reader", privileges=("SELECT",))
        (step,) = plan_layer(connection, sample(Extra(grant))).steps
        assert step.flag == "--allow-weaker-guard"
        assert f"{login}_reader would gain SELECT" in step.change.weakens


def test_empty_grant_revokes_what_it_finds(database: Database) -> None:
    none = Grant(on="table", target=("shop", "orders"), grantee="PUBLIC", privileges=())
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, sample(Extra(none)))
        connection.execute("GRANT SELECT ON shop.orders TO PUBLIC")
        (step,) = apply_layer(connection, sample(Extra(none))).steps
        assert step.change.statements == ("REVOKE SELECT ON TABLE shop.orders FROM PUBLIC",)


def test_rows_that_violate_a_new_constraint_are_shown(database: Database) -> None:
    bare = sa.MetaData(schema="shop")
    sa.Table("item", bare, sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("n", sa.Integer))
    strict = sa.MetaData(schema="shop")
    sa.Table(
        "item",
        strict,
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("n", sa.Integer, nullable=False),
        sa.CheckConstraint("n > 0", name="item_n_check"),
        sa.UniqueConstraint("n", name="item_n_key"),
        sa.ForeignKeyConstraint(["n"], ["shop.item.id"], name="item_n_fkey"),
    )
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, layer(bare))
        connection.execute("INSERT INTO shop.item (n) VALUES (NULL), (-1), (-1), (0)")
        with pytest.raises(DataViolates) as caught:
            apply_layer(connection, layer(strict))
        detail = caught.value.detail
        assert "column shop.item.n: 1 rows" in detail
        assert "constraint shop.item.item_n_check: 3 rows" in detail
        assert "constraint shop.item.item_n_key: 2 rows" in detail
        assert "constraint shop.item.item_n_fkey: 3 rows" in detail
        connection.execute("DELETE FROM shop.item; INSERT INTO shop.item (id, n) VALUES (1, 1), (2, 2)")
        apply_layer(connection, layer(strict))
        assert plan_layer(connection, layer(strict)).steps == ()


def test_a_plan_that_the_database_has_left_is_stale(database: Database) -> None:
    with database.connect(autocommit=True) as connection:
        plan = plan_layer(connection, sample())
        apply_layer(connection, sample())
        with pytest.raises(PlanStale):
            apply_layer(connection, sample(), plan)


def test_versions_outside_15_to_18_are_refused() -> None:
    class Info:
        server_version = 140012

    class Old:
        info = Info()

    with pytest.raises(ServerTooOld, match="PostgreSQL 14"):
        check_server(Old())  # type: ignore[arg-type]


def test_managed_keys_are_printed_as_names() -> None:
    assert str(Key("grant", ("table", "shop", "orders", "PUBLIC"))) == "grant table.shop.orders.PUBLIC"
