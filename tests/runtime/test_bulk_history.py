"""What bulk work does to a table with a history stands in the history, row by row, under the acting actor."""

from __future__ import annotations

import polars as pl
from psycopg import sql

from freehold.runtime import Database, Key, KeyRing
from freehold.runtime.bulk import Changed
from freehold.testing.database import Database as Ground
from tests.rooms.building import build
from tests.rooms.history.layer import ONE, Article, Base, Customer, layer, plant

RING = KeyRing((Key("first", b"0123456789abcdef0123456789abcdef"),))
TABLES = Base.metadata.tables
COLUMNS = {TABLES["shop.company"]: "id", TABLES["shop.customer"]: "tenant_id"}


def test_a_history_sees_every_row(database: Ground, layer_name: str) -> None:
    login = f"{layer_name}_app_a"
    with database.connect(autocommit=True) as connection:
        build(connection, layer(layer_name))
        plant(connection)
        connection.execute(sql.SQL("ALTER ROLE {} PASSWORD 'of the test'").format(sql.Identifier(login)))
    url = database.url(user=login, password="of the test")
    db = Database.connect(url, layer_name=layer_name, tenant_columns=COLUMNS, tables=(Article.__table__,), keys=RING)  # type: ignore[arg-type]
    frame = pl.DataFrame({"id": range(100, 110), "name": [f"n{n}" for n in range(100, 110)], "tags": ["[1]"] * 10})
    with db.transaction(tenant=ONE, actor="loader") as session:
        assert session.copy_in(Customer, rows=frame) == 10
    with db.transaction(tenant=ONE, actor="upserter") as session:
        changed = frame.with_columns(name=pl.when(pl.col("id") < 103).then(pl.lit("new")).otherwise("name"))
        assert session.upsert(Customer, changed, key=["id"]) == Changed(10, updated=3)
    with db.transaction(tenant=ONE, actor="merger") as session:
        gone = session.merge_rows(Customer, frame[:4], on=["id"], matched="delete", not_matched="nothing")
        assert gone == Changed(4, deleted=4)
    db.dispose()
    with database.connect() as connection:
        found = connection.execute(
            "SELECT actor, operation, ended_actor, ended_operation, count(*) FROM shop.customer_history"
            " WHERE id >= 100 GROUP BY actor, operation, ended_actor, ended_operation ORDER BY 1, 3"
        ).fetchall()
    assert found == HISTORY


HISTORY = [
    ("loader", "INSERT", "merger", "DELETE", 1),
    ("loader", "INSERT", "upserter", "UPDATE", 3),
    ("loader", "INSERT", None, None, 6),
    ("upserter", "UPDATE", "merger", "DELETE", 3),
]
