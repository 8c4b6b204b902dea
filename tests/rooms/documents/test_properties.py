"""Whatever schema and documents Hypothesis draws, the database and the jsonschema library agree on each pair."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from freehold.testing.database import Database
from tests.rooms.building import Connection

from .judge import allowed, expected

SCHEMAS, DOCUMENTS = 200, 20

names = st.sampled_from(["a", "b", "ab", "c/d", "~", "é", "日", "a'b", "x%s", "{}"])
texts = st.one_of(names, st.text(st.sampled_from("abcé😀-09 _\n'\"\\"), max_size=5))
numbers = st.one_of(
    st.integers(-5, 5),
    st.sampled_from([0.0, -0.0, 1.0, 0.5, -2.5, 2.0**70, 1e20, 10**25, -(10**25)]),
)
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
documents = st.recursive(
    scalars, lambda of: st.one_of(st.lists(of, max_size=4), st.dictionaries(names, of, max_size=4)), max_leaves=8
)
patterns = st.sampled_from(
    ["^a", "b$", "^[a-c]+$", r"\d", r"^\w*$", "^.$", "a|b", "^(?:ab|[^a-z])", r"^[\w'-]{1,3}$", "é"]
)
sizes = st.integers(0, 4)
bounds = st.one_of(st.integers(-3, 3), st.sampled_from([0.5, 1.0, 1e20]))
types = st.sampled_from(["null", "boolean", "object", "array", "number", "string", "integer"])


def _optional(**keywords: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=keywords).filter(bool)


def _plain() -> st.SearchStrategy[dict[str, Any]]:
    needed = st.lists(names, max_size=2, unique=True)
    return st.one_of(
        _optional(type=st.one_of(types, st.lists(types, min_size=1, max_size=3, unique=True))),
        _optional(enum=st.lists(documents, min_size=1, max_size=4)),
        st.builds(lambda value: {"const": value}, documents),
        _optional(minLength=sizes, maxLength=sizes, pattern=patterns),
        _optional(minimum=bounds, maximum=bounds, exclusiveMinimum=bounds, exclusiveMaximum=bounds),
        st.builds(lambda of: {"multipleOf": of}, st.sampled_from([1, 2, 3, 0.5, 2.0])),
        _optional(required=needed, minProperties=sizes, maxProperties=sizes),
        _optional(dependentRequired=st.dictionaries(names, needed, max_size=2)),
        _optional(minItems=sizes, maxItems=sizes, uniqueItems=st.booleans()),
        _optional(format=st.sampled_from(["date", "ipv4", "ipv6", "uuid"])),
    )


def _composed(of: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    some = st.lists(of, min_size=1, max_size=3)
    by_name = st.dictionaries(names, of, max_size=3)
    objects = {"properties": by_name, "additionalProperties": of, "propertyNames": of}
    objects |= {"patternProperties": st.dictionaries(patterns, of, max_size=2), "dependentSchemas": by_name}
    arrays = {"prefixItems": some, "items": of, "contains": of, "minContains": sizes, "maxContains": sizes}
    logic = {"allOf": some, "anyOf": some, "oneOf": some, "not": of, "if": of, "then": of, "else": of}
    return st.one_of(_optional(**objects), _optional(**arrays), _optional(**logic))


below = st.sampled_from([{"$ref": "#/$defs/one"}, {"$ref": "#/$defs/two"}, {"$ref": "#"}])


def _referring() -> st.SearchStrategy[Any]:
    """References from below alone, so that none comes back to the same value."""
    return _optional(properties=st.dictionaries(names, below, max_size=2), items=below, additionalProperties=below)


nodes = st.recursive(st.one_of(st.booleans(), _plain()), _composed, max_leaves=6)


@st.composite
def schemas(draw: st.DrawFn) -> dict[str, Any]:
    """A root with two named schemas that refer to each other and to the root."""
    root = draw(nodes.filter(lambda node: isinstance(node, dict)))
    return {**root, **draw(_referring()), "$defs": {"one": draw(_referring()), "two": draw(nodes)}}


@st.composite
def batches(draw: st.DrawFn) -> list[Any]:
    """Documents for one statement."""
    return draw(st.lists(documents, min_size=DOCUMENTS, max_size=DOCUMENTS))


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with database.connect(autocommit=True) as made:
        yield made


# What a recursive strategy looks like in words is long, and nobody asks for it.
@pytest.mark.filterwarnings("ignore:Generating overly large repr")
def test_the_database_and_the_library_agree(connection: Connection) -> None:
    seen = {True: 0, False: 0}

    @settings(
        max_examples=SCHEMAS, deadline=None, suppress_health_check=list(HealthCheck), database=None, derandomize=True
    )
    @given(schema=schemas(), drawn=batches())
    def agree(schema: Any, drawn: list[Any]) -> None:
        wanted = expected(schema, drawn)
        found = allowed(connection, schema, drawn)
        differing = [(json.dumps(d), w) for d, w, f in zip(drawn, wanted, found, strict=True) if w is not f]
        assert differing == [], json.dumps(schema)
        for verdict in wanted:
            seen[verdict] += 1

    agree()
    assert sum(seen.values()) >= 2000
    assert min(seen.values()) >= 300
