"""Enums, domains and sequences as variables of the models' module."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from freehold.adopt.naming import Names, variable_name
from freehold.adopt.parse import bracketed, parts_of, peeled
from freehold.adopt.source import Node, Text, call, written
from freehold.adopt.types import Typed, typed
from freehold.adopt.ways import Way, Ways
from freehold.kernel.metadata_types import HIGHEST
from freehold.kernel.objects import Column, Domain, Enum, Sequence
from freehold.kernel.stable import stable


@dataclass(frozen=True)
class Kinds:
    """The lines that make the types, and the types by the catalog's text for them."""

    lines: tuple[str, ...]
    own: Mapping[str, Typed]


def write_kinds(ways: Ways, names: Names) -> Kinds:
    """Every enum and domain that a column has; one that no column has is left to the layer."""
    texts = {parts_of(text): text for text in _column_types(ways)}
    lines: list[str] = []
    own: dict[str, Typed] = {}
    for item in sorted(_types(ways), key=lambda item: (item.rank, item.name)):
        text = texts.get(item.name)
        if text is None or (isinstance(item, Domain) and len(item.checks) > 1):
            ways.chosen[item.key] = Way.EXTRA
            continue
        name = names.give(variable_name(item.type_name), variable_name(f"{item.schema}_{item.type_name}"))
        found = _enum(item) if isinstance(item, Enum) else _domain(item, own)
        lines.append(written(found.sqlalchemy, 0, f"{name} = "))
        own[text] = replace(found, sqlalchemy=name)
    return Kinds(tuple(lines), own)


def _types(ways: Ways) -> Iterator[Enum | Domain]:
    for key, item in ways.catalog.objects.items():
        if isinstance(item, Enum | Domain) and ways.of(key) is Way.MODEL:
            yield item


def _column_types(ways: Ways) -> Iterator[str]:
    """What the columns of models have for types, arrays' items too."""
    for key, item in ways.catalog.objects.items():
        if isinstance(item, Column) and ways.of(key) is Way.MODEL and ways.told(item.table_key):
            yield item.type.removesuffix("[]")


def _enum(item: Enum) -> Typed:
    labels = map(Text, item.labels)
    return Typed("str", call("postgresql.ENUM", *labels, name=Text(item.type_name), schema=Text(item.schema)))


def _domain(item: Domain, own: Mapping[str, Typed]) -> Typed:
    base = typed(item.base, own)
    named: dict[str, Node | None] = {"schema": Text(item.schema)}
    if item.default:
        named["default"] = Text(stable(item.default))
    if item.not_null:
        named["not_null"] = "True"
    for name, check in item.checks:
        named |= {
            "constraint_name": Text(name),
            "check": Text(stable(peeled(bracketed(check.removeprefix("CHECK "))[0]))),
        }
    return Typed(base.python, call("postgresql.DOMAIN", Text(item.type_name), base.sqlalchemy, **named))


def sequence_line(item: Sequence, name: str, schema: str) -> str:
    """The line that makes a sequence; ``schema`` is the one that the metadata gives by itself."""
    rising = item.increment > 0
    lowest, highest = (1, HIGHEST[item.type]) if rising else (-HIGHEST[item.type] - 1, -1)
    first = item.minimum if rising else item.maximum
    types = {"smallint": "sa.SmallInteger", "integer": "sa.Integer"}
    made = call(
        "sa.Sequence",
        Text(item.sequence),
        data_type=types.get(item.type),
        start=None if item.start == first else str(item.start),
        increment=None if item.increment == 1 else str(item.increment),
        minvalue=None if item.minimum == lowest else str(item.minimum),
        maxvalue=None if item.maximum == highest else str(item.maximum),
        cache=None if item.cache == 1 else str(item.cache),
        cycle="True" if item.cycle else None,
        schema=None if item.schema == (schema or "public") else Text(item.schema),
        metadata="Base.metadata",
    )
    return written(made, 0, f"{name} = ")
