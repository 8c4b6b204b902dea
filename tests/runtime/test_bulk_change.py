"""Upsert and merge: what is counted, what is refused, and that tenants stay apart."""

from __future__ import annotations

import threading
from typing import Any

import polars as pl
import psycopg
import pytest
import sqlalchemy as sa

from freehold.errors import DataRefused, InputError, UniqueViolated
from freehold.runtime import Database
from freehold.runtime.bulk import Changed
from tests.rooms.tenancy.layer import TABLES, A, B, Customer
from tests.runtime.bulk_ground import KINDS, REFUSED, make_kinds, sqlstate
from tests.runtime.conftest import Shop

ROWS = [{"id": n, "email": f"{n}@example.org"} for n in (101, 102, 103)]


def emails(db: Database, tenant: Any = A) -> dict[int, str]:
    with db.transaction(tenant=tenant, actor="ana") as session:
        return {row.id: row.email for row in session.execute(sa.select(Customer.id, Customer.email)) if row.id > 100}


def test_upsert_counts_what_it_did(db: Database) -> None:
    with db.transaction(tenant=A, actor="ana") as session:
        assert session.upsert(Customer, ROWS, key=["id"]) == Changed(3, inserted=3)
        assert session.upsert(Customer, ROWS, key=["id"]) == Changed(3)
        assert session.upsert(Customer, ROWS, key=["id"], changed=False) == Changed(3, updated=3)
        other = [*ROWS[:1], {"id": 102, "email": "new@example.org"}, {"id": 104, "email": "4@example.org"}]
        found = session.upsert(Customer, other, key=["id"])
        assert found == Changed(3, inserted=1, updated=1)
        assert found.unchanged == 1
    assert emails(db) == {
        101: "101@example.org",
        102: "new@example.org",
        103: "103@example.org",
        104: "4@example.org",
    }


def test_counts_hold_inside_savepoints_and_after_other_work(db: Database) -> None:
    with db.transaction(tenant=A, actor="ana") as session:
        session.add(Customer(email="first@example.org"))
        with session.begin_nested():
            assert session.upsert(Customer, ROWS[:2], key=["id"]).inserted == 2
            with session.begin_nested() as part:
                session.execute(sa.delete(Customer).where(Customer.id == 101))
                assert session.upsert(Customer, ROWS, key=["id"]).inserted == 2
                part.rollback()
            assert session.upsert(Customer, ROWS, key=["id"]) == Changed(3, inserted=1)


def test_upsert_of_chosen_columns_and_of_none(shop: Shop, db: Database) -> None:
    make_kinds(shop, guarded=False)
    with db.transaction(tenant=A, actor="ana") as session:
        rows = [(1, "a", 1.0), (2, None, 2.0)]
        columns = ["id", "name", "double"]
        assert session.upsert(KINDS, rows, key=["id"], columns=columns).inserted == 2
        rows = [(1, "b", 5.0), (2, None, 5.0)]
        assert session.upsert(KINDS, rows, key=["id"], update=["name"], columns=columns) == Changed(2, updated=1)
        assert session.upsert(KINDS, [*rows, (3, None, 3.0)], key=["id"], update=[], columns=columns).inserted == 1
        found = session.execute(sa.select(KINDS.c.id, KINDS.c.name, KINDS.c.double).order_by(KINDS.c.id)).all()
    assert [tuple(row) for row in found] == [(1, "b", 1.0), (2, None, 2.0), (3, None, 3.0)]


def test_values_of_every_type_are_compared(shop: Shop, db: Database) -> None:
    """json has no equality operator; arrays, jsonb and numeric compare by value."""
    make_kinds(shop, guarded=True)
    frame = pl.DataFrame({"id": [1], "plain": ['{"a": 1}'], "doc": ['{"a":1}'], "numbers": [[1, 2]], "exact": ["1.50"]})
    again = frame.with_columns(doc=pl.lit('{"a":   1}'), exact=pl.lit("1.5"))
    with db.transaction(tenant=A, actor="ana") as session:
        assert session.upsert(KINDS, frame, key=["id"]).inserted == 1
        assert session.upsert(KINDS, again, key=["id"]) == Changed(1)
        assert session.merge_rows(KINDS, again, on=["id"]) == Changed(1)
        assert session.upsert(KINDS, frame.with_columns(plain=pl.lit("2")), key=["id"]).updated == 1


def test_a_partitioned_table_is_counted_as_one(db: Database) -> None:
    move = TABLES["shop.move"]
    rows = [{"day": f"2020-01-0{n}", "id": n} for n in (1, 2, 3)]
    with db.transaction(tenant=A, actor="ana") as session:
        assert session.upsert(move, rows, key=["day", "id"]) == Changed(3, inserted=3)
        assert session.merge_rows(move, rows[:1], on=["day", "id"], matched="delete") == Changed(1, deleted=1)


def test_merge_updates_deletes_and_inserts(db: Database) -> None:
    with db.transaction(tenant=A, actor="ana") as session:
        assert session.merge_rows(Customer, ROWS, on=["id"]) == Changed(3, inserted=3)
        changed = pl.DataFrame({"id": [101, 102, 105], "email": ["x@e.org", "102@example.org", "5@e.org"]})
        assert session.merge_rows(Customer, changed, on=["id"], not_matched="nothing") == Changed(3, updated=1)
        assert session.merge_rows(Customer, changed, on=["id"], matched="nothing") == Changed(3, inserted=1)
        gone = session.merge_rows(Customer, changed[:1], on=["email"], matched="delete", not_matched="nothing")
        assert gone == Changed(1, deleted=1)
        both = pl.DataFrame({"id": [102, 106], "email": ["102@example.org", "6@e.org"]})
        assert session.merge_rows(Customer, both, on=["id"], matched="delete") == Changed(2, inserted=1, deleted=1)
    assert emails(db) == {103: "103@example.org", 105: "5@e.org", 106: "6@e.org"}


