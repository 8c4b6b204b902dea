"""The Parquet file as a stream of batches, each a whole number of documents, with money as exact decimals."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import pyarrow as pa
import pyarrow.parquet as pq
from examples.retail.rules import Line

from freehold.errors import InputError

BATCH_LINES = 100_000
_SOURCES = UUID("0d6f1a3e-3f0f-5f55-8a0b-0c3f5a5b7e21")
LINE_NO = "line_no"
COLUMNS = {
    "InvoiceNo": pa.string(),
    "StockCode": pa.string(),
    "Description": pa.string(),
    "Quantity": pa.float64(),
    "InvoiceDate": pa.timestamp("us"),
    "UnitPrice": pa.float64(),
    "CustomerID": pa.float64(),
    "Country": pa.string(),
}
_EMPTY = pa.table({})
_LIKE: dict[pa.DataType, Callable[[pa.DataType], bool]] = {
    pa.string(): lambda kind: pa.types.is_string(kind) or pa.types.is_large_string(kind),
    pa.float64(): lambda kind: pa.types.is_floating(kind) or pa.types.is_integer(kind),
    pa.timestamp("us"): lambda kind: pa.types.is_timestamp(kind) and kind.tz is None,
}


class Input:
    """A file of invoice lines whose footer and columns have been checked; identified by its content."""

    def __init__(self, path: Path) -> None:
        """Open and check ``path``; raises InputError where it is missing, damaged or of another shape."""
        self.path = path
        self.lines = _line_count(path)
        self.sha256 = _digest(path)
        self.id = uuid5(_SOURCES, self.sha256)

    def batches(self, batch_lines: int = BATCH_LINES) -> Iterator[pa.Table]:
        """Yield the lines in file order, about ``batch_lines`` at a time, cut where the document changes."""
        held = _EMPTY
        for part in self._parts(batch_lines):
            held = pa.concat_tables([held, part]) if held.num_rows else part
            cut = _last_boundary(held)
            if held.num_rows >= batch_lines and cut:
                yield held.slice(0, cut).combine_chunks()
                held = held.slice(cut).combine_chunks()
        if held.num_rows:
            yield held.combine_chunks()

    def _parts(self, batch_lines: int) -> Iterator[pa.Table]:
        first = 1
        for batch in self._record_batches(batch_lines):
            numbers = pa.array(range(first, first + batch.num_rows), pa.int64())
            columns = [batch.column(name).cast(kind, safe=False) for name, kind in COLUMNS.items()]
            yield pa.table([numbers, *columns], names=[LINE_NO, *COLUMNS])
            first += batch.num_rows

    def _record_batches(self, batch_lines: int) -> Iterator[pa.RecordBatch]:
        try:
            with pq.ParquetFile(self.path, pre_buffer=False, page_checksum_verification=True) as file:
                yield from file.iter_batches(batch_lines, columns=list(COLUMNS))
        except (pa.ArrowException, OSError) as error:
            raise _damaged(self.path, error) from error

    def verify(self, batch_lines: int = BATCH_LINES) -> None:
        """Read every page once, so that a damaged one is known before a line is loaded; raises InputError."""
        found = 0
        for batch in self._record_batches(batch_lines):
            try:
                batch.validate(full=True)
            except pa.ArrowException as error:
                raise _damaged(self.path, error) from error
            found += batch.num_rows
        if found != self.lines:
            raise _damaged(self.path, f"the footer says {self.lines} lines, the pages hold {found}")


def _line_count(path: Path) -> int:
    try:
        with pq.ParquetFile(path) as file:
            _check_columns(path, file.schema_arrow)
            return int(file.metadata.num_rows)
    except FileNotFoundError as error:
        raise InputError(
            f"There is no file {path}", hint="Give the path of a Parquet file of invoice lines."
        ) from error
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, why: object) -> InputError:
    return InputError(
        f"{path} cannot be read as Parquet",
        detail=str(why),
        hint="Fetch the file again; what was loaded from it before stays, and a new run goes on from there.",
    )


def _check_columns(path: Path, schema: pa.Schema) -> None:
    wrong = [
        f"{name} is {schema.field(name).type if name in schema.names else 'missing'}, not {kind}"
        for name, kind in COLUMNS.items()
        if name not in schema.names or not _LIKE[kind](schema.field(name).type)
    ]
    if wrong:
        raise InputError(
            f"{path} does not hold invoice lines",
            detail="; ".join(wrong),
            hint=f"The file needs the columns {', '.join(COLUMNS)}.",
        )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def to_lines(table: pa.Table) -> list[Line]:
    """The rows of a batch as lines, with numbers as exact decimals."""
    columns: dict[str, list[Any]] = {name: table.column(name).to_pylist() for name in [LINE_NO, *COLUMNS]}
    for name, kind in COLUMNS.items():
        if kind == pa.float64():
            columns[name] = [None if value is None else exact(value) for value in columns[name]]
    return list(map(Line, *columns.values()))


def exact(value: float) -> Decimal:
    """The shortest decimal that reads back as the same float: what the retailer typed, not its binary neighbour."""
    return Decimal(repr(value))


def _last_boundary(table: pa.Table) -> int:
    """Where the last document of the table begins; 0 where there is only one."""
    numbers = table.column("InvoiceNo").to_pylist()
    return next((at for at in range(len(numbers) - 1, 0, -1) if numbers[at - 1] != numbers[-1]), 0)
