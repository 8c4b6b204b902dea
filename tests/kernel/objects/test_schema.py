"""Schemas and extensions."""

from __future__ import annotations

import pytest

from freehold.errors import DeclarationError, StepFailed
from freehold.kernel.objects import Column, Extension, Schema, Table
from tests.kernel.objects.ground import Ground, titles


def test_schema_there_and_back(ground: Ground) -> None:
    ground.settle(Schema(schema='Odd "one"'))
    assert titles(ground.settle()) == ['drop schema Odd "one"']


def test_schema_that_holds_a_stranger_is_not_dropped(ground: Ground) -> None:
    ground.settle(Schema(schema="other"))
    ground.run("CREATE TABLE other.own (id int)")
    with pytest.raises(StepFailed, match="drop schema other"):
        ground.settle()
    assert ground.rows("SELECT count(*) FROM other.own") == [(0,)]


def test_extension_there_and_back(ground: Ground) -> None:
    table = Table(
        schema="shop", table="t", columns=(Column(schema="shop", table="t", column="c", type="public.citext"),)
    )
    ground.settle(Extension(extension="citext"), table)
    assert titles(ground.settle(Extension(extension="citext"))) == ["drop table shop.t"]
    assert titles(ground.settle()) == ["drop extension citext"]


def test_extension_that_the_server_lacks_is_named(ground: Ground) -> None:
    with pytest.raises(DeclarationError, match="extension no_such_thing"):
        ground.plan(Extension(extension="no_such_thing"))
