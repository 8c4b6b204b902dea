"""What each kind of statement leaves in history."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.rooms.building import Connection, act_as, bind

from .conftest import Built
from .layer import ONE, TWO

VERSIONS = """
    SELECT id, name, operation, ended_operation FROM shop.customer_history
    WHERE tenant_id = %s ORDER BY id, valid_from, valid_to
"""
NEW = "INSERT INTO shop.customer (tenant_id, id, name) VALUES (%s, %s, %s)"


def versions(connection: Connection, tenant: UUID = ONE) -> list[tuple[Any, ...]]:
    """``(id, name, operation, ended_operation)`` of each version but those of untouched rows."""
    untouched = {(number, f"n{number}", "INSERT", None) for number in range(1, 6)}
    return [row for row in connection.execute(VERSIONS, (tenant,)).fetchall() if row not in untouched]


def test_update_ends_one_version_and_begins_another(built: Built) -> None:
    built.connection.execute("UPDATE shop.customer SET name = 'x' WHERE tenant_id = %s AND id = 1", (ONE,))
    assert versions(built.connection) == [(1, "n1", "INSERT", "UPDATE"), (1, "x", "UPDATE", None)]
    (gap,) = built.connection.execute(
        "SELECT max(valid_from) FILTER (WHERE valid_to = 'infinity') = min(valid_to) FROM shop.customer_history"
        " WHERE tenant_id = %s AND id = 1",
        (ONE,),
    ).fetchone() or (None,)
    assert gap is True


def test_two_changes_in_one_transaction_are_two_versions(built: Built) -> None:
    with built.connection.transaction():
        built.connection.execute("UPDATE shop.customer SET name = 'x' WHERE tenant_id = %s AND id = 1", (ONE,))
        built.connection.execute("UPDATE shop.customer SET name = 'y' WHERE tenant_id = %s AND id = 1", (ONE,))
        built.connection.execute("DELETE FROM shop.customer WHERE tenant_id = %s AND id = 1", (ONE,))
        built.connection.execute(NEW, (ONE, 1, "z"))
    assert versions(built.connection) == [
        (1, "n1", "INSERT", "UPDATE"),
        (1, "x", "UPDATE", "UPDATE"),
        (1, "y", "UPDATE", "DELETE"),
        (1, "z", "INSERT", None),
    ]


def test_keys_that_change_places(built: Built) -> None:
    built.connection.execute("DELETE FROM shop.customer WHERE id > 2")
    built.connection.execute("ALTER TABLE shop.customer DROP CONSTRAINT customer_pkey")
    built.connection.execute(
        "ALTER TABLE shop.customer ADD CONSTRAINT customer_pkey PRIMARY KEY (tenant_id, id) DEFERRABLE"
    )
    built.connection.execute("UPDATE shop.customer SET id = 3 - id WHERE tenant_id = %s", (ONE,))
    assert [row for row in versions(built.connection) if row[0] < 3] == [
        (1, "n1", "INSERT", "UPDATE"),
        (1, "n2", "UPDATE", None),
        (2, "n2", "INSERT", "UPDATE"),
        (2, "n1", "UPDATE", None),
    ]


def test_upsert(built: Built) -> None:
    built.connection.execute(
        "INSERT INTO shop.customer (tenant_id, id, name) VALUES (%(t)s, 1, 'x'), (%(t)s, 9, 'new')"
        " ON CONFLICT (tenant_id, id) DO UPDATE SET name = excluded.name",
        {"t": ONE},
    )
    assert versions(built.connection) == [
        (1, "n1", "INSERT", "UPDATE"),
        (1, "x", "UPDATE", None),
        (9, "new", "INSERT", None),
    ]


def test_merge_of_all_three_kinds(built: Built) -> None:
    built.connection.execute(
        """
        MERGE INTO shop.customer AS c
        USING (VALUES (1, 'x'), (2, NULL), (9, 'new')) AS s (id, name)
        ON c.tenant_id = %(t)s AND c.id = s.id
        WHEN MATCHED AND s.name IS NULL THEN DELETE
        WHEN MATCHED THEN UPDATE SET name = s.name
        WHEN NOT MATCHED THEN INSERT (tenant_id, id, name) VALUES (%(t)s, s.id, s.name)
        """,
        {"t": ONE},
    )
    assert versions(built.connection) == [
        (1, "n1", "INSERT", "UPDATE"),
        (1, "x", "UPDATE", None),
        (2, "n2", "INSERT", "DELETE"),
        (9, "new", "INSERT", None),
    ]


def test_merge_that_frees_a_key_and_takes_it_again(built: Built) -> None:
    built.connection.execute(
        """
        MERGE INTO shop.customer AS c
        USING (VALUES ('n1', 0), ('fresh', 1)) AS s (name, id)
        ON c.tenant_id = %(t)s AND c.name = s.name
        WHEN MATCHED THEN DELETE
        WHEN NOT MATCHED THEN INSERT (tenant_id, id, name) VALUES (%(t)s, s.id, s.name)
        """,
        {"t": ONE},
    )
    assert versions(built.connection) == [(1, "n1", "INSERT", "DELETE"), (1, "fresh", "INSERT", None)]


def test_copy(built: Built) -> None:
    with built.connection.cursor().copy("COPY shop.customer (tenant_id, id, name) FROM STDIN") as copy:
        copy.write_row((ONE, 9, "copied"))
    assert versions(built.connection) == [(9, "copied", "INSERT", None)]


def test_truncate_ends_every_tenants_rows_even_those_from_before_history(built: Built) -> None:
    built.connection.execute("DELETE FROM shop.customer_history WHERE id = 3")
    built.connection.execute("TRUNCATE shop.customer")
    expected = [(n, f"n{n}", "BEFORE" if n == 3 else "INSERT", "TRUNCATE") for n in range(1, 6)]
    assert versions(built.connection) == versions(built.connection, TWO) == expected


def test_rows_from_before_history_keep_what_they_were(built: Built) -> None:
    built.connection.execute("DELETE FROM shop.customer_history")
    built.connection.execute("UPDATE shop.customer SET name = 'x' WHERE id = 1")
    built.connection.execute("DELETE FROM shop.customer WHERE id = 2")
    assert versions(built.connection) == [
        (1, "n1", "BEFORE", "UPDATE"),
        (1, "x", "UPDATE", None),
        (2, "n2", "BEFORE", "DELETE"),
    ]
    (count,) = built.connection.execute(
        "SELECT count(*) FROM shop.customer_history WHERE operation = 'BEFORE' AND valid_from = '-infinity'"
    ).fetchone() or (0,)
    assert count == 4


def test_an_empty_statement_leaves_nothing(built: Built) -> None:
    before = versions(built.connection)
    built.connection.execute("UPDATE shop.customer SET name = 'x' WHERE id = 99")
    built.connection.execute("DELETE FROM shop.customer WHERE id = 99")
    assert versions(built.connection) == before


def test_actor_and_transaction_come_from_the_verified_context(built: Built) -> None:
    with built.connection.transaction():
        bind(built.connection, ONE, "ann")
        act_as(built.connection, f"{built.name}_app_a")
        built.connection.execute("UPDATE shop.customer SET name = 'x' WHERE id = 1")
        found = built.connection.execute(
            "SELECT ended_actor, ended_transaction_id, freehold.transaction_v1() FROM shop.customer_history"
            " WHERE ended_operation = 'UPDATE'"
        ).fetchall()
    ((actor, recorded, transaction),) = found
    assert actor == "ann"
    assert recorded == transaction


def test_without_a_context_the_login_is_recorded_and_no_transaction(built: Built) -> None:
    found = built.connection.execute("SELECT DISTINCT actor, transaction_id FROM shop.customer_history").fetchall()
    assert found == [(built.connection.info.user, None)]


def test_a_forged_context_stops_the_write(built: Built) -> None:
    built.connection.execute("SELECT set_config('freehold.context', 'nonsense', false)")
    with pytest.raises(psycopg.Error) as caught:
        built.connection.execute("UPDATE shop.article SET price = 1")
    assert caught.value.sqlstate == "FH002"


def test_a_clock_set_back_leaves_no_overlap(built: Built) -> None:
    built.connection.execute(
        "UPDATE shop.customer_history SET valid_from = clock_timestamp() + interval '1 hour' WHERE id = 1"
    )
    built.connection.execute("UPDATE shop.customer SET name = 'x' WHERE id IN (1, 2)")
    found = built.connection.execute(
        """
        SELECT count(*) FROM shop.customer_history AS a JOIN shop.customer_history AS b
        ON (a.tenant_id, a.id) = (b.tenant_id, b.id) AND a.ctid <> b.ctid
        AND tstzrange(a.valid_from, a.valid_to) && tstzrange(b.valid_from, b.valid_to)
        """
    ).fetchall()
    assert found == [(0,)]
    ends = built.connection.execute(
        "SELECT count(DISTINCT valid_to), count(*) FROM shop.customer_history WHERE ended_operation = 'UPDATE'"
    ).fetchall()
    assert ends == [(1, 4)]


def test_catch_up_takes_up_what_no_trigger_saw(built: Built) -> None:
    with built.connection.transaction():
        built.connection.execute("SET LOCAL session_replication_role = 'replica'")
        built.connection.execute("UPDATE shop.customer SET name = 'x' WHERE tenant_id = %s AND id = 1", (ONE,))
        built.connection.execute("DELETE FROM shop.customer WHERE tenant_id = %s AND id = 2", (ONE,))
        built.connection.execute(NEW, (ONE, 9, "new"))
    call = "SELECT shop.catch_up_customer_history_v1()"
    assert built.connection.execute(call).fetchall() == [(2,)]
    assert built.connection.execute(call).fetchall() == [(0,)]
    assert versions(built.connection) == [
        (1, "n1", "INSERT", "CATCH UP"),
        (1, "x", "CATCH UP", None),
        (2, "n2", "INSERT", "CATCH UP"),
        (9, "new", "CATCH UP", None),
    ]


def test_purge_ends_only_what_is_over_for_longer_than_kept(built: Built) -> None:
    built.connection.execute("UPDATE shop.customer SET name = 'x'")
    built.connection.execute(
        "UPDATE shop.customer_history SET valid_to = clock_timestamp() - interval '7 years 1 day',"
        " valid_from = '2000-01-01' WHERE ended_operation = 'UPDATE' AND id < 4"
    )
    call = "SELECT shop.purge_customer_history_v1(4)"
    assert [built.connection.execute(call).fetchall() for _ in range(3)] == [[(4,)], [(2,)], [(0,)]]
    (left,) = built.connection.execute("SELECT count(*) FROM shop.customer_history").fetchone() or (0,)
    assert left == 14


@pytest.mark.parametrize("verb", ["purge_customer_history_v1(1)", "catch_up_customer_history_v1()"])
def test_the_application_runs_no_upkeep(built: Built, verb: str) -> None:
    with built.connection.transaction(force_rollback=True):
        act_as(built.connection, f"{built.name}_app_a")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            built.connection.execute(f"SELECT shop.{verb}".encode())


READ = """
    SELECT seq_tup_read, idx_scan, idx_tup_fetch FROM pg_stat_xact_user_tables
    WHERE relid = 'shop.customer_history'::regclass
"""


def test_work_is_linear_whatever_ran_before_in_the_connection(built: Built) -> None:
    """A plan kept from one-row statements over a tiny table must not read the table once per row afterwards."""
    connection, rows = built.connection, 8000
    for number in range(10):
        connection.execute("UPDATE shop.customer SET name = %s WHERE tenant_id = %s AND id = 1", (str(number), ONE))
    connection.execute(
        "INSERT INTO shop.customer (tenant_id, id, name) SELECT %s, g, 'n' FROM generate_series(10, %s) AS g",
        (ONE, rows + 9),
    )
    with connection.transaction():
        before = connection.execute(READ).fetchall()[0]
        connection.execute("UPDATE shop.customer SET name = 'y' WHERE id >= 10")
        connection.execute("DELETE FROM shop.customer WHERE id >= 10")
        after = connection.execute(READ).fetchall()[0]
    assert [b - a for a, b in zip(before, after, strict=True)] == [0, 2 * rows, 2 * rows]
