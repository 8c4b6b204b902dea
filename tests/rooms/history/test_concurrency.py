"""Connections that change the same rows at once leave versions in one order, without gaps in what is current."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from .conftest import Built
from .layer import LAYOUTS, ONE, broken
from .test_properties import OVERLAPS

DEEDS = (
    "UPDATE shop.customer SET name = %(n)s WHERE tenant_id = %(t)s AND id = %(a)s",
    "INSERT INTO shop.customer (tenant_id, id, name) VALUES (%(t)s, %(a)s, %(n)s)"
    " ON CONFLICT (tenant_id, id) DO UPDATE SET name = excluded.name",
    "DELETE FROM shop.customer WHERE tenant_id = %(t)s AND id = %(a)s",
)
TOUCHING = """
    SELECT count(*) FROM shop_past.customer_history AS v WHERE ended_operation = 'UPDATE' AND NOT EXISTS (
        SELECT FROM shop_past.customer_history AS n
        WHERE (n.tenant_id, n.id, n.valid_from) = (v.tenant_id, v.id, v.valid_to)
    )
"""


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("isolation", ["read committed", "serializable"])
def test_many_writers_of_the_same_rows(built: Built, isolation: str) -> None:
    def work(seed: int) -> int:
        chance, done = random.Random(seed), 0
        with built.database.connect(autocommit=True) as connection:
            connection.execute(f"SET default_transaction_isolation = '{isolation}'".encode())
            for turn in range(40):
                try:
                    with connection.transaction():
                        for _ in range(chance.randint(1, 3)):
                            values = {"t": ONE, "a": chance.randint(1, 3), "n": f"{seed}-{turn}"}
                            connection.execute(chance.choice(DEEDS).encode(), values)
                    done += 1
                except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure):
                    continue
        return done

    with ThreadPoolExecutor(4) as pool:
        done = sum(pool.map(work, range(4)))
    assert done > 20
    assert built.connection.execute(OVERLAPS.encode()).fetchall() == [(0,)]
    assert built.connection.execute(TOUCHING).fetchall() == [(0,)]
    assert broken(built.connection, built.declared) == []
