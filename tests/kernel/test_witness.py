"""Two tenants with rows: found where they are, planted where they are not, and gone afterwards."""

from __future__ import annotations

import json

import pytest

from freehold.kernel.witness import NoWitness, Witnesses
from freehold.testing.database import Database

PLACE = ("s", "t", "tenant")
COLUMNS = """a smallint NOT NULL, b numeric(8,2) NOT NULL, c uuid NOT NULL, d boolean NOT NULL, e date NOT NULL,
    f timestamptz NOT NULL, g jsonb NOT NULL, h text[] NOT NULL, i varchar(5) NOT NULL, j s.mood NOT NULL,
    o int4range NOT NULL, p tstzrange NOT NULL, q daterange NOT NULL,
    k text, l bigint GENERATED ALWAYS AS IDENTITY, m integer NOT NULL DEFAULT 7,
    n bigint GENERATED ALWAYS AS (m * 2) STORED, parent integer NOT NULL REFERENCES s.parent (id)"""


def table(kind: str, columns: str = COLUMNS) -> bytes:
    """A table with every type that a row is made up for."""
    return (
        "CREATE SCHEMA s; CREATE TYPE s.mood AS ENUM ('it''s', 'b'); CREATE TABLE s.parent (id integer PRIMARY KEY);"
        f"CREATE TABLE s.t (tenant {kind} NOT NULL, {columns})"
    ).encode()


@pytest.mark.parametrize("kind", ["uuid", "bigint", "text", "varchar(20)"])
def test_rows_are_planted_and_leave_no_trace(database: Database, kind: str) -> None:
    with database.connect(autocommit=True) as connection:
        connection.execute(table(kind))
        with connection.transaction(force_rollback=True):
            found = Witnesses(connection).of(PLACE)
            rows = connection.execute("SELECT tenant::text, m, j::text FROM s.t ORDER BY parent, tenant").fetchall()
            assert sorted(rows) == sorted([(found.tenant, 7, "it's"), (found.other, 7, "it's")])
            assert str(json.loads(found.row)["tenant"]) == found.other
        assert connection.execute("SELECT count(*) FROM s.t").fetchone() == (0,)


def test_rows_that_are_there_are_taken(database: Database) -> None:
    with database.connect(autocommit=True) as connection:
        connection.execute(table("integer", "note text"))
        connection.execute("INSERT INTO s.t VALUES (5, 'five'), (7, 'seven'), (7, 'again'), (9, 'nine')")
        found = Witnesses(connection).of(PLACE)
        assert (found.tenant, found.other) == ("5", "7")
        assert json.loads(found.row)["note"] in {"seven", "again"}


@pytest.mark.parametrize(
    ("kind", "columns", "reason"),
    [("date", "note text", "for the type date"), ("integer", "CHECK (tenant > 0)", "took no planted ones")],
)
def test_what_takes_no_rows_says_why(database: Database, kind: str, columns: str, reason: str) -> None:
    with database.connect(autocommit=True) as connection:
        connection.execute(table(kind, columns))
        with connection.transaction(force_rollback=True), pytest.raises(NoWitness, match=reason):
            Witnesses(connection).of(PLACE)
