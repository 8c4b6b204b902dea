"""The file itself: streamed in whole documents, and refused before anything is written where it is not sound."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from examples.retail.load import load
from examples.retail.reader import LINE_NO, Input

from freehold import Database
from freehold.errors import InputError
from tests.examples.conftest import BATCH
from tests.examples.shop import Shop


def test_batches_hold_every_line_once_and_whole_documents(slice_: Path) -> None:
    source = Input(slice_)
    batches = list(source.batches(BATCH))
    numbers = [number for batch in batches for number in batch.column(LINE_NO).to_pylist()]
    assert numbers == list(range(1, source.lines + 1))
    edges = pairwise(batches)
    assert all(a.column("InvoiceNo")[-1] != b.column("InvoiceNo")[0] for a, b in edges)
    assert len(batches) >= 4


def test_one_document_larger_than_a_batch_stays_whole(tmp_path: Path, slice_: Path) -> None:
    whole = pq.read_table(slice_).slice(0, 50)
    same = whole.set_column(0, "InvoiceNo", pa.array(["536365"] * 50))
    pq.write_table(same, tmp_path / "one.parquet")
    assert [batch.num_rows for batch in Input(tmp_path / "one.parquet").batches(10)] == [50]


def _missing(path: Path, good: bytes) -> None:
    assert good


def _cut_short(path: Path, good: bytes) -> None:
    path.write_bytes(good[: len(good) // 2])


def _damaged_page(path: Path, good: bytes) -> None:
    middle = len(good) // 3
    path.write_bytes(good[:middle] + bytes(64) + good[middle + 64 :])


def _not_parquet(path: Path, good: bytes) -> None:
    path.write_bytes(b"InvoiceNo,StockCode\n")


def _other_columns(path: Path, good: bytes) -> None:
    pq.write_table(pa.table({"InvoiceNo": [1.0]}), path)


@pytest.mark.parametrize("spoil", [_missing, _cut_short, _damaged_page, _not_parquet, _other_columns])
def test_a_bad_file_is_an_input_error_and_nothing_is_loaded(
    shop: Shop, db: Database, slice_: Path, tmp_path: Path, spoil: object
) -> None:
    before = shop.contents()
    path = tmp_path / "bad.parquet"
    assert callable(spoil)
    spoil(path, slice_.read_bytes())
    with pytest.raises(InputError) as refused:
        load(db, path)
    assert refused.value.hint
    assert str(path) in refused.value.message
    assert shop.contents() == before
    assert shop.ask("SELECT count(*) FROM retail.source") == [(0,)]
