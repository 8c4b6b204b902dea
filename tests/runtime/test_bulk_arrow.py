"""Arrow data into tables: every type that fits, and every one that does not, straight and through a stage."""

from __future__ import annotations

import datetime
import uuid
from decimal import Decimal
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
import sqlalchemy as sa

from freehold.errors import InputError
from freehold.runtime import Database
from tests.rooms.tenancy.layer import A, B, Customer
from tests.runtime.bulk_ground import KINDS, REFUSED, make_kinds, sqlstate
from tests.runtime.conftest import Shop

KEY = uuid.UUID("12345678-9abc-4def-8123-456789abcdef")
MOMENT = datetime.datetime(2024, 2, 29, 12, 30, 1, 123456, tzinfo=datetime.UTC)
GIVEN: dict[str, tuple[Any, Any]] = {
    "id": (pa.int64(), 1),
    "flag": (pa.bool_(), True),
    "small": (pa.int32(), -32768),
    "large": (pa.int64(), 2**62),
    "single": (pa.float32(), 0.5),
    "double": (pa.float64(), 0.1),
    "price": (pa.decimal128(10, 2), Decimal("-12345.67")),
    "exact": (pa.decimal256(50, 7), Decimal("99999999999999999999.1234567")),
    "name": (pa.large_string(), 'it\'s \\ "quoted"\n, ü'),
    "short": (pa.string_view(), "abcde"),
    "mood": (pa.dictionary(pa.int8(), pa.string()), "cross"),
    "doc": (pa.string(), '{"a": [1, null]}'),
    "plain": (pa.string(), '{"a":  1}'),
    "key": (pa.uuid(), KEY.bytes),
    "day": (pa.date32(), datetime.date(1815, 12, 10)),
    "hour": (pa.time64("ns"), datetime.time(23, 59, 59, 999999)),
    "local": (pa.timestamp("ns"), MOMENT.replace(tzinfo=None)),
    "moment": (pa.timestamp("ms", "Europe/Vienna"), MOMENT.replace(microsecond=123000)),
    "span": (pa.duration("ns"), datetime.timedelta(days=-1, microseconds=5)),
    "raw": (pa.binary_view(), b"\x00\xff"),
    "numbers": (pa.list_(pa.int64()), [1, None, 3]),
    "words": (pa.large_list(pa.string_view()), ["a", None, ""]),
    "codes": (pa.list_(pa.string()), ["abcde"]),
    "address": (pa.string(), "10.0.0.1"),
    "positive": (pa.uint8(), 7),
}
READ: dict[str, Any] = {
    **{name: value for name, (_, value) in GIVEN.items()},
    "doc": {"a": [1, None]},
    "plain": {"a": 1},
    "key": KEY,
    "twice": 14,
}


def table_of(given: dict[str, tuple[Any, Any]], copies: int = 1) -> Any:
    """A row of values, and one of nulls behind it."""
    arrays = {}
    for name, (kind, value) in given.items():
        nothing = 2 if name == "id" else None
        values = [value, nothing] * copies
        if isinstance(kind, pa.BaseExtensionType):
            arrays[name] = pa.ExtensionArray.from_storage(kind, pa.array(values, kind.storage_type))
        else:
            arrays[name] = pa.array(values, kind)
    return pa.table(arrays)


@pytest.fixture(params=[False, True], ids=["straight", "staged"])
def kinds(shop: Shop, db: Database, request: pytest.FixtureRequest) -> Database:
    make_kinds(shop, guarded=request.param)
    return db


def stored(db: Database) -> list[Any]:
    with db.transaction(tenant=A, actor="ana") as session:
        return [row._asdict() for row in session.execute(sa.select(KINDS).order_by(KINDS.c.id))]


def test_every_type_arrives(kinds: Database) -> None:
    with kinds.transaction(tenant=A, actor="ana") as session:
        assert session.copy_in(KINDS, rows=table_of(GIVEN)) == 2
    first, second = stored(kinds)
    # inet is read as an address object
    assert str(first.pop("address")) == "10.0.0.1"
    assert first == {name: value for name, value in READ.items() if name != "address"}
    assert {name for name, value in second.items() if value is not None} == {"id"}


