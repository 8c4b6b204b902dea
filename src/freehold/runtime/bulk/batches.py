"""The CSV of COPY TO as Arrow batches: pyarrow parses it, told every column's type by the server."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from psycopg.adapt import Transformer
from psycopg.postgres import types as known

from freehold.errors import InputError

SLICE = 50_000
"""Rows in a batch."""
DIGITS_128, DIGITS_256 = 38, 76


@dataclass(frozen=True, slots=True)
class Reading:
    """How one column is read: the type that is parsed, the type that is given, and the way between."""

    parsed: Any
    given: Any
    convert: Callable[[Any], Any] | None = None


def batches(columns: Sequence[psycopg.Column], driver: Any, messages: Iterator[Any]) -> Iterator[Any]:
    """Batches of the rows in the messages, which are one row each; at least one batch, for the schema."""
    transformer = Transformer(driver)
    reader = Reader([column.name for column in columns], [_reading(column, transformer) for column in columns])
    held: list[bytes] = []
    given = 0
    for message in messages:
        held.append(message)
        if len(held) == SLICE:
            yield reader.batch(held)
            given, held = given + 1, []
    if held or not given:
        yield reader.batch(held)


class Reader:
    """Parses rows of one shape."""

    def __init__(self, names: Sequence[str], readings: Sequence[Reading]) -> None:
        self._readings = readings
        self._schema = pa.schema([pa.field(n, r.given) for n, r in zip(names, readings, strict=True)])
        # Names of its own: a query may give two columns of one name.
        numbered = [f"c{number}" for number in range(len(readings))]
        self._read = pyarrow.csv.ReadOptions(column_names=numbered, use_threads=False, block_size=1 << 30)
        self._parse = pyarrow.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False)
        self._convert = pyarrow.csv.ConvertOptions(
            column_types={n: r.parsed for n, r in zip(numbered, readings, strict=True)},
            null_values=[""],
            true_values=["t"],
            false_values=["f"],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        )

    def batch(self, rows: Sequence[bytes]) -> Any:
        """One batch."""
        if not rows or not self._readings:
            return pa.RecordBatch.from_pylist([], schema=self._schema)
        text = pa.BufferReader(b"".join(rows))
        try:
            table = pyarrow.csv.read_csv(
                text, read_options=self._read, parse_options=self._parse, convert_options=self._convert
            )
        except pa.ArrowInvalid as error:
            raise InputError(
                "A value of the result has no form in Arrow",
                hint="infinity, NaN in a numeric, and years before 1 have none: cast the column to text in the query.",
            ) from error
        arrays = [
            column.combine_chunks() if reading.convert is None else reading.convert(column.combine_chunks())
            for column, reading in zip(table.columns, self._readings, strict=True)
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema)


_SIMPLE = {
    "bool": pa.bool_(),
    "int2": pa.int16(),
    "int4": pa.int32(),
    "int8": pa.int64(),
    "oid": pa.int64(),
    "float4": pa.float32(),
    "float8": pa.float64(),
    "date": pa.date32(),
    "time": pa.time64("us"),
    "timestamp": pa.timestamp("us"),
    "timestamptz": pa.timestamp("us", "UTC"),
}


def _reading(column: psycopg.Column, transformer: Any) -> Reading:
    found = known.get(column.type_code)
    if found is None:
        return Reading(pa.string(), pa.string())
    if found.array_oid == column.type_code:
        return _array(column, found.name, transformer)
    if found.name == "bytea":
        return Reading(pa.string(), pa.binary(), _unhexed)
    if found.name == "numeric":
        kind = _decimal(column)
        return Reading(kind, kind)
    kind = _SIMPLE.get(found.name, pa.string())
    return Reading(kind, kind)


def _decimal(column: psycopg.Column) -> Any:
    if column.precision is None or column.precision > DIGITS_256:
        return pa.string()
    of_size = pa.decimal128 if column.precision <= DIGITS_128 else pa.decimal256
    return of_size(column.precision, column.scale or 0)


def _array(column: psycopg.Column, element: str, transformer: Any) -> Reading:
    """Arrays of types that Arrow has become lists; others stay as PostgreSQL writes them."""
    if element not in _SIMPLE and element not in {"text", "varchar", "bpchar", "name"}:
        return Reading(pa.string(), pa.string())
    kind = pa.list_(_SIMPLE.get(element, pa.string()))
    load = transformer.get_loader(column.type_code, psycopg.pq.Format.TEXT).load

    def convert(texts: Any) -> Any:
        values = [None if each is None else load(each.encode()) for each in texts.to_pylist()]
        try:
            return pa.array(values, type=kind)
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise InputError(
                f"An array in {column.name!r} has no form in Arrow", hint="Cast the column to text in the query."
            ) from error

    return Reading(pa.string(), kind, convert)


def _unhexed(texts: Any) -> Any:
    """bytea in its hexadecimal form as bytes, all in one pass."""
    bare = pa.concat_arrays([pc.utf8_slice_codeunits(pc.fill_null(texts, ""), 2)])
    data = bare.buffers()[2]
    packed = b"" if data is None else bytes.fromhex(data.to_pybytes().decode("ascii"))
    ends = pc.cumulative_sum(pc.divide(pc.binary_length(bare), 2)).to_pylist()
    offsets = pa.array([0, *ends], pa.int32())
    made = pa.Array.from_buffers(pa.binary(), len(bare), [None, offsets.buffers()[1], pa.py_buffer(packed)])
    return made if texts.null_count == 0 else pc.if_else(texts.is_valid(), made, None)
