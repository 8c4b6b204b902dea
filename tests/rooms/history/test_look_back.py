"""A whole session in the past, what changed on a row, and rows that are brought back to what they were."""

from __future__ import annotations

from datetime import datetime

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from sqlalchemy.orm import joinedload, selectinload

from freehold.errors import InputError
from freehold.rooms.history import (
    between,
    changes_of,
    look_back,
    rewind,
    rewind_all,
    timeline,
    timeline_html,
)
from freehold.rooms.history.rewind import Rewound

from .conftest import Built
from .layer import ONE, TWO, Article, Base, Company, Customer
from .test_properties import Statement, moment, run, state, transactions
from .test_runtime import ALL, BEGINNING, as_tenant, now, people


@ALL
def test_joins_relationships_and_sums_of_another_day(built: Built) -> None:
    before = now(built)
    with as_tenant(built) as session:
        session.execute(sa.update(Customer).where(Customer.id == 1).values(full_name="x"))
        session.execute(sa.delete(Customer).where(Customer.id == 2))
    built.connection.execute("UPDATE shop.company SET name = 'renamed'")
    with as_tenant(built) as session:
        look_back(session, Base, before)
        assert people(session, Customer) == BEGINNING
        company = session.get_one(Company, ONE)
        assert company.name == "One"
        assert sorted(each.id for each in company.customers) == [1, 2, 3, 4, 5], "a relationship, loaded when asked for"
        first = session.scalars(sa.select(Customer).options(joinedload(Customer.company)).limit(1)).one()
        assert first.company is company
    for option in (selectinload, joinedload):
        with as_tenant(built) as session:
            look_back(session, Base.metadata, before)
            query = sa.select(Company).options(option(Company.customers))
            assert [len(each.customers) for each in session.scalars(query).unique() if each.id == ONE] == [5]
    with as_tenant(built) as session:
        look_back(session, Base, now(built))
        counted = sa.select(Company.name, sa.func.count()).join(Customer).group_by(Company.name)
        assert session.execute(counted).all() == [("renamed", 4)]
    with as_tenant(built) as session:
        assert people(session, Customer) == [(1, "x"), *BEGINNING[2:]], "the next transaction is in the present"


@ALL
def test_the_past_is_the_tenants_own(built: Built) -> None:
    with as_tenant(built, TWO) as session:
        look_back(session, Base, now(built))
        assert {row.tenant_id for row in session.scalars(sa.select(Customer))} == {TWO}


@ALL
def test_the_past_is_not_written(built: Built) -> None:
    with pytest.raises(sa.exc.DBAPIError) as refused, as_tenant(built) as session:
        look_back(session, Base, now(built))
        session.get_one(Customer, (ONE, 1)).full_name = "y"
        session.flush()
    assert getattr(refused.value.orig, "sqlstate", "") == "55000", "a view of a union is nobody's to write"


@ALL
def test_what_look_back_refuses(built: Built) -> None:
    with as_tenant(built) as session:
        with pytest.raises(InputError, match="no zone"):
            look_back(session, Base, datetime(2011, 3, 1))  # noqa: DTZ001 - that is what is refused
        held = session.get_one(Customer, (ONE, 1))
        with pytest.raises(InputError, match="of the present"):
            look_back(session, Base, now(built))
        assert held.full_name == "n1"


@ALL
def test_a_key_is_looked_up_in_the_past_by_index(built: Built) -> None:
    built.connection.execute(
        "INSERT INTO shop.customer (tenant_id, id, name) SELECT %s, g, 'n' FROM generate_series(10, 5000) AS g", (ONE,)
    )
    built.connection.execute("UPDATE shop.customer SET name = 'm'")
    built.connection.execute("ANALYZE shop.customer, shop.customer_history")
    with built.connection.transaction():
        built.connection.execute("SELECT set_config('freehold.moment', now()::text, true)")
        query = "EXPLAIN SELECT name FROM shop_past.customer WHERE tenant_id = %s AND id = 7"
        plan = "\n".join(row[0] for row in built.connection.execute(query, (ONE,)))
    assert "Seq Scan" not in plan


