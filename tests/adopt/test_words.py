"""Names, pieces of definitions, and the shape of written code."""

from __future__ import annotations

import ast
import doctest
from collections.abc import Callable
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.adopt import naming, parse, source
from freehold.adopt.left import lines
from freehold.adopt.naming import Names, attribute_name, class_name, layer_name, variable_name
from freehold.adopt.source import Text, call, written
from freehold.kernel import stable
from freehold.kernel.objects import Key
from freehold.layer import _NAME
from tests.adopt.conftest import Adopted


@pytest.mark.parametrize("module", [naming, parse, source, stable], ids=lambda module: module.__name__)
def test_examples_hold(module: ModuleType) -> None:
    found = doctest.testmod(module)
    assert found.attempted
    assert not found.failed


@given(st.text(min_size=1, max_size=20))
def test_every_name_becomes_one_that_python_takes(text: str) -> None:
    for make in (class_name, attribute_name, variable_name):
        ast.parse(f"{make(text)} = 1")
    assert _NAME.fullmatch(layer_name(text))


def test_a_name_is_given_once() -> None:
    names = Names({"Base"})
    assert [names.give("Base", "ShopBase"), names.give("Base", "ShopBase"), names.give("Base", "ShopBase")] == [
        "ShopBase",
        "ShopBase_2",
        "ShopBase_3",
    ]


@given(st.text(max_size=400), st.booleans(), st.integers(0, 60))
def test_a_text_comes_back(text: str, block: bool, indent: int) -> None:
    for node in (call("f", Text(text, block)), call("f", x=Text(text, block))):
        (statement,) = ast.parse(written(node, indent)).body
        assert isinstance(statement, ast.Expr)
        assert isinstance(statement.value, ast.Call)
        (value,) = [*statement.value.args, *(keyword.value for keyword in statement.value.keywords)]
        assert ast.literal_eval(value) == text


def test_tenants_are_guessed_only_where_they_are_plain(adopted: Callable[[str], Adopted]) -> None:
    found = adopted(
        "CREATE TABLE company (id int PRIMARY KEY); CREATE TABLE account (id int PRIMARY KEY);"
        "CREATE TABLE a (id int PRIMARY KEY, company_id int NOT NULL REFERENCES company,"
        " account_id int NOT NULL REFERENCES account);"
        "CREATE TABLE b (id int PRIMARY KEY, company_id int NOT NULL REFERENCES company,"
        " account_id int NOT NULL REFERENCES account);"
        "CREATE TABLE c (id int PRIMARY KEY, company_id int REFERENCES company);"
    )
    assert found.made.guess is None, "two tables could hold the tenants"


def test_a_property_that_many_have_is_told_once() -> None:
    left = {Key("comment", (f"of index i{n}",)): "why" for n in range(7)}
    assert list(lines({**left, Key("table", ("a", "b")): "why"})) == [
        ("table a.b", "why"),
        ("comment of 7 objects", "why"),
    ]
    assert len(list(lines(dict(list(left.items())[:5])))) == 5
