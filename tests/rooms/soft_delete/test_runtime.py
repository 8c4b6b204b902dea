"""Deleting, seeing and restoring through the application's own way in."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa

from freehold import Database, deleted, restore, restoring, with_deleted
from freehold.errors import DeletedRowMissing, InputError, ParentMissing, RestoreConflict
from freehold.operations import plan_layer
from freehold.runtime import Key, KeyRing

from .conftest import Built
from .layer import ONE, SECRET, TWO, Article, Customer, Line, Node, Product, rows

TABLES = ("customer", "product", "line", "node", "article")


def state(built: Built) -> dict[str, list[Any]]:
    """Every live row, table by table."""
    return {table: rows(built.connection, table) for table in TABLES}


def remains(built: Built) -> int:
    """How many deleted rows there are."""
    return sum(len(rows(built.connection, f"{table}_deleted")) for table in TABLES)


def test_a_second_apply_has_nothing_to_do(built: Built) -> None:
    assert plan_layer(built.connection, built.layer.declared).steps == ()


def test_a_row_goes_with_its_children_and_comes_back(built: Built, db: Database) -> None:
    before = state(built)
    with db.transaction(tenant=ONE, actor="ann") as session:
        session.execute(sa.delete(Customer).where(Customer.id == 1))
    with db.transaction(tenant=ONE, actor="bob") as session:
        gone: Any = deleted(Customer)
        found = session.scalars(sa.select(gone)).one()
        assert (found.id, found.full_name, found.deleted_by) == (1, "n1", "ann")
        both: Any = with_deleted(Customer)
        told = session.execute(sa.select(both.id, both.is_deleted).order_by(both.id)).all()
        assert [tuple(row) for row in told] == [(1, True), *((n, False) for n in range(2, 6))]
        assert len(session.scalars(sa.select(both)).all()) == 5
    with db.transaction(tenant=ONE, actor="bob") as session:
        assert restore(session, Customer, (ONE, 1)) == 4
    assert state(built) == before
    assert remains(built) == 0


def test_a_child_of_two_parents_comes_back_with_the_last(built: Built, db: Database) -> None:
    before = state(built)
    with db.transaction(tenant=ONE, actor="ann") as session:
        session.execute(sa.delete(Customer))
        session.execute(sa.delete(Product))
    with db.transaction(tenant=ONE, actor="bob") as session:
        for n in range(1, 6):
            assert restore(session, Customer, (ONE, n)) == 1
        assert [restore(session, Product, (ONE, n)) for n in range(1, 4)] == [6, 6, 6]
    assert state(built) == before


def test_a_tree_comes_back_whole(built: Built, db: Database) -> None:
    before = state(built)
    with db.transaction(tenant=ONE, actor="ann") as session:
        session.execute(sa.delete(Node).where(Node.id == 1))
    with db.transaction(tenant=ONE, actor="ann") as session:
        with pytest.raises(ParentMissing) as refused, session.begin_nested():
            restore(session, Node, (ONE, 3))
        assert refused.value.table == "shop.node"
        assert restore(session, Node, (ONE, 1)) == 7
    assert state(built) == before


def test_a_taken_key_is_named(built: Built, db: Database) -> None:
    with db.transaction(tenant=ONE, actor="ann") as session:
        session.execute(sa.delete(Customer).where(Customer.id == 1))
        session.add(Customer(tenant_id=ONE, id=9, full_name="n1"))
    with pytest.raises(RestoreConflict) as refused, db.transaction(tenant=ONE, actor="ann") as session:
        restore(session, Customer, (ONE, 1))
    assert (refused.value.constraint, "n1" in str(refused.value)) == ("customer_name_key", False)


def test_what_is_not_there_or_anothers_is_missing(built: Built, db: Database) -> None:
    with db.transaction(tenant=ONE, actor="ann") as session:
        session.execute(sa.delete(Customer).where(Customer.id == 1))
    for tenant, key in ((TWO, (ONE, 1)), (ONE, (ONE, 77)), (ONE, (ONE, 2))):
        with pytest.raises(DeletedRowMissing), db.transaction(tenant=tenant, actor="eve") as session:
            restore(session, Customer, key)
    with pytest.raises(InputError, match="has 2 values"):
        restoring(Customer, 1)
    with db.transaction(tenant=TWO, actor="eve") as session:
        assert session.scalars(sa.select(deleted(Customer))).all() == []


def test_the_last_deletion_or_the_one_of_a_moment(built: Built, db: Database) -> None:
    gone: Any = deleted(Customer)
    for name in ("first", "second"):
        with db.transaction(tenant=ONE, actor="ann") as session:
            session.add(Customer(tenant_id=ONE, id=9, full_name=name))
        with db.transaction(tenant=ONE, actor="ann") as session:
            session.execute(sa.delete(Customer).where(Customer.id == 9))
    with db.transaction(tenant=ONE, actor="ann") as session:
        first = session.scalars(sa.select(gone.deleted_at).where(gone.full_name == "first")).one()
        restore(session, Customer, (ONE, 9))
        assert session.get_one(Customer, (ONE, 9)).full_name == "second"
        session.execute(sa.delete(Customer).where(Customer.id == 9))
    with db.transaction(tenant=ONE, actor="ann") as session:
        restore(session, Customer, (ONE, 9), at=first)
        assert session.get_one(Customer, (ONE, 9)).full_name == "first"


def test_the_fast_path_and_a_shared_table(built: Built, db: Database) -> None:
    before = state(built)
    line: Any = Line.__table__
    with db.core(tenant=ONE, actor="ann") as work:
        work.execute(sa.delete(line).where(line.c.id == 1))
        gone: Any = deleted(line)
        assert len(work.execute(sa.select(gone.c.id, gone.c.deleted_by)).all()) == 1
        both: Any = with_deleted(line)
        assert len(work.execute(sa.select(both.c.id).where(both.c.is_deleted)).all()) == 1
        assert restore(work, Line, (ONE, 1)) == 1
    built.connection.execute("DELETE FROM shop.article WHERE id = 3")
    with db.transaction(tenant=ONE, actor="ann") as session:
        article: Any = deleted(Article)
        assert session.scalars(sa.select(article.price)).all() == [3]
    assert remains(built) == 1
    built.connection.execute(
        "DELETE FROM shop.article_deleted; INSERT INTO shop.article OVERRIDING SYSTEM VALUE VALUES (3, 3)"
    )
    assert state(built) == before


def test_an_asynchronous_session(built: Built) -> None:
    async def work() -> int:
        db = await built.layer.connect_async(built.url, keys=KeyRing((Key("k1", SECRET),)))
        try:
            async with db.transaction(tenant=ONE, actor="ann") as session:
                await session.execute(sa.delete(Customer).where(Customer.id == 1))
                assert len((await session.scalars(sa.select(deleted(Customer)))).all()) == 1
                return int((await session.execute(restoring(Customer, (ONE, 1)))).scalar_one())
        finally:
            await db.dispose()

    assert asyncio.run(work()) == 4
