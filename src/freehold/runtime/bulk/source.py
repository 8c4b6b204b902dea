"""What rows can come from: Python values, mappings, blocks of COPY's text format, Arrow data."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from itertools import chain, islice
from typing import Any, Protocol

from freehold.errors import InputError, PackageMissing
from freehold.runtime.bulk.target import Target
from freehold.runtime.bulk.wire import Item, Wire

CHUNK = 1000
"""Rows of Python values sent in one step."""


class ArrowStream(Protocol):
    """Arrow data, by its C interface."""

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """A capsule of the stream."""


class LazyFrame(Protocol):
    """A query that gives its result in frames, as polars' does."""

    def collect_batches(self) -> Iterator[Any]:
        """The frames."""


Rows = Iterable[Any] | AsyncIterable[Any] | ArrowStream | LazyFrame
"""Sequences or mappings of values, blocks of bytes, or Arrow data."""


class Source(Protocol):
    """Rows on their way to a table."""

    binary: bool
    names: Sequence[str]

    def prepare(self, target: Target) -> dict[str, str]:
        """Judge what can be judged before anything is sent; gives the types sent that are not the column's own."""

    def items(self) -> Iterable[Item]:
        """What COPY is fed with."""


def source_of(wire: Wire, rows: Any, columns: Sequence[str] | None) -> Source:
    """The source that fits what was given.

    Raises InputError where the columns of sequences or blocks are not named, and PackageMissing for Arrow data without
    the extra ``freehold[arrow]``.
    """
    if _is_arrow(rows):
        return _arrow(rows, columns)
    iterator = wire.steps(rows) if isinstance(rows, AsyncIterable) else iter(rows)
    first = next(iterator, None)
    if first is None:
        return RowSource(columns or (), ())
    every = chain([first], iterator)
    if isinstance(first, bytes):
        return BlockSource(_named(columns), every)
    if _is_arrow(first):
        return _arrow(every, columns)
    if isinstance(first, Mapping):
        names = tuple(first) if columns is None else tuple(columns)
        return RowSource(names, (_values(names, row) for row in every))
    return RowSource(_named(columns), every)


class RowSource:
    """Rows of Python values; psycopg's adapters write them as text, and the server reads them."""

    binary = False

    def __init__(self, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        self.names: Sequence[str] = tuple(names)
        self._rows = rows

    def prepare(self, target: Target) -> dict[str, str]:
        """Judge the names of the columns."""
        target.chosen(self.names)
        return {}

    def items(self) -> Iterator[Sequence[Sequence[Any]]]:
        """Some rows at a time."""
        iterator, done, width = iter(self._rows), 0, len(self.names)
        while chunk := list(islice(iterator, CHUNK)):
            for number, row in enumerate(chunk, start=done + 1):
                if len(row) != width:
                    raise InputError(
                        f"Row {number} has {len(row)} values for {width} columns",
                        hint="Give a value a column; None is NULL.",
                    )
            yield chunk
            done += len(chunk)


class BlockSource:
    """Blocks of bytes in COPY's text format."""

    binary = False

    def __init__(self, names: Sequence[str], blocks: Iterable[bytes]) -> None:
        self.names: Sequence[str] = tuple(names)
        self._blocks = blocks

    def prepare(self, target: Target) -> dict[str, str]:
        """Judge the names of the columns."""
        target.chosen(self.names)
        return {}

    def items(self) -> Iterable[bytes]:
        """The blocks as they came."""
        return self._blocks


def _named(columns: Sequence[str] | None) -> Sequence[str]:
    if columns is None:
        raise InputError(
            "The columns of the rows are not named",
            hint="Name them, or give mappings or Arrow data, which bring their names along.",
        )
    return columns


def _values(names: Sequence[str], row: Mapping[str, Any]) -> Sequence[Any]:
    if len(row) != len(names):
        raise InputError(
            f"A row has other columns than the first: {sorted(row)}, not {sorted(names)}",
            hint="Name the same columns in each.",
        )
    try:
        return [row[name] for name in names]
    except KeyError as error:
        raise InputError(
            f"A row has no column {error.args[0]!r}", hint="Every row names the columns of the first."
        ) from None


def _is_arrow(data: Any) -> bool:
    return any(hasattr(data, name) for name in ("__arrow_c_stream__", "__arrow_c_array__", "collect_batches"))


def _arrow(data: Any, columns: Sequence[str] | None) -> Source:
    source: Source = arrow_module("arrow").ArrowSource(data, columns)
    return source


def arrow_module(name: str) -> Any:
    """A module of this package that needs the extra.

    Raises PackageMissing where pyarrow or pgpq is not installed.
    """
    try:
        return import_module(f"freehold.runtime.bulk.{name}")
    except ModuleNotFoundError as error:
        raise PackageMissing(
            f"Arrow data needs the package {error.name}", hint="Install the extra: pip install 'freehold[arrow]'."
        ) from error
