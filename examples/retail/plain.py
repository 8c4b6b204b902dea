"""The plain sales of a batch, found and shaped by columns: nearly every line is one, and Python is slow by the line."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from examples.retail.reader import LINE_NO
from examples.retail.rules import Kind
from pyarrow import csv

_LARGEST = 10_000_000
_LARGEST_CUSTOMER = 2**53
_ORDER_NO = r"^[0-9]{1,15}$"
_TIDY = r"^[!-~]([ -~]*[!-~])?$"
_PENNIES = r"^[0-9]{1,7}(\.[0-9]{1,2})?$"


def plain_sales(table: pa.Table) -> pa.Array:
    """Which lines are sales beyond doubt; ``rules.classify`` decides the others, and agrees on these."""
    quantity, customer = table.column("Quantity"), table.column("CustomerID")
    tests = [
        pc.match_substring_regex(table.column("InvoiceNo"), _ORDER_NO),
        pc.match_substring_regex(table.column("StockCode"), _TIDY),
        pc.match_substring_regex(table.column("Country"), _TIDY),
        pc.is_valid(table.column("InvoiceDate")),
        _whole(quantity, _LARGEST),
        pc.greater(table.column("UnitPrice"), 0.0),
        pc.match_substring_regex(price_text(table), _PENNIES),
        pc.or_kleene(pc.is_null(customer), _whole(customer, _LARGEST_CUSTOMER)),
        pc.invert(pc.fill_null(pc.match_substring(table.column("Description"), "\0"), False)),
    ]
    mask = tests[0]
    for test in tests[1:]:
        mask = pc.and_kleene(mask, test)
    return pc.fill_null(mask, False)


def _whole(column: pa.ChunkedArray, limit: int) -> pa.ChunkedArray:
    inside = pc.and_kleene(pc.greater_equal(column, 1.0), pc.less(column, float(limit)))
    return pc.and_kleene(inside, pc.equal(pc.floor(column), column))


def price_text(table: pa.Table) -> pa.ChunkedArray:
    """Prices as the shortest decimal text that reads back as the same float; never computed with as floats."""
    return table.column("UnitPrice").cast(pa.string())


def codes(table: pa.Table) -> pa.ChunkedArray:
    """The product code of each plain sale; its stock codes are tidy ASCII."""
    return pc.ascii_upper(table.column("StockCode"))


def counted(table: pa.Table, values: pa.ChunkedArray) -> list[tuple[str, Any, int]]:
    """How often each value stands beside each product code: (code, value, lines)."""
    pairs = pa.table({"code": codes(table), "value": values})
    found = pairs.group_by(["code", "value"], use_threads=False).aggregate([([], "count_all")])
    return list(zip(*(found.column(name).to_pylist() for name in ("code", "value", "count_all")), strict=True))


def stage_csv(table: pa.Table, traits: Mapping[str, tuple[int, bool, int]]) -> bytes:
    """Plain sales as the CSV that ``sql/copy_stage.sql`` reads; ``traits`` are product id, stocked, account by code."""
    known = codes(table).combine_chunks().dictionary_encode()
    product, stocked, account = zip(*(traits[code] for code in known.dictionary.to_pylist()), strict=True)
    rows = pa.table(
        {
            "line_no": table.column(LINE_NO),
            "kind": pa.repeat(Kind.ORDER.value, table.num_rows),
            "document": table.column("InvoiceNo").cast(pa.int64()),
            "product_id": pa.array(product, pa.int64()).take(known.indices),
            "stocked": pa.array(stocked, pa.bool_()).take(known.indices),
            "account_id": pa.array(account, pa.int64()).take(known.indices),
            "quantity": table.column("Quantity").cast(pa.int64()),
            "unit_price": price_text(table),
            "at": table.column("InvoiceDate"),
            "customer_id": table.column("CustomerID").cast(pa.int64()),
            "description": table.column("Description"),
        }
    )
    sink = io.BytesIO()
    csv.write_csv(rows, sink, csv.WriteOptions(include_header=False))
    return sink.getvalue()
