"""The past through the application's own way in, beside a report, on a layer that was planned and applied."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from psycopg import sql

from freehold import DataLayer, History, Report, Roles, Tenancy, as_of, read_report
from freehold.operations import apply_layer, plan_layer, prove_layer
from freehold.rooms.history import versions_of
from freehold.runtime import Database, Key, KeyRing
from freehold.testing.database import Database as Place

from .layer import ONE, TWO, Article, Base, Company, Customer, plant

SECRET = bytes(range(32))
PASSWORD = "of the application"

NAMES = Report(
    "names",
    sa.select(Customer.tenant_id, Customer.full_name, sa.func.count().label("n")).group_by(
        Customer.tenant_id, Customer.full_name
    ),
    keys=["full_name"],
    when_stale="refresh",
)


@pytest.fixture
def layer(layer_name: str) -> DataLayer:
    return DataLayer(
        Base.metadata,
        Tenancy(Company, shared=[Article]),
        History(Customer, keep="7 years"),
        History(Article),
        NAMES,
        Roles(),
        name=layer_name,
    )


@pytest.fixture
def db(database: Place, layer: DataLayer) -> Iterator[Database]:
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, layer.declared)
        connection.execute("SELECT freehold.add_context_key_v1('k1', %s)", (SECRET,))
        login = f"{layer.name}_app_a"
        password = sql.SQL("ALTER ROLE {} PASSWORD {}")
        connection.execute(password.format(sql.Identifier(login), sql.Literal(PASSWORD)))
        plant(connection)
    found = layer.connect(database.url(user=login, password=PASSWORD), keys=KeyRing((Key("k1", SECRET),)))
    yield found
    found.dispose()


def test_the_past_under_a_tenant(db: Database) -> None:
    with db.transaction(tenant=ONE, actor="ann") as session:
        before = session.scalars(sa.select(sa.func.clock_timestamp())).one()
        session.execute(sa.update(Customer).where(Customer.id == 1).values(full_name="x"))
    with db.transaction(tenant=ONE, actor="bob") as session:
        past, versions = as_of(Customer, before), versions_of(Customer)
        query = sa.select(past.full_name, Customer.full_name).join(Customer, Customer.id == past.id)
        assert session.execute(query.where(past.id == 1)).all() == [("n1", "x")]
        found: Any = session.scalars(sa.select(versions).where(versions.full_name == "n1")).one()
        assert found.ended_actor == "ann"
        assert session.scalars(sa.select(sa.func.count()).select_from(past)).one() == 5
    with db.transaction(tenant=TWO, actor="eve") as session:
        assert session.scalars(sa.select(past.tenant_id).distinct()).all() == [TWO]
        assert session.scalars(sa.select(versions).where(versions.full_name == "x")).all() == []


def test_a_report_under_a_tenant(db: Database) -> None:
    with db.transaction(tenant=ONE, actor="ann") as session:
        found = read_report(session, NAMES, where=lambda column: column.full_name == "n2")
        assert [tuple(row) for row in found.rows] == [(ONE, "n2", 1)]
    with db.transaction(tenant=TWO, actor="eve") as session:
        assert {row.tenant_id for row in read_report(session, NAMES).rows} == {TWO}


def test_the_whole_layer_is_stable_and_proved(db: Database, layer: DataLayer, database: Place) -> None:
    with database.connect(autocommit=True) as connection:
        assert plan_layer(connection, layer.declared).steps == ()
        found = prove_layer(connection, layer.declared)
        assert [(v.room, v.promise, v.detail) for v in found if v.verdict != "held"] == []
        assert {"history", "reports", "tenancy", "roles"} <= {v.room for v in found}
