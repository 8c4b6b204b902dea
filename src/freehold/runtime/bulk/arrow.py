"""Arrow data of any maker as blocks of binary COPY, in slices, so that memory stays bound."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import pgpq
import pgpq.encoders
import pgpq.schema
import pyarrow as pa

from freehold.errors import InputError
from freehold.runtime.bulk.fit import Fit, converted, fit
from freehold.runtime.bulk.target import Target

SLICE = 50_000
"""Rows encoded at once; measured best."""


class ArrowSource:
    """Batches of one schema, on their way to a table."""

    binary = True

    def __init__(self, data: Any, names: Sequence[str] | None) -> None:
        self._schema, self._batches = _opened(data)
        self.names: Sequence[str] = tuple(self._schema.names if names is None else names)
        self._fits: list[Fit] = []

    def prepare(self, target: Target) -> dict[str, str]:
        """Judge every field; gives the type that is sent for each column where it is not the column's own."""
        self._fits = []
        for column in target.chosen(self.names):
            positions = self._schema.get_all_field_indices(column.name)
            if len(positions) != 1:
                raise InputError(
                    f"The Arrow data has {len(positions)} fields called {column.name!r}", hint="Rename all but one."
                )
            self._fits.append(fit(column, self._schema.field(positions[0]).type))
        return {each.column.name: each.sent for each in self._fits if each.sent}

    def items(self) -> Iterator[bytes]:
        """The blocks; nothing is held but the slice under way."""
        schema = pa.schema([pa.field(each.column.name, each.arrow) for each in self._fits])
        encoder = pgpq.ArrowToPostgresBinaryEncoder.new_with_encoders(
            schema, {each.column.name: _encoder(each, schema.field(each.column.name)) for each in self._fits}
        )
        yield encoder.write_header()
        done = 0
        for batch in self._batches:
            for start in range(0, batch.num_rows, SLICE):
                part = batch.slice(start, SLICE)
                rows = f"rows {done + 1} to {done + part.num_rows}"
                arrays = [converted(each, part.column(each.column.name), rows) for each in self._fits]
                yield encoder.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))
                done += part.num_rows
        yield encoder.finish()


def _encoder(this: Fit, field: Any) -> Any:
    if this.jsonb:
        return pgpq.encoders.StringEncoderBuilder.new_with_output(field, pgpq.schema.Jsonb())
    return pgpq.ArrowToPostgresBinaryEncoder.infer_encoder(field)


def _opened(data: Any) -> tuple[Any, Iterable[Any]]:
    if hasattr(data, "collect_batches"):
        return _lazy(data)
    if hasattr(data, "__arrow_c_stream__"):
        reader = pa.RecordBatchReader.from_stream(data)
        return reader.schema, reader
    if hasattr(data, "__arrow_c_array__"):
        batch = pa.record_batch(data)
        return batch.schema, [batch]
    return _several(iter(data), lambda: None)


def _lazy(frame: Any) -> tuple[Any, Iterable[Any]]:
    """A polars LazyFrame, batch by batch; an empty result still has its schema."""
    return _several(iter(frame.collect_batches(chunk_size=SLICE)), frame.collect_schema().to_frame)


def _several(parts: Iterator[Any], none: Callable[[], Any]) -> tuple[Any, Iterable[Any]]:
    """Frames or batches of one schema, one after the other."""
    first = next(parts, None)
    schema, batches = _opened(none() if first is None else first)
    return schema, chain(batches, (batch for part in parts for batch in _same(schema, part)))


def _same(schema: Any, part: Any) -> Iterable[Any]:
    found, batches = _opened(part)
    if not found.equals(schema):
        raise InputError(
            "The parts of the Arrow data differ in their schema",
            detail=f"{schema}\nand\n{found}",
            hint="Cast them to one schema.",
        )
    return batches
