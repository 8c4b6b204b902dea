"""Reading the past through the ORM, under the tenant's policies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from freehold.errors import InputError
from freehold.rooms.history import as_of, versions_of
from freehold.runtime.literal import sql

from .conftest import Built
from .layer import LAYOUTS, ONE, TWO, Article, Customer


@contextmanager
def as_tenant(built: Built, tenant: UUID = ONE) -> Iterator[Session]:
    """A session of the application under a tenant."""
    engine = sa.create_engine("postgresql+psycopg://", creator=built.database.connect, poolclass=sa.NullPool)
    with Session(engine) as session:
        token = sa.func.freehold.issue_context_v1(str(tenant), "ann", sa.cast("1 minute", sa.Interval))
        session.execute(sa.select(sa.func.set_config("freehold.context", token, True)))
        session.execute(sql("SELECT set_config('role', :role, true)"), {"role": f"{built.name}_app_a"})
        yield session
        session.commit()


def now(built: Built) -> datetime:
    """The server's clock."""
    row = built.connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    found: datetime = row[0]
    return found


def people(session: Session, entity: Any) -> list[tuple[int, str]]:
    """``(id, name)`` of every customer."""
    return [(row.id, row.full_name) for row in session.scalars(sa.select(entity).order_by(entity.id))]


ALL = pytest.mark.parametrize("layout", LAYOUTS)
BEGINNING = [(n, f"n{n}") for n in range(1, 6)]


@ALL
def test_as_of_reads_each_moment_under_the_tenants_policies(built: Built) -> None:
    first = now(built)
    with as_tenant(built) as session:
        session.execute(sa.update(Customer).where(Customer.id == 1).values(full_name="x"))
        session.execute(sa.delete(Customer).where(Customer.id == 2))
    second = now(built)
    with as_tenant(built) as session:
        session.add(Customer(tenant_id=ONE, id=2, full_name="back"))
    third = now(built)
    with as_tenant(built) as session:
        assert people(session, as_of(Customer, first)) == BEGINNING
        assert people(session, as_of(Customer, second)) == [(1, "x"), *BEGINNING[2:]]
        assert people(session, as_of(Customer, third)) == [(1, "x"), (2, "back"), *BEGINNING[2:]]
        assert people(session, as_of(Customer, datetime(2001, 1, 1, tzinfo=UTC))) == []
    with as_tenant(built, TWO) as session:
        assert people(session, as_of(Customer, third)) == BEGINNING


def test_rows_from_before_history_are_there_at_any_time(built: Built) -> None:
    built.connection.execute("DELETE FROM shop.customer_history")
    before = now(built)
    with as_tenant(built) as session:
        session.execute(sa.update(Customer).where(Customer.id == 1).values(full_name="x"))
    with as_tenant(built) as session:
        assert people(session, as_of(Customer, before)) == BEGINNING
        assert people(session, as_of(Customer, now(built))) == [(1, "x"), *BEGINNING[1:]]


@ALL
def test_the_past_and_the_present_do_not_mix_in_one_session(built: Built) -> None:
    before = now(built)
    with as_tenant(built) as session:
        present = session.get_one(Customer, (ONE, 1))
        present.full_name = "x"
        session.flush()
        past = as_of(Customer, before)
        old = session.scalars(sa.select(past).where(past.id == 1)).one()
        new = session.scalars(sa.select(past2 := as_of(Customer, now(built))).where(past2.id == 1)).one()
        assert (old.full_name, new.full_name, present.full_name) == ("n1", "x", "x")


def test_as_of_joins_and_filters_like_the_entity(built: Built) -> None:
    before = now(built)
    with as_tenant(built) as session:
        session.execute(sa.update(Customer).values(full_name=Customer.full_name + "!"))
        past = as_of(Customer, before)
        changed = sa.select(past.full_name, Customer.full_name).join(Customer, Customer.id == past.id)
        assert session.execute(changed.where(past.id == 3)).all() == [("n3", "n3!")]


def test_versions_tell_who_and_when(built: Built) -> None:
    with as_tenant(built) as session:
        session.execute(sa.update(Customer).where(Customer.id == 1).values(full_name="x"))
        versions: Any = versions_of(Customer)
        found = session.scalars(sa.select(versions).where(versions.id == 1).order_by(versions.valid_from)).all()
        assert [(v.full_name, v.operation, v.ended_operation, v.ended_actor) for v in found] == [
            ("n1", "INSERT", "UPDATE", "ann"),
            ("x", "UPDATE", None, None),
        ]
        assert found[0].valid_to == found[1].valid_from
        assert found[1].valid_to is None
    assert versions_of(Customer) is versions


def test_shared_tables_have_a_past_too(built: Built) -> None:
    before = now(built)
    built.connection.execute("UPDATE shop.article SET price = price + 1")
    with as_tenant(built) as session:
        past = as_of(Article, before)
        assert session.scalars(sa.select(sa.func.sum(past.price))).one() == 15
        assert session.scalars(sa.select(sa.func.sum(Article.price))).one() == 20


def test_a_key_look_up_in_the_past_uses_the_key(built: Built) -> None:
    built.connection.execute(
        "INSERT INTO shop.customer (tenant_id, id, name) SELECT %s, g, 'n' FROM generate_series(10, 5000) AS g", (ONE,)
    )
    built.connection.execute("ANALYZE shop.customer, shop.customer_history")
    with as_tenant(built) as session:
        past = as_of(Customer, now(built))
        query = sa.select(past.full_name).where(past.tenant_id == ONE, past.id == 7)
        text = str(query.compile(session.get_bind(), compile_kwargs={"literal_binds": True}))
        plan = "\n".join(session.scalars(sa.text(f"EXPLAIN {text}".replace(":", r"\:"))))
    assert "Seq Scan" not in plan
    assert plan.count("Index") >= 2


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(InputError, match="has no zone"):
        as_of(Customer, datetime(2011, 3, 1))  # noqa: DTZ001 - that is what is refused