@ALL
def test_versions_of_a_time(built: Built) -> None:
    first = now(built)
    with as_tenant(built) as session:
        session.execute(sa.update(Customer).where(Customer.id == 1).values(full_name="x"))
    second = now(built)
    with as_tenant(built) as session:
        session.execute(sa.update(Customer).where(Customer.id == 1).values(full_name="y"))
        names = [
            sorted(row.full_name or "" for row in session.scalars(sa.select(found).where(found.id == 1)))
            for found in (between(Customer, *span) for span in ((first, second), (second, now(built))))
        ]
    assert names == [["n1", "x"], ["x", "y"]]


@ALL
def test_what_changed_by_whom_from_what_to_what(built: Built, layout: str) -> None:
    with as_tenant(built) as session:
        session.execute(sa.update(Customer).where(Customer.id == 1).values(full_name="<b>", order=3))
        session.execute(sa.delete(Customer).where(Customer.id == 1))
        session.add(Customer(tenant_id=ONE, id=1, full_name="back"))
        session.flush()
        changes = changes_of(session, Customer, (ONE, 1))
        assert changes_of(session, Customer, (TWO, 1)) == [], "another tenant's row has no past here"
        with pytest.raises(InputError, match="2 values"):
            changes_of(session, Customer, 1)
    by_ann = [(c.operation, c.attribute, c.before, c.after) for c in changes if c.actor == "ann"]
    assert ("UPDATE", "full_name", "n1", "<b>") in by_ann
    assert ("UPDATE", "order", 0, 3) in by_ann
    assert ("DELETE", "full_name", "<b>", None) in by_ann
    assert ("INSERT", "full_name", None, "back", None if layout == "born" else "ann") in [
        (c.operation, c.attribute, c.before, c.after, c.actor) for c in changes
    ]
    assert [c.at for c in changes] == sorted(c.at for c in changes if c.at)
    assert "ann  UPDATE\n  full_name: n1 -> <b>" in timeline(changes)
    page = timeline_html(changes)
    assert "&lt;b&gt;" in page
    assert "<b>&lt;" not in page.replace("<b>ann</b>", "")


@ALL
def test_one_row_is_brought_back(built: Built) -> None:
    before = now(built)
    with as_tenant(built) as session:
        session.execute(sa.update(Customer).where(Customer.id == 1).values(full_name="x", tags={"a": 1}))
        session.execute(sa.delete(Customer).where(Customer.id == 2))
        session.add(Customer(tenant_id=ONE, id=9))
    with as_tenant(built) as session:
        done = [rewind(session, Customer, (ONE, number), before) for number in (1, 2, 9, 3)]
    assert done == [Rewound(updated=1), Rewound(inserted=1), Rewound(deleted=1), Rewound()]
    with as_tenant(built) as session:
        assert people(session, Customer) == BEGINNING
        assert [c.operation for c in changes_of(session, Customer, (ONE, 2))][-1] == "INSERT"
    built.connection.execute("DELETE FROM shop.article WHERE id = 3")
    with built.connection.transaction():
        pass
    engine = sa.create_engine("postgresql+psycopg://", creator=built.database.connect, poolclass=sa.NullPool)
    with sa.orm.Session(engine) as session:
        assert rewind(session, Article, 3, before) == Rewound(inserted=1), "with the number that the database had drawn"
        session.commit()


@ALL
def test_whatever_has_happened_a_slice_is_brought_back(built: Built) -> None:
    connection = built.connection

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(transactions)
    def check(work: list[tuple[list[Statement], bool]]) -> None:
        when, expected = moment(connection), state(connection)
        for statements_of_one, keep in work:
            list(run(connection, statements_of_one, keep=keep))
        others = [row for row in state(connection) if row[0] != ONE]
        with as_tenant(built) as session:
            rewind_all(session, [Customer], when)
        found = state(connection)
        assert [row for row in found if row[0] == ONE] == [row for row in expected if row[0] == ONE]
        assert [row for row in found if row[0] != ONE] == others, "another tenant's rows stay"

    check()


@ALL
def test_parents_and_children_come_back_together(built: Built) -> None:
    before = now(built)
    built.connection.execute("DELETE FROM shop.customer; DELETE FROM shop.company")
    engine = sa.create_engine("postgresql+psycopg://", creator=built.database.connect, poolclass=sa.NullPool)
    with sa.orm.Session(engine) as session:
        done = rewind_all(session, [Customer, Company], before)
        session.commit()
    assert done == Rewound(inserted=12)
    assert len(state(built.connection)) == 10
