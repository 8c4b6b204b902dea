"""Each promise of the room is seen held, then broken by a sabotage, then held again."""

from __future__ import annotations

import pytest

from .conftest import Built
from .layer import broken, verdicts

ATTACKS = [
    "no document is written to shop.order.details that violates the type of the whole",
    "no document is written to shop.order.details that violates required status",
    "no document is written to shop.order.details that violates required lines",
    "no document is written to shop.order.details that violates the type of lines",
    "no document is written to shop.order.details that violates the type of notes",
]
JUDGED = "every row of shop.order was judged when the CHECK of details was added"
SATISFIED = "every document in shop.order.details satisfies its version's schema"
EQUAL = "shop.order.status is status of details"
SERVED = "a query of shop.order.details by status is served by its index"
CHECK = 'ALTER TABLE shop."order" {} CONSTRAINT order_details_document'


def test_everything_holds_on_a_fresh_layer(built: Built) -> None:
    found = verdicts(built.connection, built.declared)
    assert [(v.promise, v.detail) for v in found if v.verdict != "held"] == []
    assert [v.promise for v in found][:9] == [*ATTACKS, JUDGED, SATISFIED, EQUAL, SERVED]


def _definition(built: Built) -> str:
    row = built.connection.execute(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'order_details_document'"
    ).fetchone()
    assert row is not None
    return str(row[0])


def test_a_dropped_check(built: Built) -> None:
    definition = _definition(built)
    built.connection.execute(CHECK.format("DROP").encode())
    found = broken(built.connection, built.declared)
    assert found == [*ATTACKS, JUDGED]
    built.connection.execute(f"{CHECK.format('ADD')} {definition}".encode())
    assert broken(built.connection, built.declared) == []


def test_a_check_over_rows_that_nobody_judged(built: Built) -> None:
    definition = _definition(built)
    built.connection.execute(CHECK.format("DROP").encode())
    built.connection.execute("""UPDATE shop."order" SET details = details - 'state' WHERE id = 1""")
    built.connection.execute(f"{CHECK.format('ADD')} {definition} NOT VALID".encode())
    assert broken(built.connection, built.declared) == [JUDGED, SATISFIED]
    built.connection.execute("""UPDATE shop."order" SET details = NULL WHERE id = 1""")
    built.connection.execute(CHECK.format("VALIDATE").encode())
    assert broken(built.connection, built.declared) == []


def test_a_gutted_function(built: Built) -> None:
    built.connection.execute(
        "CREATE OR REPLACE FUNCTION shop.violation_of_order_details_v1(document jsonb, version integer) RETURNS text"
        " LANGUAGE sql IMMUTABLE AS 'SELECT NULL'"
    )
    assert broken(built.connection, built.declared) == ATTACKS


def test_a_column_that_no_longer_follows_its_path(built: Built) -> None:
    built.connection.execute('ALTER TABLE shop."order" ALTER COLUMN status DROP EXPRESSION')
    built.connection.execute("""UPDATE shop."order" SET status = 'other' WHERE id = 2""")
    assert broken(built.connection, built.declared) == [EQUAL]
    built.connection.execute("""UPDATE shop."order" SET status = details #>> '{status}'""")
    assert broken(built.connection, built.declared) == []


@pytest.mark.parametrize(
    ("index", "promise"),
    [
        ("order_details_status_ix", SERVED),
        ("catalogue_entry_maker_city_ix", "a query of shop.catalogue.entry by maker.city is served by its index"),
        ("catalogue_entry_parts_sku_ix", "a query of shop.catalogue.entry by parts[*].sku is served by its index"),
    ],
)
def test_a_dropped_index(built: Built, index: str, promise: str) -> None:
    row = built.connection.execute("SELECT pg_get_indexdef(%s::regclass)", (f"shop.{index}",)).fetchone()
    assert row is not None
    built.connection.execute(f"DROP INDEX shop.{index}".encode())
    assert broken(built.connection, built.declared) == [promise]
    built.connection.execute(row[0].encode())
    assert broken(built.connection, built.declared) == []
