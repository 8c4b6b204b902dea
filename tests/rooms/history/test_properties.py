"""Whatever statements run, history gives back every past state exactly, and no two versions of a row overlap."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import hypothesis.strategies as st
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings

from tests.rooms.building import Connection

from .conftest import Built
from .layer import LAYOUTS, ONE, TWO

ROW = 'tenant_id, id, name, "order", length, tags::text'
STATE = f"SELECT {ROW} FROM shop.customer ORDER BY 1, 2"
PAST = f"SELECT {ROW} FROM shop_past.customer_history WHERE valid_from <= %(t)s AND valid_to > %(t)s ORDER BY 1, 2"
OVERLAPS = """
    SELECT count(*) FROM shop_past.customer_history AS a JOIN shop_past.customer_history AS b
    ON (a.tenant_id, a.id) = (b.tenant_id, b.id) AND (a.valid_from, a.valid_to) < (b.valid_from, b.valid_to)
    AND a.valid_to > b.valid_from
"""

INSERT = "INSERT INTO shop.customer (tenant_id, id, name) VALUES (%(t)s, %(a)s, %(n)s) ON CONFLICT DO NOTHING"
DATED = """
    INSERT INTO shop.customer (tenant_id, id, name, since)
    VALUES (%(t)s, %(a)s, %(n)s, clock_timestamp() + (%(b)s - 3) * interval '1 day') ON CONFLICT DO NOTHING
"""
UPSERT = """
    INSERT INTO shop.customer (tenant_id, id, name) SELECT %(t)s, g, %(n)s
    FROM generate_series(least(%(a)s, %(b)s)::int, greatest(%(a)s, %(b)s)::int) AS g
    ON CONFLICT (tenant_id, id) DO UPDATE SET name = excluded.name
"""
UPDATE = "UPDATE shop.customer SET name = %(n)s WHERE tenant_id = %(t)s AND id BETWEEN %(a)s AND %(b)s"
RETYPE = """UPDATE shop.customer SET "order" = "order" + 1, tags = '{"a": [1]}' WHERE id = %(a)s"""
MOVE = "UPDATE shop.customer SET id = id + %(a)s + 20 WHERE tenant_id = %(t)s AND id >= %(b)s"
BACK = "UPDATE shop.customer SET id = id - 20 WHERE tenant_id = %(t)s AND id > 20 + %(a)s"
DELETE = "DELETE FROM shop.customer WHERE tenant_id = %(t)s AND id BETWEEN %(a)s AND %(b)s"
MERGE = """
    MERGE INTO shop.customer AS c
    USING (SELECT g AS id FROM generate_series(1, 6) AS g) AS s ON c.tenant_id = %(t)s AND c.id = s.id
    WHEN MATCHED AND c.id = %(a)s THEN DELETE
    WHEN MATCHED AND c.id > %(b)s THEN UPDATE SET name = %(n)s
    WHEN NOT MATCHED THEN INSERT (tenant_id, id, name) VALUES (%(t)s, s.id, %(n)s)
"""
REPLACE = """
    WITH gone AS (DELETE FROM shop.customer WHERE tenant_id = %(t)s AND id = %(a)s RETURNING *)
    INSERT INTO shop.customer (tenant_id, id, name) SELECT tenant_id, id, %(n)s FROM gone
"""
TRUNCATE = "TRUNCATE shop.customer"
KINDS = [INSERT, DATED, UPSERT, UPDATE, RETYPE, MOVE, BACK, DELETE, MERGE, REPLACE, TRUNCATE]

Statement = tuple[str, dict[str, Any]]
statements = st.tuples(
    st.sampled_from(KINDS),
    st.fixed_dictionaries(
        {
            "t": st.sampled_from([ONE, TWO]),
            "a": st.integers(1, 6),
            "b": st.integers(1, 6),
            "n": st.sampled_from([None, "x", "y", "O'Neil, (1)"]),
        }
    ),
)
transactions = st.lists(st.tuples(st.lists(statements, min_size=1, max_size=4), st.booleans()), min_size=1, max_size=6)


def state(connection: Connection) -> list[Any]:
    """Every row there is."""
    return connection.execute(STATE.encode()).fetchall()


def moment(connection: Connection) -> Any:
    """A time after all that was done."""
    return connection.execute("SELECT clock_timestamp()").fetchall()[0][0]


def run(connection: Connection, work: list[Statement], *, keep: bool) -> Iterator[str | None]:
    """One transaction; a statement that is refused is undone alone. Gives the tables that refused one."""
    with connection.transaction(force_rollback=not keep):
        for text, parameters in work:
            try:
                with connection.transaction():
                    connection.execute(text.encode(), parameters)
            except psycopg.Error as refused:
                # A key is taken, or may not move.
                if refused.sqlstate not in ("23505", "FH100"):
                    raise
                yield refused.diag.table_name


@pytest.mark.parametrize("layout", LAYOUTS)
def test_history_gives_back_every_state(built: Built) -> None:
    connection = built.connection

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(transactions)
    def check(work: list[tuple[list[Statement], bool]]) -> None:
        seen = [(moment(connection), state(connection))]
        for statements_of_one, keep in work:
            assert set(run(connection, statements_of_one, keep=keep)) <= {"customer"}
            seen.append((moment(connection), state(connection)))
        for when, expected in seen:
            assert connection.execute(PAST.encode(), {"t": when}).fetchall() == expected
        assert connection.execute(OVERLAPS).fetchall() == [(0,)]

    check()