OTHERWISE: list[tuple[str, Any, Any, Any]] = [
    ("key", pa.string(), str(KEY), KEY),
    ("key", pa.string_view(), KEY.hex.upper(), KEY),
    ("key", pa.binary(16), KEY.bytes, KEY),
    ("price", pa.int64(), 12, Decimal("12.0000")),
    ("exact", pa.decimal64(8, 3), Decimal("1.250"), Decimal("1.250")),
    ("large", pa.uint64(), 5, 5),
    ("double", pa.int16(), 5, 5.0),
    ("single", pa.float16(), 0.5, 0.5),
    ("day", pa.date64(), datetime.date(2024, 2, 29), datetime.date(2024, 2, 29)),
    ("hour", pa.time32("s"), datetime.time(1, 2, 3), datetime.time(1, 2, 3)),
    ("numbers", pa.string(), "{4,NULL}", [4, None]),
    ("numbers", pa.list_(pa.int8(), 2), [1, 2], [1, 2]),
    ("mood", pa.string_view(), "calm", "calm"),
    ("name", pa.dictionary(pa.int16(), pa.large_string()), "x", "x"),
    ("raw", pa.binary(3), b"abc", b"abc"),
    ("doc", pa.json_(), '"x"', "x"),
    ("span", pa.string(), "1 day", datetime.timedelta(days=1)),
    ("words", pa.null(), None, None),
    ("key", pa.null(), None, None),
    ("price", pa.null(), None, None),
    ("doc", pa.null(), None, None),
    ("address", pa.null(), None, None),
    ("moment", pa.null(), None, None),
]


def test_other_types_fit_as_well(kinds: Database) -> None:
    for number, (name, kind, value, expected) in enumerate(OTHERWISE):
        given = {"id": (pa.int32(), 1), name: (kind, value)}
        with kinds.transaction(tenant=A, actor="ana") as session:
            session.execute(sa.delete(KINDS))
            assert session.copy_in(KINDS, rows=table_of(given)) == 2, number
        assert [row[name] for row in stored(kinds)] == [expected, None], (name, kind)


MISFITS: list[tuple[str, Any]] = [
    ("flag", pa.int8()),
    ("small", pa.float64()),
    ("small", pa.string()),
    ("single", pa.float64()),
    ("double", pa.int64()),
    ("price", pa.float64()),
    ("price", pa.decimal128(12, 5)),
    ("name", pa.int32()),
    ("name", pa.binary()),
    ("doc", pa.struct([("a", pa.int32())])),
    ("key", pa.binary()),
    ("key", pa.binary(15)),
    ("day", pa.timestamp("us")),
    ("local", pa.timestamp("us", "UTC")),
    ("moment", pa.timestamp("us")),
    ("moment", pa.date32()),
    ("span", pa.month_day_nano_interval()),
    ("raw", pa.string()),
    ("numbers", pa.int32()),
    ("numbers", pa.list_(pa.float64())),
    ("numbers", pa.list_(pa.list_(pa.int32()))),
    ("words", pa.list_(pa.int32())),
    ("codes", pa.list_(pa.int32())),
    ("address", pa.int32()),
    ("mood", pa.int8()),
]


def test_types_that_do_not_fit_are_refused_before_anything_is_sent(shop: Shop, db: Database) -> None:
    make_kinds(shop, guarded=False)
    with db.transaction(tenant=A, actor="ana") as session:
        for name, kind in MISFITS:
            rows = pa.table({"id": pa.array([1]), name: pa.nulls(1, kind)})
            with pytest.raises(InputError) as caught:
                session.copy_in(KINDS, rows=rows)
            assert repr(name) in caught.value.message
            assert str(kind) in caught.value.message
        # The transaction goes on: the server was asked for nothing but the columns.
        assert session.scalar(sa.select(sa.func.count()).select_from(KINDS)) == 0


LOSSES: list[tuple[str, Any, Any]] = [
    ("small", pa.int64(), 40_000),
    ("large", pa.uint64(), 2**63),
    ("key", pa.string(), "no uuid"),
    ("key", pa.string(), "1234567 89abc4def8123456789abcdef"),
    ("key", pa.string(), "1234567g9abc4def8123456789abcdef"),
    ("hour", pa.time64("ns"), 3_600_000_000_001),
    ("local", pa.timestamp("ns"), 1_700_000_000_000_000_001),
]


@pytest.mark.parametrize(("name", "kind", "value"), LOSSES)
def test_values_that_would_be_lost_are_refused(shop: Shop, db: Database, name: str, kind: Any, value: Any) -> None:
    make_kinds(shop, guarded=True)
    rows = pa.table({"id": pa.array([1, 2]), name: pa.array([None, value], kind)})
    with pytest.raises(InputError) as caught, db.transaction(tenant=A, actor="ana") as session:
        session.copy_in(KINDS, rows=rows)
    assert repr(name) in caught.value.message
    assert caught.value.detail == "In rows 1 to 2."
    assert str(value) not in str(caught.value)
    assert stored(db) == []


