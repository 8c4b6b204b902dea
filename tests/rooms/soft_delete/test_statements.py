"""Every kind of statement that removes rows moves them, or is refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.rooms.building import act_as, bind

from .conftest import Built
from .layer import ONE, rows

DELETION = "SELECT deletion FROM shop.product_deleted"


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM shop.customer c USING shop.line l WHERE l.tenant_id = c.tenant_id AND l.customer_id = c.id",
        "MERGE INTO shop.customer c USING shop.company o ON c.tenant_id = o.id WHEN MATCHED THEN DELETE",
        "WITH gone AS (DELETE FROM shop.customer RETURNING id) SELECT count(*) FROM gone",
    ],
)
def test_what_a_statement_deletes_is_moved(built: Built, statement: str) -> None:
    built.connection.execute(statement.encode())
    counted = [len(rows(built.connection, table)) for table in ("customer", "line", "customer_deleted", "line_deleted")]
    assert counted == [0, 0, 10, 30]


@pytest.mark.parametrize("statement", ["TRUNCATE shop.line", "TRUNCATE shop.company CASCADE"])
def test_truncate_is_refused(built: Built, statement: str) -> None:
    with pytest.raises(psycopg.Error) as refused:
        built.connection.execute(statement.encode())
    assert refused.value.sqlstate == "FH040"


def test_nobody_empties_the_deleted_rows_through_forget(built: Built) -> None:
    built.connection.execute("DELETE FROM shop.product WHERE id = 1 AND tenant_id = %s", (ONE,))
    with pytest.raises(psycopg.Error) as refused, built.connection.transaction():
        bind(built.connection, ONE)
        act_as(built.connection, f"{built.name}_app_a")
        built.connection.execute(f"SELECT shop.forget_product_deleted_v1(ARRAY({DELETION}))".encode())
    assert refused.value.sqlstate == "FH044"


def test_two_sessions_restore_one_row_once(built: Built) -> None:
    built.connection.execute("DELETE FROM shop.product WHERE id = 1 AND tenant_id = %s", (ONE,))

    def restore(_: int) -> str:
        with built.place.connect() as connection:
            bind(connection, ONE)
            act_as(connection, f"{built.name}_app_a")
            try:
                connection.execute(f"SELECT shop.restore_product_deleted_v1(({DELETION}))".encode())
            except psycopg.Error as error:
                return error.sqlstate or "?"
        return ""

    with ThreadPoolExecutor(2) as pool:
        told = sorted(pool.map(restore, range(2)))
    assert told[0] == ""
    assert told[1] in {"FH041", "FH042"}
    assert rows(built.connection, "product_deleted") == []
