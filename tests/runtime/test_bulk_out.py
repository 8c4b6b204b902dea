"""COPY out under the policies: rows, text and Arrow batches, with values that are only ever values."""

from __future__ import annotations

import csv
import datetime
import io
from decimal import Decimal
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
import sqlalchemy as sa

from freehold.errors import InputError
from freehold.runtime import Database
from freehold.runtime.bulk.batches import SLICE
from freehold.runtime.literal import sql
from tests.rooms.tenancy.layer import TABLES, A, B, Customer
from tests.runtime.bulk_ground import KINDS, make_kinds
from tests.runtime.conftest import Shop
from tests.runtime.test_bulk_arrow import GIVEN, KEY, MOMENT, table_of


def test_only_the_tenants_rows_come_out(db: Database) -> None:
    for tenant in (A, B):
        with db.transaction(tenant=tenant, actor="ana") as session:
            rows = list(session.copy_out(TABLES["shop.customer"]))
            assert {row[0] for row in rows} == {tenant}
            assert len(rows) == 3
            assert len(list(session.copy_out(Customer))) == 3
            assert len(next(iter(session.copy_out(Customer, form="arrow")))) == 3


def test_rows_are_python_values(shop: Shop, db: Database) -> None:
    make_kinds(shop, guarded=True)
    with db.transaction(tenant=A, actor="ana") as session:
        session.copy_in(KINDS, rows=table_of(GIVEN))
        chosen = (KINDS.c.id, KINDS.c.price, KINDS.c.key, KINDS.c.moment, KINDS.c.numbers, KINDS.c.name)
        rows = list(session.copy_out(sa.select(*chosen).order_by(KINDS.c.id)))
    name = GIVEN["name"][1]
    first = (1, Decimal("-12345.6700"), KEY, MOMENT.replace(microsecond=123000), [1, None, 3], name)
    assert rows == [first, (2, None, None, None, None, None)]


def test_values_of_a_query_are_only_values(db: Database) -> None:
    evil = "'; DROP TABLE shop.customer; --"
    values = [evil, "\\", "\\'; --", "%s %(x)s %%", "$1", "a\nb", '"', "e'\\x27'", "ü", ":name"]
    with db.transaction(tenant=A, actor="ana") as session:
        for value in values:
            query = sa.select(sa.literal(value), Customer.email).where(
                Customer.email != value, Customer.email.like("1%")
            )
            assert list(session.copy_out(query)) == [(value, "1@example.org")]
        several = sa.select(Customer.email).where(Customer.email.in_(["1@example.org", evil]))
        assert list(session.copy_out(several)) == [("1@example.org",)]
        typed = sa.select(sa.literal(KEY), sa.literal(Decimal("1.5")), sa.literal(MOMENT), sa.literal(True), sa.null())
        assert list(session.copy_out(typed)) == [(KEY, Decimal("1.5"), MOMENT, True, None)]
        text = sql("SELECT CAST(:n AS integer) + 1, '100%' LIKE '%'").bindparams(n=4)
        assert list(session.copy_out(text)) == [(5, True)]


def test_what_is_no_query_is_refused(db: Database) -> None:
    with db.transaction(tenant=A, actor="ana") as session:
        for statement in (sa.delete(Customer), sa.insert(Customer), sa.literal(1)):
            with pytest.raises(InputError):
                session.copy_out(statement)
        with pytest.raises(InputError):
            session.copy_out(Customer, form="parquet")  # type: ignore[arg-type]
        assert len(list(session.copy_out(Customer))) == 3


def test_text_comes_in_blocks_of_whole_rows_and_goes_in_again(db: Database) -> None:
    query = sa.select(Customer.id + 1000, Customer.email + sa.literal(",\t\\x\n")).order_by(Customer.id)
    with db.transaction(tenant=A, actor="ana") as session:
        expected = [tuple(row) for row in session.execute(query)]
        blocks = list(session.copy_out(query, form="csv"))
        assert [tuple(row) for row in csv.reader(io.StringIO(b"".join(blocks).decode()))] == [
            (str(number), email) for number, email in expected
        ]
        assert session.copy_in(Customer, ["id", "email"], list(session.copy_out(query, form="text"))) == 3
        assert session.scalar(sa.select(sa.func.count()).where(Customer.email == expected[0][1])) == 1


def test_blocks_are_large_and_bounded(db: Database) -> None:
    query = sa.select(sa.func.generate_series(1, 200_000), sa.literal("some text of a line"))
    with db.transaction(tenant=A, actor="ana") as session:
        sizes = [len(block) for block in session.copy_out(query, form="text")]
    assert len(sizes) > 10
    assert max(sizes) < 300_000
    assert min(sizes[:-1]) >= 1 << 18