def test_the_server_refuses_what_only_it_can_judge(kinds: Database) -> None:
    for name, value, state in (("short", "abcdef", "22001"), ("mood", "angry", "22P02"), ("positive", 0, "23514")):
        with pytest.raises(REFUSED) as caught, kinds.transaction(tenant=A, actor="ana") as session:
            session.copy_in(KINDS, rows=pa.table({"id": [1], name: [value]}))
        assert sqlstate(caught.value) == state
    assert stored(kinds) == []


def test_columns_are_judged(shop: Shop, db: Database) -> None:
    make_kinds(shop, guarded=False)
    with db.transaction(tenant=A, actor="ana") as session:
        for rows in (
            pa.table({"id": [1], "nowhere": [1]}),
            pa.table({"id": [1], "twice": [1]}),
            pa.table([pa.array([1]), pa.array([2])], names=["id", "id"]),
        ):
            with pytest.raises(InputError):
                session.copy_in(KINDS, rows=rows)
        with pytest.raises(InputError):
            session.copy_in(KINDS, ["small"], pa.table({"id": [1]}))
        # Fewer columns than the data has, in another order.
        assert session.copy_in(KINDS, ["name", "id"], pa.table({"id": [1], "name": ["x"], "other": [2.5]})) == 1


def test_all_makers_of_arrow_data_are_taken(kinds: Database) -> None:
    frame = pl.DataFrame(
        {"id": [1, 2, 3], "name": ["a", None, "c"], "mood": pl.Series(["calm"] * 3, dtype=pl.Categorical)}
    )
    table = frame.to_arrow()
    makers: list[Any] = [
        frame,
        frame.lazy(),
        table,
        table.to_batches()[0],
        table.to_reader(),
        [frame[:1], frame[1:]],
        (batch for batch in table.to_batches(1)),
    ]
    for rows in makers:
        with kinds.transaction(tenant=A, actor="ana") as session:
            session.execute(sa.delete(KINDS))
            assert session.copy_in(KINDS, rows=rows) == 3
        assert [(row["id"], row["name"]) for row in stored(kinds)] == [(1, "a"), (2, None), (3, "c")]
    with pytest.raises(InputError), kinds.transaction(tenant=A, actor="ana") as session:
        session.copy_in(KINDS, rows=[frame[:1], pl.DataFrame({"id": ["x"]})])


def test_empty_input_stores_nothing(kinds: Database) -> None:
    frame = pl.DataFrame({"id": [1]}).clear()
    with kinds.transaction(tenant=A, actor="ana") as session:
        nothing: list[Any] = [frame, frame.lazy(), frame.to_arrow(), [], iter(())]
        for rows in nothing:
            assert session.copy_in(KINDS, rows=rows) == 0
        assert session.copy_in(KINDS, ["id"], []) == 0


def test_slices_are_put_together_again(kinds: Database) -> None:
    """More rows than a slice, from a table whose columns begin in the middle of their buffers."""
    rows = 120_000
    table = pa.table({"id": pa.array(range(rows)), "name": [f"n{n}" for n in range(rows)]}).slice(7)
    with kinds.transaction(tenant=A, actor="ana") as session:
        assert session.copy_in(KINDS, rows=table) == rows - 7
        found = session.execute(
            sa.select(sa.func.count(), sa.func.min(KINDS.c.id)).where(KINDS.c.name == sa.func.concat("n", KINDS.c.id))
        ).one()
    assert tuple(found) == (rows - 7, 7)


def test_the_tenant_is_filled_and_the_policies_check(db: Database) -> None:
    with db.transaction(tenant=A, actor="ana") as session:
        assert session.copy_in(Customer, rows=pl.DataFrame({"email": ["x@example.org", "y@example.org"]})) == 2
    with db.transaction(tenant=B, actor="ana") as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Customer)) == 3
    theirs = pl.DataFrame({"tenant_id": [str(B)], "email": ["z@example.org"]})
    with pytest.raises(REFUSED) as caught, db.transaction(tenant=A, actor="ana") as session:
        session.copy_in(Customer, rows=theirs)
    assert sqlstate(caught.value) == "42501"
