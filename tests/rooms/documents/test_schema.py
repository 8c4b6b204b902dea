"""The well-known hard cases of JSON Schema, the formats, the patterns, and what is refused by name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from freehold.errors import DeclarationError
from freehold.rooms.documents.functions import DEEPEST
from freehold.rooms.documents.patterns import translate
from freehold.rooms.documents.schema import schema_of
from freehold.testing.database import Database
from tests.rooms.building import Connection

from .judge import allowed, judged
from .layer import Line


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with database.connect(autocommit=True) as made:
        yield made


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "integer"}, ["1", "1.0", "-0", "-0.0", "1e400", "12345678901234567890123"], ["1.5", '"1"', "true"]),
        ({"const": 0}, ["-0", "0.0", "0e9"], ["false", "null"]),
        ({"maximum": 9007199254740992}, ["9007199254740992.0", '"x"'], ["9007199254740993", "1e400"]),
        ({"multipleOf": 0.01}, ["0.07", "4.35", "1e30"], ["0.075"]),
        ({"maxLength": 1}, ['"😀"', '"\\ud83d\\ude00"', '""'], ['"e\\u0301"']),
        ({"uniqueItems": True}, ['[1, true, "1", [1]]', "[]"], ["[1, 1.0]", '[{"a": 1, "b": 2}, {"b": 2.0, "a": 1}]']),
        ({"enum": [[None], {"a": None}]}, ["[null]", '{"a": null}'], ["null", "{}", "[]"]),
        ({"type": ["number", "integer"]}, ["1.5"], ["null"]),
        ({"not": {}}, [], ["1", "null"]),
        (False, [], ["1"]),
        ({}, ["null"], []),
        ({"properties": {"a/b": False, "~": {"type": "null"}}}, ['{"~": null}'], ['{"a/b": 1}', '{"~": 1}']),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else None,
)
def test_hard_cases(connection: Connection, schema: Any, good: list[str], bad: list[str]) -> None:
    found = judged(connection, schema, [*good, *bad])
    assert [violation is None for violation in found] == [True] * len(good) + [False] * len(bad)


def test_pointers_are_escaped(connection: Connection) -> None:
    schema = {"properties": {"a/b": False, "~": {"items": {"type": "null"}}}, "required": ["x"]}
    found = judged(connection, schema, ['{"x": 1, "a/b": 1}', '{"x": 1, "~": [null, 1]}', "{}"])
    assert found == ["/a~1b false", "/~0/1 type", "/x required"]


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        (
            "uuid",
            ["2eb8aa08-aa98-11ea-b4aa-73b441d16380"],
            ["2eb8aa08aa9811eab4aa73b441d16380", "", "2eb8aa08-aa98-11ea-b4aa-73b441d1638\n"],
        ),
        (
            "date",
            ["2024-02-29", "2000-02-29", "1999-12-31"],
            ["2023-02-29", "1900-02-29", "2024-04-31", "2024-1-1", "24-01-01"],
        ),
        (
            "time",
            ["08:30:06Z", "08:30:06.283185+02:00", "23:59:60Z"],
            ["08:30:06", "24:00:00Z", "22:59:60Z", "08:30:06+24:00"],
        ),
        (
            "date-time",
            ["1963-06-19T08:30:06.283185Z", "1990-12-31t23:59:59z"],
            ["1963-06-19 08:30:06Z", "1990-02-31T15:59:59Z"],
        ),
        (
            "email",
            ["joe.bloggs@example.com", "a+b@x", "~@example.com"],
            ["2962", ".a@x.org", "a..b@x.org", "a@", "a@-x.org"],
        ),
        (
            "uri",
            ["http://a.b/c?d#e", "urn:isbn:1", "ldap://[2001:db8::7]/c=GB", "mailto:a@b"],
            ["//a.b", "/c", "http://a b", "http://a\\b", "http:// x"],
        ),
        ("ipv4", ["0.0.0.0", "255.255.255.255"], ["256.1.1.1", "1.1.1", "01.1.1.1", "1.1.1.1.1"]),
        (
            "ipv6",
            ["::", "::1", "1::", "1:2:3:4:5:6:7:8", "1::8", "::ffff:1.2.3.4", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8"],
            ["1:2:3", ":::", "1::2::3", "12345::", "1:2:3:4:5:6:7:8:9", "::1.2.3", "1:2:3:4:5:6:7:8::"],
        ),
    ],
)
def test_formats(connection: Connection, name: str, good: list[str], bad: list[str]) -> None:
    assert allowed(connection, {"format": name}, [*good, *bad, 1]) == [True] * len(good) + [False] * len(bad) + [True]


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("^.$", ["a", "é"], ["\n", "\u2028", "ab"]),
        ("a$", ["a"], ["a\n", "a\nb"]),
        (r"^\d+$", ["12"], ["١٢"]),
        (r"^\w$", ["a", "_"], ["é", "ß"]),
        (r"^\s$", ["\u00a0", "\ufeff", " "], ["x"]),
        (r"^[\]\-^:]+$", ["]-^:"], ["["]),
        (r"^[[:alpha:]\]$", ["a]", ":]"], ["z"]),
        (r"^(?!ab)(?:a|b)+$", ["ba", "a"], ["ab", "abb"]),
        (r"^(?!^[-+.]*$)[+-]?0*\d*\.?\d*$", ["1.50", "-7", ".5"], ["-", "", "+.", "x"]),
        (r"^\u00e9\x41\u{1F600}$", ["éA😀"], ["eA"]),
        ("^a{2,3}?$", ["aa", "aaa"], ["a", "aaaa"]),
    ],
)
def test_patterns(connection: Connection, pattern: str, good: list[str], bad: list[str]) -> None:
    assert allowed(connection, {"pattern": pattern}, [*good, *bad]) == [True] * len(good) + [False] * len(bad)


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a)\1",
        r"\bx",
        "(?<=a)b",
        "(?<!a)b",
        r"\p{L}",
        "(?i)a",
        "a{256}",
        "a{",
        "*a",
        "^*",
        "(",
        ")",
        "[",
        "[]",
        "[z-a]",
        r"[\D]",
        r"\0",
        "a**",
        r"[\b]",
        "\\",
        "a{3,2}",
    ],
)
def test_patterns_that_are_refused(pattern: str) -> None:
    with pytest.raises(DeclarationError):
        translate(pattern)


def test_what_pydantic_writes_for_a_decimal(connection: Connection) -> None:
    lines = [{"sku": "A", "quantity": 1, "price": price} for price in ("1.50", 2, None, True)]
    assert allowed(connection, Line, lines) == [True, True, False, False]


CHAIN = {"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["v"]}


def nested(depth: int) -> str:
    return '{"v": 1, "next": ' * depth + '{"v": 1}' + "}" * depth


def test_depth_is_bounded(connection: Connection) -> None:
    assert judged(connection, CHAIN, [nested(DEEPEST)]) == [None]
    for schema in (
        CHAIN,
        {
            "not": {"$ref": "#/$defs/chain"},
            "$defs": {"chain": {**CHAIN, "properties": {"next": {"$ref": "#/$defs/chain"}}}},
        },
    ):
        with pytest.raises(psycopg.Error) as told:
            judged(connection, schema, [nested(DEEPEST + 1)])
        assert told.value.sqlstate == "FH051"


def test_what_jsonb_itself_refuses(connection: Connection) -> None:
    with pytest.raises(psycopg.errors.UntranslatableCharacter):
        judged(connection, {}, ['"\\u0000"'])


@pytest.mark.parametrize(
    ("schema", "named"),
    [
        ({"unevaluatedProperties": False}, "unevaluatedProperties"),
        ({"properties": {"a": {"unevaluatedItems": False}}}, "#/properties/a"),
        ({"$dynamicRef": "#x"}, "$dynamicRef"),
        ({"$anchor": "x"}, "$anchor"),
        ({"$id": "http://x"}, "$id"),
        ({"$ref": "http://x/y"}, "http://x/y"),
        ({"$ref": "#/properties/a"}, "#/properties/a"),
        ({"$ref": "#"}, "refers to itself"),
        ({"$defs": {"a": {"allOf": [{"$ref": "#/$defs/b"}]}, "b": {"$ref": "#/$defs/a"}}}, "refers to itself"),
        ({"format": "hostname"}, "hostname"),
        ({"requierd": ["a"]}, "requierd"),
        ({"type": "int"}, "int"),
        ({"type": []}, "type"),
        ({"minLength": -1}, "minLength"),
        ({"minimum": "1"}, "minimum"),
        ({"multipleOf": 0}, "multipleOf"),
        ({"maximum": float("inf")}, "finite"),
        ({"const": "\0"}, "jsonb"),
        ({"enum": []}, "enum"),
        ({"required": "a"}, "required"),
        ({"properties": []}, "properties"),
        ({"anyOf": []}, "anyOf"),
        ({"items": [{}]}, "items"),
        ({"patternProperties": {"(?<=a)": {}}}, "(?<=a)"),
        ("string", "str"),
    ],
)
def test_schemas_that_are_refused_by_name(schema: Any, named: str) -> None:
    with pytest.raises(DeclarationError) as told:
        schema_of(schema)
    assert named in str(told.value)