def test_tenants_stay_apart(db: Database) -> None:
    """The same keys in both tenants are two rows; rows that name another tenant are refused."""
    for tenant in (A, B):
        with db.transaction(tenant=tenant, actor="ana") as session:
            assert session.upsert(Customer, ROWS, key=["id"]).inserted == 3
    with db.transaction(tenant=A, actor="ana") as session:
        mine = [{"id": 101, "email": "mine@example.org"}]
        assert session.upsert(Customer, mine, key=["id"]).updated == 1
        assert session.merge_rows(Customer, mine, on=["id"], matched="delete", not_matched="nothing").deleted == 1
    assert emails(db, B) == {row["id"]: row["email"] for row in ROWS}
    for work in ("upsert", "merge_rows"):
        theirs = [{"tenant_id": B, "id": 101, "email": "stolen@example.org"}]
        named = {"key": ["id"]} if work == "upsert" else {"on": ["id"]}
        with pytest.raises(REFUSED) as caught, db.transaction(tenant=A, actor="ana") as session:
            getattr(session, work)(Customer, theirs, **named)
        assert sqlstate(caught.value) == "42501"
    assert emails(db, B) == {row["id"]: row["email"] for row in ROWS}


def test_a_key_that_comes_twice_is_refused(db: Database) -> None:
    twice = [*ROWS, {"id": 101, "email": "again@example.org"}]
    for work, named in (("upsert", {"key": ["id"]}), ("merge_rows", {"on": ["id"]})):
        with pytest.raises(InputError) as caught, db.transaction(tenant=A, actor="ana") as session:
            getattr(session, work)(Customer, twice, **named)
        assert "id" in caught.value.message
        assert "101" not in str(caught.value)
    assert emails(db) == {}


def test_after_a_refusal_the_transaction_goes_on(db: Database) -> None:
    with db.transaction(tenant=A, actor="ana") as session:
        with pytest.raises(InputError):
            session.upsert(Customer, [*ROWS, ROWS[0]], key=["id"])
        assert session.upsert(Customer, ROWS, key=["id"]) == Changed(3, 3)
    assert len(emails(db)) == 3


def test_a_failure_is_told_where_it_happens(db: Database) -> None:
    new = [{"id": 104, "email": "new@example.org"}]
    rows = [*new, {"id": 1, "email": "again@example.org"}]
    with db.transaction(tenant=A, actor="ana") as session:
        with pytest.raises(UniqueViolated), session.begin_nested():
            session.copy_in(Customer, rows=rows)
        with pytest.raises(DataRefused), session.begin_nested():
            list(session.copy_out(sa.select(sa.literal(1) / (Customer.id - Customer.id))))
        assert session.copy_in(Customer, rows=new) == 1
    assert 104 in emails(db)


def test_what_makes_no_sense_is_refused(db: Database) -> None:
    with db.transaction(tenant=A, actor="ana") as session:
        with pytest.raises(InputError):
            session.upsert(Customer, ROWS, key=[])
        with pytest.raises(InputError):
            session.upsert(Customer, ROWS, key=["nothing"])
        with pytest.raises(InputError):
            session.upsert(Customer, ROWS, key=["id"], update=["nothing"])
        with pytest.raises(InputError):
            session.upsert(Customer, [(1, "a")], key=["id"])
    for rows, columns in (([(1, "a")], ["id"]), ([*ROWS, {"id": 9, "mail": "x"}], None)):
        with pytest.raises(InputError), db.transaction(tenant=A, actor="ana") as session:
            session.upsert(Customer, rows, key=["id"], columns=columns)
    with pytest.raises(InputError), db.transaction(tenant=A, actor="ana") as session:
        session.merge_rows(Customer, ROWS, on=["id"], matched="nothing", not_matched="nothing")
    no_key = [{"id": 1, "email": "a"}]
    with pytest.raises(InputError) as caught, db.transaction(tenant=A, actor="ana") as session:
        session.upsert(Customer, no_key, key=["id", "email"])
    assert isinstance(caught.value.__cause__, psycopg.errors.InvalidColumnReference)


def test_empty_input_changes_nothing(db: Database) -> None:
    with db.transaction(tenant=A, actor="ana") as session:
        assert session.upsert(Customer, [], key=["id"], columns=["id", "email"]) == Changed(0)
        assert session.upsert(Customer, [], key=["id"]) == Changed(0)
        assert session.merge_rows(Customer, iter(()), on=["id"], matched="delete") == Changed(0)
        assert session.upsert(Customer, pl.DataFrame({"id": [1], "email": [""]}).clear(), key=["id"]) == Changed(0)


def test_two_upserts_of_one_key_at_once_both_succeed(db: Database) -> None:
    inside, may_end, counts = threading.Event(), threading.Event(), list[Changed]()

    def second() -> None:
        inside.wait(10)
        with db.transaction(tenant=A, actor="ben") as session:
            counts.append(session.upsert(Customer, [{"id": 101, "email": "second@example.org"}], key=["id"]))

    thread = threading.Thread(target=second)
    thread.start()
    with db.transaction(tenant=A, actor="ana") as session:
        session.upsert(Customer, ROWS, key=["id"])
        inside.set()
        may_end.wait(0.3)
    thread.join(20)
    assert counts == [Changed(1, updated=1)]
    assert emails(db)[101] == "second@example.org"
