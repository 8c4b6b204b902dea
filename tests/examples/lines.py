"""Lines of input for the tests: written down, drawn by Hypothesis, or cut from the real file."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from examples.retail.demo import DATA
from examples.retail.reader import COLUMNS, LINE_NO
from examples.retail.rules import Line
from hypothesis import strategies as st

MOMENT = datetime.fromisoformat("2010-12-01T08:26")
SALE = Line(1, "536365", "85123A", "LANTERN", Decimal(6), MOMENT, Decimal("2.55"), Decimal(17850), "EIRE")

texts = st.none() | st.sampled_from(["", " ", "\0", "C", "A563185", "536365", "C536379", "POST", "85123a", "\u00a0"])
texts |= st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
numbers = st.none() | st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.001, 2.55, 1e7, 9999999.0, 12346.0, 1e300, 2.0**53])
numbers |= st.floats()
prices = numbers | st.decimals(-2, 20, places=3).map(float)
moments = st.none() | st.datetimes()

weird = {
    "InvoiceNo": texts,
    "StockCode": texts,
    "Description": texts,
    "Quantity": numbers,
    "InvoiceDate": moments,
    "UnitPrice": prices,
    "CustomerID": numbers,
    "Country": texts,
}
ordinary: dict[str, Any] = {
    "InvoiceNo": "536365",
    "StockCode": "85123A",
    "Description": "LANTERN",
    "Quantity": 6.0,
    "InvoiceDate": MOMENT,
    "UnitPrice": 2.55,
    "CustomerID": 17850.0,
    "Country": "EIRE",
}
# Mostly ordinary lines with one or two odd fields: entirely odd ones all fail at the first test.
some_weird = st.sets(st.sampled_from(sorted(weird)), max_size=2).flatmap(
    lambda names: st.fixed_dictionaries({name: weird[name] for name in sorted(names)})
)
rows = (
    st.fixed_dictionaries(weird)
    | some_weird.map(lambda odd: {**ordinary, **odd})
    | some_weird.map(lambda odd: {**ordinary, **odd})
)


def table(found: list[dict[str, Any]]) -> pa.Table:
    """Rows as the batch that the reader would give."""
    columns = [pa.array([row[name] for row in found], kind) for name, kind in COLUMNS.items()]
    return pa.table([pa.array(range(1, len(found) + 1), pa.int64()), *columns], names=[LINE_NO, *COLUMNS])


def cut(path: Path, lines: int) -> Path:
    """The first lines of the real file, and after them every line that the rules keep in quarantine."""
    whole = pq.read_table(DATA)
    odd = pc.or_kleene(
        pc.starts_with(whole.column("InvoiceNo"), "A"),
        pc.or_(
            pc.equal(whole.column("UnitPrice"), 0.001),
            pc.and_(pc.equal(whole.column("StockCode"), "POST"), pc.equal(whole.column("UnitPrice"), 0.0)),
        ),
    )
    pq.write_table(pa.concat_tables([whole.slice(0, lines), whole.slice(lines).filter(odd.slice(lines))]), path)
    return path


def widen(path: Path, lines: int) -> Path:
    """The first lines of the real file with two kilobytes of text each, so that holding them all would show."""
    whole = pq.read_table(DATA).slice(0, lines)
    texts = pa.array([f"{number:08}" + "x" * 2000 for number in range(lines)])
    pq.write_table(whole.set_column(2, "Description", texts), path, row_group_size=1000)
    return path
