"""Histories that keep only what ended: what they write, how they are come to, and what they refuse."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from freehold import DataLayer
from freehold.errors import DeclarationError, KeyChanged
from freehold.operations import apply_layer, plan_layer, prove_layer
from freehold.rooms.history import History
from freehold.runtime.faults import Faults
from freehold.testing.database import Database
from tests.rooms.building import act_as

from .conftest import Built
from .layer import ONE, Base, Customer, broken, layer, verdicts
from .test_follow import SINGLE

ENDED = pytest.mark.parametrize("layout", ["base", "born"])
TRAIL = """
    SELECT name, operation, actor IS NOT NULL, ended_operation, valid_to = 'infinity',
        lag(valid_to) OVER (ORDER BY valid_to) IS NOT DISTINCT FROM valid_from
    FROM shop_past.customer_history WHERE tenant_id = %s AND id = 1 ORDER BY valid_to
"""


def kept(built: Built) -> list[Any]:
    """What stands in the history table of the row."""
    query = """
        SELECT name, operation, ended_operation FROM shop.customer_history
        WHERE tenant_id = %s AND id = 1 ORDER BY valid_to
    """
    return built.connection.execute(query, (ONE,)).fetchall()


@ENDED
def test_an_update_writes_one_row(built: Built, layout: str) -> None:
    begun = [(None, "ABSENT", "INSERT")] if layout == "base" else []
    assert kept(built) == begun, "a row that says since when it is there leaves nothing"
    built.connection.execute("UPDATE shop.customer SET name = 'x' WHERE id = 1")
    built.connection.execute("DELETE FROM shop.customer WHERE id = 1")
    assert kept(built) == [*begun, ("n1", None, "UPDATE"), ("x", None, "DELETE")]


@ENDED
def test_versions_tell_how_they_began(built: Built, layout: str) -> None:
    built.connection.execute("UPDATE shop.customer SET name = 'x' WHERE id = 1")
    assert built.connection.execute(TRAIL, (ONE,)).fetchall() == [
        ("n1", "INSERT", layout == "base", "UPDATE", False, False),
        ("x", "UPDATE", True, None, True, True),
    ]


@ENDED
def test_a_row_keeps_its_key(built: Built) -> None:
    with pytest.raises(psycopg.Error) as refused:
        built.connection.execute("UPDATE shop.customer SET id = 99 WHERE tenant_id = %s AND id = 1", (ONE,))
    assert refused.value.sqlstate == "FH100"
    fault = Faults(Base.metadata.tables.values()).fault(refused.value)
    assert isinstance(fault, KeyChanged)
    assert "shop.customer" in fault.message


@ENDED
def test_a_clock_that_was_set_back(built: Built) -> None:
    built.connection.execute("UPDATE shop.customer SET name = 'late'")
    built.connection.execute("UPDATE shop.customer_history SET valid_to = valid_to + interval '1 hour'")
    ahead = "SELECT setval('shop.customer_history_clock', last_value + 3600000000) FROM shop.customer_history_clock"
    built.connection.execute(ahead)
    built.connection.execute("UPDATE shop.customer SET name = 'early' WHERE id = 1")
    gaps = built.connection.execute(
        "SELECT name, valid_to - lag(valid_to) OVER (ORDER BY valid_to) = interval '1 microsecond'"
        " FROM shop.customer_history WHERE tenant_id = %s AND id = 1 ORDER BY valid_to DESC",
        (ONE,),
    ).fetchall()
    assert gaps[0] == ("late", True)


@ENDED
def test_the_clock_is_nobodys(built: Built) -> None:
    """Its value would tell a tenant when another one wrote."""
    for deed in ("SELECT last_value FROM shop.customer_history_clock", "SELECT nextval('shop.customer_history_clock')"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), built.connection.transaction():
            act_as(built.connection, f"{built.name}_app_a")
            built.connection.execute(deed.encode())


@ENDED
def test_a_row_that_is_dated_was_not_there_before_it_was_inserted(built: Built) -> None:
    insert = "INSERT INTO shop.customer (tenant_id, id, name, since) VALUES (%s, %s, 'dated', now() + %s::interval)"
    for number, span in ((70, "-1 day"), (71, "1 day")):
        built.connection.execute(insert, (ONE, number, span))
    found = built.connection.execute(
        "SELECT id, operation, valid_from BETWEEN now() - interval '1 hour' AND now() + interval '1 minute'"
        " FROM shop_past.customer_history WHERE id >= 70 ORDER BY id"
    ).fetchall()
    assert found == [(70, "INSERT", True), (71, "INSERT", True)]


@ENDED
def test_a_live_history_is_settled(database: Database, layer_name: str, layout: str) -> None:
    whole, ended = layer(layer_name), layer(layer_name, layout=layout)
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, whole)
        connection.execute("SELECT freehold.add_context_key_v1('k1', %s)", (bytes(range(32)),))
        connection.execute("INSERT INTO shop.company (id, name) VALUES (%s, 'One')", (ONE,))
        insert = "INSERT INTO shop.customer (tenant_id, id, name) VALUES (%s, %s, 'a')"
        for number in (1, 2):
            connection.execute(insert, (ONE, number))
        connection.execute("UPDATE shop.customer SET name = 'b' WHERE id = 1")
        trail = "SELECT id, name, valid_from, operation FROM shop_past.customer_history ORDER BY id, valid_from"
        before = connection.execute(trail).fetchall()
        apply_layer(connection, ended, weaker_guard="a test")
        assert plan_layer(connection, ended).due(contract=False) == ()
        settled = "every version of shop.customer in history has ended, and none before it began"
        assert settled in broken(connection, ended)
        connection.execute("SELECT shop.settle_customer_history_v1(), shop.settle_company_history_v1()")
        assert [(v.promise, v.detail) for v in verdicts(connection, ended) if v.verdict != "held"] == []
        assert connection.execute(trail).fetchall() == before
        connection.execute("UPDATE shop.customer SET name = 'c'")
        names = connection.execute("SELECT id, name FROM shop_past.customer_history ORDER BY id, valid_from")
        assert names.fetchall() == [(1, "a"), (1, "b"), (1, "c"), (2, "a"), (2, "c")]


@pytest.mark.parametrize(
    ("how", "what"),
    [
        ({"current": "elsewhere"}, "no place"),
        ({"current": "base", "born": "name"}, "since when"),
        ({"current": "base", "born": "missing"}, "since when"),
        ({"born": "since"}, "since when"),
    ],
)
def test_a_declaration_that_makes_no_sense(how: dict[str, Any], what: str) -> None:
    with pytest.raises(DeclarationError, match=what) as refused:
        History(Customer, **how)
    assert refused.value.hint


def test_partitions_are_recorded_too(database: Database, layer_name: str) -> None:
    table = sa.Table(
        "reading",
        sa.MetaData(schema="shop"),
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("value", sa.Integer),
        postgresql_partition_by="HASH (id)",
    )
    declared = DataLayer(table.metadata, SINGLE, History(table, current="base"), name=layer_name).declared
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, declared)
        connection.execute(
            "CREATE TABLE shop.reading_0 PARTITION OF shop.reading FOR VALUES WITH (MODULUS 1, REMAINDER 0)"
        )
        connection.execute("INSERT INTO shop.reading VALUES (1, 1)")
        connection.execute("UPDATE shop.reading SET value = 2")
        with pytest.raises(psycopg.Error) as refused:
            connection.execute("UPDATE shop.reading SET id = 2")
        assert refused.value.sqlstate == "FH100"
        found = connection.execute("SELECT value FROM shop_past.reading_history ORDER BY valid_from").fetchall()
        assert found == [(1,), (2,)]
        assert [v.promise for v in prove_layer(connection, declared) if v.verdict == "broken"] == []