def test_arrow_keeps_every_type(shop: Shop, db: Database) -> None:
    make_kinds(shop, guarded=True)
    with db.transaction(tenant=A, actor="ana") as session:
        session.copy_in(KINDS, rows=table_of(GIVEN))
        batches = list(session.copy_out(KINDS.select().order_by(KINDS.c.id), form="arrow"))
    table = pa.Table.from_batches(batches)
    assert {field.name: field.type for field in table.schema} == {
        "id": pa.int32(),
        "flag": pa.bool_(),
        "small": pa.int16(),
        "large": pa.int64(),
        "single": pa.float32(),
        "double": pa.float64(),
        "price": pa.decimal128(12, 4),
        "exact": pa.string(),
        "name": pa.string(),
        "short": pa.string(),
        "mood": pa.string(),
        "doc": pa.string(),
        "plain": pa.string(),
        "key": pa.string(),
        "day": pa.date32(),
        "hour": pa.time64("us"),
        "local": pa.timestamp("us"),
        "moment": pa.timestamp("us", "UTC"),
        "span": pa.string(),
        "raw": pa.binary(),
        "numbers": pa.list_(pa.int32()),
        "words": pa.list_(pa.string()),
        "codes": pa.list_(pa.string()),
        "address": pa.string(),
        "positive": pa.int32(),
        "twice": pa.int32(),
    }
    first, second = table.to_pylist()
    same = {
        "flag",
        "small",
        "large",
        "single",
        "double",
        "name",
        "short",
        "mood",
        "plain",
        "day",
        "hour",
        "local",
        "raw",
    }
    assert {name: first[name] for name in same} == {name: GIVEN[name][1] for name in same}
    assert first["moment"] == MOMENT.replace(microsecond=123000)
    assert (first["price"], first["exact"]) == (Decimal("-12345.6700"), "99999999999999999999.1234567")
    assert (first["numbers"], first["words"], first["codes"]) == ([1, None, 3], ["a", None, ""], ["abcde"])
    assert (first["key"], first["twice"]) == (str(KEY), 14)
    assert {name for name, value in second.items() if value is not None} == {"id"}


def test_what_comes_out_as_arrow_goes_in_again(shop: Shop, db: Database) -> None:
    make_kinds(shop, guarded=True)
    names = [column.name for column in KINDS.columns if column.name != "twice"]
    with db.transaction(tenant=A, actor="ana") as session:
        session.copy_in(KINDS, rows=table_of(GIVEN))
        before = list(session.copy_out(KINDS.select().order_by(KINDS.c.id)))
        batches = list(session.copy_out(KINDS, form="arrow"))
        session.execute(sa.delete(KINDS))
        assert session.copy_in(KINDS, names, batches) == 2
        assert list(session.copy_out(KINDS.select().order_by(KINDS.c.id))) == before


def test_empty_texts_nulls_and_line_ends_differ(db: Database) -> None:
    rows = [("", 1), (None, 2), ("a\r\nb", 3), ('"', 4), (",", 5), ("\\N", 6), (" ", 7), ("\\.", 8)]
    values = sa.values(sa.column("t", sa.Text), sa.column("n", sa.Integer), name="v").data(rows)
    with db.transaction(tenant=A, actor="ana") as session:
        alone = sa.select(values.c.t).order_by(values.c.n)
        batch = next(iter(session.copy_out(alone, form="arrow")))
        assert batch.column(0).to_pylist() == [text for text, _ in rows]
        twice = sa.select(values.c.n.label("x"), values.c.t.label("x")).order_by(values.c.n)
        batch = next(iter(session.copy_out(twice, form="arrow")))
        assert [column.to_pylist() for column in batch.columns] == [[n for _, n in rows], [t for t, _ in rows]]


def test_batches_are_bounded_and_an_empty_result_has_a_schema(db: Database) -> None:
    query = sa.select(sa.func.generate_series(1, SLICE + 7).label("n"))
    with db.transaction(tenant=A, actor="ana") as session:
        batches = list(session.copy_out(query, form="arrow"))
        assert [batch.num_rows for batch in batches] == [SLICE, 7]
        nothing = list(session.copy_out(sa.select(Customer.id).where(sa.false()), form="arrow"))
    assert [(batch.num_rows, batch.schema.names) for batch in nothing] == [(0, ["id"])]
    frame = pl.from_arrow(batches)
    assert isinstance(frame, pl.DataFrame)
    assert frame["n"].sum() == sum(range(SLICE + 8))


ODD: list[tuple[str, Any]] = [
    ("infinity", sa.DateTime()),
    ("infinity", sa.Date()),
    ("NaN", sa.Numeric(5, 2)),
    ("0001-01-01 BC", sa.Date()),
]


@pytest.mark.parametrize(("value", "kind"), ODD)
def test_values_without_a_form_in_arrow_are_refused(db: Database, value: str, kind: Any) -> None:
    query = sa.select(sa.cast(sa.literal(value, sa.Text), kind))
    with pytest.raises(InputError), db.transaction(tenant=A, actor="ana") as session:
        list(session.copy_out(query, form="arrow"))


def test_a_reader_that_leaves_early_leaves_a_failed_transaction(db: Database) -> None:
    query = sa.select(sa.func.generate_series(1, 1_000_000))
    started = datetime.datetime.now(datetime.UTC)
    with db.transaction(tenant=A, actor="ana") as session, session.begin_nested() as part:
        source: Any = session.copy_out(query)
        assert next(source) == (1,)
        source.close()
        part.rollback()
    assert datetime.datetime.now(datetime.UTC) - started < datetime.timedelta(seconds=10)
    with db.transaction(tenant=A, actor="ana") as session:
        assert len(list(session.copy_out(Customer))) == 3


def test_a_list_of_values_with_a_type_of_their_own(shop: Shop, db: Database) -> None:
    make_kinds(shop, guarded=True)
    with db.transaction(tenant=A, actor="ana") as session:
        session.copy_in(KINDS, ["id", "mood", "doc"], [(1, "calm", '{"a": 1}'), (2, "cross", "[]")])
        moods = sa.select(KINDS.c.id).where(KINDS.c.mood.in_(["calm"]))
        documents = sa.select(KINDS.c.id).where(KINDS.c.doc.in_([{"a": 1}, []])).order_by(KINDS.c.id)
        assert list(session.copy_out(moods)) == [(1,)]
        assert list(session.copy_out(documents)) == [(1,), (2,)]
