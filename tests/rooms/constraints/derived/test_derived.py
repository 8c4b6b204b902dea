"""A derived column is what its source adds up to, whatever is done to the source, and is not written by hand."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from freehold import Database, DataLayer, restore
from freehold.errors import DerivedRefused, NumericOutOfRange
from freehold.kernel.prove import Verdict
from freehold.operations import plan_layer
from freehold.testing.layers import LayerDatabase

from .layer import Account, Entry


def add(db: Database, who: dict[str, Any], *rows: object) -> None:
    with db.transaction(**who) as session:
        for row in rows:
            session.add(row)
            session.flush()


def entry(number: int, account: int | None, amount: int | None, *, posted: bool = True) -> Entry:
    return Entry(id=number, account_id=account, amount=None if amount is None else Decimal(amount), posted=posted)


def held(db: Database, who: dict[str, Any]) -> dict[int, tuple[float, int]]:
    with db.core(**who) as tx:
        rows = tx.execute(sa.select(Account.id, Account.balance, Account.entries)).all()
    return {row.id: (float(row.balance), row.entries) for row in rows}


@pytest.fixture
def begun(db: Database, who: dict[str, Any]) -> dict[str, Any]:
    add(db, who, Account(id=1), Account(id=2), entry(1, 1, 7), entry(2, 1, -2), entry(3, 2, 5), entry(4, None, 100))
    return who


def test_inserts_add_up(db: Database, begun: dict[str, Any]) -> None:
    assert held(db, begun) == {1: (5, 2), 2: (5, 1)}
    add(db, begun, entry(5, 1, None), entry(6, 1, 9, posted=False))
    assert held(db, begun) == {1: (5, 4), 2: (5, 1)}


CHANGES: dict[str, tuple[Any, dict[int, tuple[float, int]]]] = {
    "an amount": (sa.update(Entry).where(Entry.id == 1).values(amount=8), {1: (6, 2), 2: (5, 1)}),
    "an amount that becomes unknown": (
        sa.update(Entry).where(Entry.id == 1).values(amount=None),
        {1: (-2, 2), 2: (5, 1)},
    ),
    "all amounts": (sa.update(Entry).values(amount=Entry.amount * 2), {1: (10, 2), 2: (10, 1)}),
    "a move": (sa.update(Entry).where(Entry.id == 1).values(account_id=2), {1: (-2, 1), 2: (12, 2)}),
    "a move away": (sa.update(Entry).where(Entry.id == 1).values(account_id=None), {1: (-2, 1), 2: (5, 1)}),
    "a move to it": (sa.update(Entry).where(Entry.id == 4).values(account_id=2), {1: (5, 2), 2: (105, 2)}),
    "both change places": (
        sa.update(Entry).where(Entry.account_id.is_not(None)).values(account_id=3 - Entry.account_id),
        {1: (5, 1), 2: (5, 2)},
    ),
    "what no longer counts": (sa.update(Entry).where(Entry.id == 1).values(posted=False), {1: (-2, 2), 2: (5, 1)}),
    "a deletion": (sa.delete(Entry).where(Entry.id == 1), {1: (-2, 1), 2: (5, 1)}),
    "all deleted": (sa.delete(Entry), {1: (0, 0), 2: (0, 0)}),
    "a parent with its children": (sa.delete(Account).where(Account.id == 1), {2: (5, 1)}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_kind_of_change(db: Database, begun: dict[str, Any], change: str) -> None:
    statement, expected = CHANGES[change]
    with db.core(**begun) as tx:
        tx.execute(statement)
    assert held(db, begun) == expected


def test_merge_and_copy(db: Database, begun: dict[str, Any]) -> None:
    with db.transaction(**begun) as session:
        session.psycopg().execute(
            "MERGE INTO shop.entry AS e USING (VALUES (1, 70), (2, NULL), (9, 1)) AS v (id, amount) ON e.id = v.id"
            " WHEN MATCHED AND v.amount IS NULL THEN DELETE"
            " WHEN MATCHED THEN UPDATE SET amount = v.amount"
            " WHEN NOT MATCHED THEN INSERT (tenant_id, id, account_id, amount)"
            " VALUES (freehold.tenant_v1(), v.id, 1, v.amount)"
        )
    assert held(db, begun) == {1: (71, 2), 2: (5, 1)}


def test_another_tenants_parent_of_the_same_number_is_not_touched(
    db: Database, begun: dict[str, Any], other_tenant: Any
) -> None:
    other = {**begun, "tenant": other_tenant}
    add(db, other, Account(id=1), entry(1, 1, 1000))
    assert held(db, other) == {1: (1000, 1)}
    assert held(db, begun) == {1: (5, 2), 2: (5, 1)}


def test_what_is_rolled_back_adds_nothing(db: Database, begun: dict[str, Any]) -> None:
    with pytest.raises(ZeroDivisionError), db.transaction(**begun) as session:
        session.execute(sa.delete(Entry))
        raise ZeroDivisionError
    assert held(db, begun) == {1: (5, 2), 2: (5, 1)}


def test_nobody_writes_it_by_hand(db: Database, begun: dict[str, Any]) -> None:
    with pytest.raises(DerivedRefused) as caught, db.core(**begun) as tx:
        tx.execute(sa.update(Account).values(balance=Account.balance + 1))
    assert (caught.value.table, caught.value.columns) == ("shop.account", ("balance",))
    assert caught.value.constraint == "account_balance_kept"
    with db.core(**begun) as tx:
        tx.execute(sa.update(Account).values(balance=Account.balance))
    assert held(db, begun) == {1: (5, 2), 2: (5, 1)}


def test_not_even_the_administrator(freehold_database: LayerDatabase) -> None:
    with freehold_database.admin() as admin:
        with pytest.raises(psycopg.Error) as caught:
            admin.execute("INSERT INTO shop.board (id, last) VALUES (1, 4)")
        assert caught.value.sqlstate == "FH093"
        admin.execute("INSERT INTO shop.board (id) VALUES (1)")
        with pytest.raises(psycopg.Error) as caught:
            admin.execute("UPDATE shop.board SET last = 1")
        assert caught.value.sqlstate == "FH093"
        with pytest.raises(psycopg.Error) as caught:
            admin.execute("TRUNCATE shop.board CASCADE")
        assert caught.value.sqlstate == "FH094"


def test_a_sum_of_counters(freehold_database: LayerDatabase) -> None:
    with freehold_database.admin() as admin:
        admin.execute("INSERT INTO shop.board VALUES (1), (2)")
        admin.execute("INSERT INTO shop.project (id, board_id) VALUES (1, 1), (2, 1), (3, 2)")
        admin.execute("INSERT INTO shop.task (id, project_id) SELECT g, 1 + g % 3 FROM generate_series(1, 9) AS g")
        admin.execute("UPDATE shop.task SET done = true WHERE id <= 2")
        admin.execute("UPDATE shop.project SET board_id = 2 WHERE id = 1")
        assert admin.execute("SELECT last FROM shop.board ORDER BY id").fetchall() == [(2,), (5,)]
        with pytest.raises(psycopg.Error) as caught:
            admin.execute("UPDATE shop.task SET keys = 'NaN' WHERE id = 1")
        assert caught.value.sqlstate == "FH095"


def test_a_table_that_refers_to_itself(freehold_database: LayerDatabase) -> None:
    with freehold_database.admin() as admin:
        admin.execute("INSERT INTO shop.folder (id, inside_id) VALUES (1, NULL), (2, 1), (3, 1), (4, 2)")
        admin.execute("UPDATE shop.folder SET inside_id = 2 WHERE id = 3")
        assert admin.execute("SELECT folders FROM shop.folder ORDER BY id").fetchall() == [(1,), (2,), (0,), (0,)]


def test_too_large_a_sum_is_refused(db: Database, begun: dict[str, Any]) -> None:
    rows = [entry(100 + number, 1, 9_999_999_999) for number in range(101)]
    with pytest.raises(NumericOutOfRange), db.transaction(**begun) as session:
        session.add_all(rows)
    assert held(db, begun) == {1: (5, 2), 2: (5, 1)}


def test_what_is_deleted_softly_comes_back(db: Database, begun: dict[str, Any]) -> None:
    with db.core(**begun) as tx:
        tx.execute(sa.delete(Account).where(Account.id == 1))
    with db.transaction(**begun) as session:
        restore(session, Account, (begun["tenant"], 1))
    assert held(db, begun) == {1: (5, 2), 2: (5, 1)}
    with db.core(**begun) as tx:
        tx.execute(sa.delete(Entry).where(Entry.id == 1))
    assert held(db, begun) == {1: (-2, 1), 2: (5, 1)}
    with db.transaction(**begun) as session:
        restore(session, Entry, (begun["tenant"], 1))
    assert held(db, begun) == {1: (5, 2), 2: (5, 1)}


def test_a_new_parent_begins_with_zero(db: Database, who: dict[str, Any]) -> None:
    add(db, who, Account(id=1, balance=Decimal(4), entries=1))
    assert held(db, who) == {1: (0, 0)}


def test_the_plan_is_settled(freehold_database: LayerDatabase, freehold_layer: DataLayer) -> None:
    with freehold_database.admin() as admin:
        plan = plan_layer(admin, freehold_layer.declared)
    assert (plan.steps, plan.strangers) == ((), ())


def test_everything_holds(db: Database, begun: dict[str, Any], prove: Callable[..., list[Verdict]]) -> None:
    prove()
