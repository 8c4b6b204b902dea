"""A JSON Schema (draft 2020-12) taken apart: what is supported is kept, everything else is refused by name."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from freehold.errors import DeclarationError
from freehold.rooms.documents.formats import FORMATS
from freehold.rooms.documents.patterns import translate

Node = bool | Mapping[str, Any]
TYPES = frozenset({"null", "boolean", "object", "array", "number", "string", "integer"})
IN_PLACE_ONE = ("not", "if", "then", "else")
IN_PLACE_MANY = ("allOf", "anyOf", "oneOf")
BELOW_ONE = ("additionalProperties", "propertyNames", "items", "contains")
BELOW_MAP = ("properties", "patternProperties")
SIZES = frozenset(
    {
        "minProperties",
        "maxProperties",
        "minItems",
        "maxItems",
        "minContains",
        "maxContains",
        "minLength",
        "maxLength",
    }
)
NUMBERS = frozenset(
    {
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
    }
)
PLAIN = SIZES | NUMBERS | {"type", "enum", "const", "required", "dependentRequired", "uniqueItems", "pattern"}
ANNOTATIONS = frozenset(
    {
        "title",
        "description",
        "default",
        "examples",
        "deprecated",
        "readOnly",
        "writeOnly",
        "$comment",
        "$schema",
        "$defs",
        "definitions",
        "discriminator",
        "contentEncoding",
        "contentMediaType",
        "contentSchema",
    }
)
SUPPORTED = (
    PLAIN
    | ANNOTATIONS
    | {"$ref", "format", "prefixItems", "dependentSchemas"}
    | frozenset(IN_PLACE_ONE)
    | frozenset(IN_PLACE_MANY)
    | frozenset(BELOW_ONE)
    | frozenset(BELOW_MAP)
)


@dataclass(frozen=True)
class Schema:
    """The schemas that a document's schema is made of, the root's under ``#``."""

    named: Mapping[str, Node] = field(default_factory=dict)


def schema_of(source: Any) -> Schema:
    """Take a schema apart: a mapping, a boolean or a pydantic model class.

    Raises
    ------
    DeclarationError
        It is neither, or uses what is not supported; the error names the place and the keyword.
    """
    describe = getattr(source, "model_json_schema", None)
    root = describe() if isinstance(source, type) and describe else source
    if not isinstance(root, bool | Mapping):
        raise DeclarationError(
            f"{type(source).__name__} is not a JSON Schema",
            hint="Give a mapping as JSON Schema draft 2020-12 writes it, or a pydantic model class.",
        )
    _refuse_unstorable(root, "#")
    named: dict[str, Node] = {"#": root}
    if isinstance(root, Mapping):
        for group in ("$defs", "definitions"):
            named |= {f"#/{group}/{_escaped(name)}": node for name, node in root.get(group, {}).items()}
    for place, node in named.items():
        _check(node, place, named)
    _refuse_circles(named)
    return Schema(named)


def constant(value: Any) -> str:
    """A JSON value as text."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _refused(place: str, what: str, hint: str = "") -> DeclarationError:
    return DeclarationError(f"The document's schema at {place}: {what}", hint=hint or "Write the schema without it.")


def _refuse_unstorable(value: Any, place: str) -> None:
    """What jsonb cannot hold: the character NUL, half a surrogate pair, a number that is not finite."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            if not isinstance(name, str):
                raise _refused(place, f"the key {name!r} is no text")
            _refuse_unstorable(name, place)
            _refuse_unstorable(item, f"{place}/{_escaped(name)}")
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            _refuse_unstorable(item, f"{place}/{number}")
    elif isinstance(value, str):
        if any(sign == "\0" or "\ud800" <= sign <= "\udfff" for sign in value):
            raise _refused(place, "a text holds a character that jsonb does not store")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise _refused(place, "a number is not finite")
    elif value is not None and not isinstance(value, bool | int):
        raise _refused(place, f"{type(value).__name__} is no JSON type")


