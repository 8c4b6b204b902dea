"""Which Arrow type fits which column, what is sent for it, and how a batch is brought into that form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from freehold.errors import InputError
from freehold.runtime.bulk.target import Column

UUID_BYTES = 16
UUID_DIGITS = 32
Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Fit:
    """How one Arrow column reaches its PostgreSQL column.

    Parameters
    ----------
    arrow
        The Arrow type that is encoded.
    sent
        The PostgreSQL type that arrives, where it is not the column's own: a stage holds it and the server casts it.
    """

    column: Column
    arrow: Any
    convert: Convert
    sent: str = ""
    jsonb: bool = False


def fit(column: Column, kind: Any) -> Fit:
    """Judge a field by its type.

    Raises InputError, which names the column, where values could be lost or cannot be understood.
    """
    inner = _plain(kind)
    found = _array(column, inner) if column.element else _scalar(column, inner)
    if found is None:
        raise InputError(
            f"The column {column.name!r} is {column.written}, and values of Arrow type {kind} do not fit it",
            hint=_HINTS.get(column.type, "Cast it before, or give it as text."),
        )
    return found


def converted(this: Fit, array: Any, rows: str) -> Any:
    """An array as it is sent.

    Raises InputError, which names the column and not the value, where a value does not fit.
    """
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if pa.types.is_dictionary(array.type):
        array = _decoded(array)
    try:
        return this.convert(array)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError) as error:
        raise InputError(
            f"A value for the column {this.column.name!r} does not fit {this.column.written}",
            detail=f"In {rows}.",
            hint="Correct or leave out the value; nothing of the rows is stored.",
        ) from error


def _decoded(array: Any) -> Any:
    values = array.dictionary
    if pa.types.is_string_view(values.type):
        # What polars' categoricals are made of; pyarrow cannot take from it.
        values = values.cast(pa.string())
    return values.take(array.indices)


_HINTS = {
    "numeric": "Floats are inexact, and digits beyond the column's scale are lost: cast to a decimal of its scale.",
    "float4": "A double would lose digits: cast it to a single-precision float.",
    "timestamp": "It has no time zone: convert to local time and drop the zone.",
    "timestamptz": "A time without zone does not say when: give it a zone first.",
}


def _plain(kind: Any) -> Any:
    if isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _cast(target: Any, array: Any) -> Any:
    return array if array.type == target else array.cast(target)


def _as(column: Column, target: Any, **more: Any) -> Fit:
    return Fit(column, target, partial(_cast, target), **more)


def _is_text(kind: Any) -> bool:
    return any(test(kind) for test in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view))


def _is_binary(kind: Any) -> bool:
    return any(test(kind) for test in (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view))


def _scalar(column: Column, kind: Any) -> Fit | None:
    if column.type in _BY_TEXT and _is_text(kind):
        return _as(column, kind, sent="text")
    if column.type in _FITTING:
        wanted = _FITTING[column.type](column, kind)
        return None if wanted is None else _as(column, wanted)
    if column.type == "uuid":
        return _uuid(column, kind)
    if column.type == "jsonb" and (_is_text(kind) or pa.types.is_null(kind)):
        return _as(column, pa.string(), jsonb=True)
    if _is_text(kind) or pa.types.is_null(kind):
        # The text is read by the server: in binary COPY where the type is text there, else by a cast.
        as_it_is = column.enumerated or column.type in _TEXTS
        target = kind if _is_text(kind) else pa.string()
        return _as(column, target, sent="" if as_it_is else "text")
    return None


def _array(column: Column, kind: Any) -> Fit | None:
    if pa.types.is_null(kind) or _is_text(kind):
        # An array as PostgreSQL writes it: {1,2}.
        return _as(column, pa.string(), sent="text")
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
        return None
    element = _plain(kind.value_type)
    if column.element in _ELEMENTS:
        wanted = _FITTING[column.element](column, element)
        return None if wanted is None else _as(column, pa.list_(wanted))
    if _is_text(element):
        return _as(column, pa.list_(pa.string()), sent="" if column.element == "text" else "text[]")
    return None


def _integer(target: Any, column: Column, kind: Any) -> Any:
    return target if pa.types.is_integer(kind) or pa.types.is_null(kind) else None


def _exactly(target: Any, test: Callable[[Any], bool], column: Column, kind: Any) -> Any:
    return target if test(kind) or pa.types.is_null(kind) else None


def _single(column: Column, kind: Any) -> Any:
    return pa.float32() if (pa.types.is_floating(kind) and kind != pa.float64()) or pa.types.is_null(kind) else None


def _double(column: Column, kind: Any) -> Any:
    small = pa.types.is_integer(kind) and kind.bit_width <= 32
    return pa.float64() if small or pa.types.is_floating(kind) or pa.types.is_null(kind) else None


def _decimal(column: Column, kind: Any) -> Any:
    if pa.types.is_null(kind):
        return pa.decimal128(38, 0)
    if pa.types.is_integer(kind):
        return pa.decimal128(20, 0)
    if not pa.types.is_decimal(kind) or (column.scale is not None and kind.scale > column.scale):
        return None
    return pa.decimal128(38, kind.scale) if pa.types.is_decimal256(kind) else kind


def _timestamp(zoned: bool, column: Column, kind: Any) -> Any:
    if pa.types.is_null(kind):
        return pa.timestamp("us", "UTC" if zoned else None)
    if not pa.types.is_timestamp(kind) or (kind.tz is not None) is not zoned:
        return None
    return pa.timestamp("us", kind.tz)


def _bytes(column: Column, kind: Any) -> Any:
    if pa.types.is_fixed_size_binary(kind):
        return kind
    return pa.binary() if _is_binary(kind) or pa.types.is_null(kind) else None


_FITTING: dict[str, Callable[[Column, Any], Any]] = {
    "bool": partial(_exactly, pa.bool_(), pa.types.is_boolean),
    "int2": partial(_integer, pa.int16()),
    "int4": partial(_integer, pa.int32()),
    "int8": partial(_integer, pa.int64()),
    "float4": _single,
    "float8": _double,
    "numeric": _decimal,
    "date": partial(_exactly, pa.date32(), pa.types.is_date),
    "time": partial(_exactly, pa.time64("us"), pa.types.is_time),
    "timestamp": partial(_timestamp, False),
    "timestamptz": partial(_timestamp, True),
    "interval": partial(_exactly, pa.duration("us"), pa.types.is_duration),
    "bytea": _bytes,
}
_BY_TEXT = frozenset({"numeric", "interval"})
"""Types that Arrow holds in part; a column of any precision, or of months and days, comes and goes as text."""
_TEXTS = frozenset({"text", "varchar", "bpchar", "name", "citext", "json"})
_ELEMENTS = frozenset(_FITTING) - {"timestamptz"}
"""Arrays name the type of their members on the wire, and there is no such name for a time with zone in pgpq."""


def _uuid(column: Column, kind: Any) -> Fit | None:
    if _is_text(kind):
        return Fit(column, pa.binary(UUID_BYTES), _uuids)
    if pa.types.is_null(kind) or kind == pa.binary(UUID_BYTES):
        return _as(column, pa.binary(UUID_BYTES))
    return None


def _uuids(texts: Any) -> Any:
    """Texts of UUIDs as sixteen bytes each, all in one pass: a million take a second, not ten."""
    filled = pc.fill_null(texts.cast(pa.string()), "0" * UUID_DIGITS)
    bare = pa.concat_arrays([pc.replace_substring(filled, "-", "")])
    if not pc.all(pc.equal(pc.binary_length(bare), UUID_DIGITS), min_count=0).as_py():
        raise ValueError("a UUID has 32 digits")
    data = bare.buffers()[2]
    digits = b"" if data is None else data.to_pybytes()[: UUID_DIGITS * len(bare)]
    packed = bytes.fromhex(digits.decode("ascii"))
    if len(packed) != UUID_BYTES * len(bare):
        raise ValueError("a UUID has 32 digits")
    made = pa.Array.from_buffers(pa.binary(UUID_BYTES), len(bare), [None, pa.py_buffer(packed)])
    return made if texts.null_count == 0 else pc.if_else(texts.is_valid(), made, None)
