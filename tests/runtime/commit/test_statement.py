"""What is kept of a compiled statement: one form for each way of being called, and none longer than the statement."""

from __future__ import annotations

import gc
import itertools
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from freehold import Database
from freehold.runtime.literal import sql
from freehold.runtime.statement import Compiler

from .conftest import WHO, Ledger

NOTE = sa.Table("note", sa.MetaData(), sa.Column("owner", sa.Text), sa.Column("a", sa.Integer), sa.Column("b", sa.Text))
WITHIN = NOTE.c.a.in_([1, 2])


@pytest.mark.parametrize("order", [(True, False), (False, True)], ids=["tenant first", "tenant last"])
def test_an_insert_has_a_form_with_a_tenant_and_one_without(order: tuple[bool, bool]) -> None:
    compiler, add = Compiler({NOTE: "owner"}), sa.insert(NOTE)
    for tenant in (*order, *order):
        form = compiler.form(add, {"a": 1}, tenant=tenant)
        assert form.fills_tenant is tenant
        assert ("owner" in form.sql) is tenant


@pytest.mark.parametrize(
    "build",
    [
        lambda: sa.select(NOTE.c.a),
        lambda: sa.select(NOTE.c.a).where(WITHIN),
        lambda: sa.select(NOTE.c.a).where(WITHIN).union(sa.select(NOTE.c.a)),
        lambda: sa.select(sa.select(NOTE.c.a).where(WITHIN).cte()),
        lambda: sa.update(NOTE).where(WITHIN).values(b="x"),
        lambda: sa.delete(NOTE).where(WITHIN).returning(NOTE.c.a),
        lambda: sa.insert(NOTE).from_select(["a"], sa.select(NOTE.c.a).where(WITHIN)),
    ],
    ids=["plain", "list", "union", "cte", "update", "delete", "insert"],
)
def test_a_statement_built_anew_is_let_go(build: Callable[[], sa.Executable]) -> None:
    compiler = Compiler({NOTE: "owner"})
    statement: Any = build()
    gone = weakref.ref(statement)
    compiler.form(statement, {}, tenant=False)
    del statement
    gc.collect()
    assert gone() is None


def test_one_form_expands_lists_of_any_length(db: Database) -> None:
    number: sa.ColumnElement[int] = sa.literal_column("1", sa.Integer)
    within = sa.select(number.in_(sa.bindparam("some", expanding=True)).label("found"))
    with db.core(**WHO) as tx:
        for some, found in (([1, 2], True), ([2, 3, 4], False), ([], False)):
            assert tx.execute(within, {"some": some}).scalar_one() is found


def test_names_are_those_of_each_answer(ledger: Ledger) -> None:
    db, every = ledger.connect(), sql("SELECT * FROM ledger.company")
    with db.core(**WHO) as tx:
        first, again = tx.batch(every, every)
        assert first.one()._fields == again.one()._fields == ("id",)
    with ledger.admin() as admin:
        admin.execute("ALTER TABLE ledger.company RENAME COLUMN id TO key")
    other = ledger.connect()
    other._compiler = db._compiler
    with other.core(**WHO) as tx:
        assert tx.execute(every).one()._fields == ("key",)


def test_a_value_that_is_asked_for_is_asked_for_at_each_use(db: Database) -> None:
    counter = itertools.count(1)
    asked = sa.select(sa.bindparam("number", callable_=lambda: next(counter), type_=sa.Integer).label("number"))
    within = sa.select(sa.literal(1)).where(
        sa.literal(2).in_([1, 2]), sa.bindparam("at", callable_=lambda: next(counter), type_=sa.Integer) > 3
    )
    with db.core(**WHO) as tx:
        assert [tx.execute(asked).scalar_one() for _ in range(3)] == [1, 2, 3]
        assert [tx.execute(within).scalar() for _ in range(2)] == [1, 1]
    assert next(counter) == 6


def test_columns_of_a_text_are_found_by_name_whatever_their_order(db: Database) -> None:
    for text in (sql("SELECT 2 AS b, '[1]'::json AS a"), sql("SELECT '[1]'::json AS a, 2 AS b")):
        with db.core(**WHO) as tx:
            row = tx.execute(text.columns(a=sa.JSON, b=sa.Integer)).one()
            assert (row.a, row.b) == ([1], 2)
        with db.transaction(**WHO) as session:
            row = session.execute(text.columns(a=sa.JSON, b=sa.Integer)).one()
            assert (row.a, row.b) == ([1], 2)