def _check(node: Any, place: str, named: Mapping[str, Node]) -> None:
    if isinstance(node, bool):
        return
    if not isinstance(node, Mapping):
        raise _refused(place, "a schema is an object or a boolean")
    for keyword, value in node.items():
        if keyword not in SUPPORTED:
            raise _refused(place, f"the keyword {keyword} is not supported, or misspelt, and would check nothing")
        _check_value(keyword, value, f"{place}/{keyword}", named)
    for below, child in children(node):
        _check(child, f"{place}/{below}", named)


def _check_value(keyword: str, value: Any, place: str, named: Mapping[str, Node]) -> None:
    if keyword == "$ref" and value not in named:
        raise _refused(place, f"the reference {value!r} leads to neither # nor #/$defs/<name>")
    if keyword == "format" and value not in FORMATS:
        raise _refused(place, f"the format {value!r} is not supported", f"Use one of {', '.join(sorted(FORMATS))}.")
    if keyword == "type":
        kinds = [value] if isinstance(value, str) else value
        if not isinstance(kinds, list | tuple) or not kinds or not TYPES.issuperset(kinds):
            raise _refused(place, f"{value!r} is no type")
    if keyword == "pattern":
        translate(_text(value, place))
    if keyword == "patternProperties":
        for pattern in _mapping(value, place):
            translate(pattern)
    _check_shape(keyword, value, place)


def _check_shape(keyword: str, value: Any, place: str) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if keyword in SIZES and not (number and value >= 0 and value == int(value)):
        raise _refused(place, "it needs a whole number from 0 on")
    if keyword in NUMBERS and (not number or (keyword == "multipleOf" and value <= 0)):
        raise _refused(place, "it needs a number, and multipleOf one above 0")
    if keyword == "enum" and (not isinstance(value, list | tuple) or not value):
        raise _refused(place, "it needs a list of values")
    if keyword == "required":
        _texts(value, place)
    if keyword == "uniqueItems" and not isinstance(value, bool):
        raise _refused(place, "it needs true or false")
    if keyword == "dependentRequired":
        for name, needed in _mapping(value, place).items():
            _texts(needed, f"{place}/{name}")
    if keyword in {*BELOW_MAP, "dependentSchemas", "$defs", "definitions"}:
        _mapping(value, place)
    if keyword in {*IN_PLACE_MANY, "prefixItems"} and (not isinstance(value, list | tuple) or not value):
        raise _refused(place, "it needs a list of schemas")


def _text(value: Any, place: str) -> str:
    if not isinstance(value, str):
        raise _refused(place, "it needs a text")
    return value


def _texts(value: Any, place: str) -> None:
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise _refused(place, "it needs a list of names")


def _mapping(value: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _refused(place, "it needs an object")
    return value


def children(node: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The subschemas of a schema, with where they stand; named ones are not among them."""
    yield from in_place(node)
    for keyword in BELOW_ONE:
        if keyword in node:
            yield keyword, node[keyword]
    for keyword in BELOW_MAP:
        for name, child in node.get(keyword, {}).items():
            yield f"{keyword}/{_escaped(name)}", child
    for number, child in enumerate(node.get("prefixItems", ())):
        yield f"prefixItems/{number}", child


def in_place(node: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The subschemas that judge the same value."""
    for keyword in IN_PLACE_ONE:
        if keyword in node:
            yield keyword, node[keyword]
    for keyword in IN_PLACE_MANY:
        for number, child in enumerate(node.get(keyword, ())):
            yield f"{keyword}/{number}", child
    for name, child in node.get("dependentSchemas", {}).items():
        yield f"dependentSchemas/{_escaped(name)}", child


def _refuse_circles(named: Mapping[str, Node]) -> None:
    """References that come back to themselves without going down into the value would never end."""
    leads = {name: set(_same_value(node)) for name, node in named.items()}
    for name in named:
        seen: set[str] = set()
        ahead = set(leads[name])
        while ahead:
            if name in ahead:
                raise _refused(name, "it refers to itself for the same value, and would never end")
            seen |= ahead
            ahead = {far for near in ahead for far in leads[near]} - seen


def _same_value(node: Node) -> Iterator[str]:
    if isinstance(node, Mapping):
        if "$ref" in node:
            yield node["$ref"]
        for _, child in in_place(node):
            yield from _same_value(child)
