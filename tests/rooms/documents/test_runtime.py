"""Documents through the ORM and Core, in both versions, and the rewriting of the older one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from freehold.errors import DocumentInvalid, InputError
from freehold.events import Event
from freehold.rooms.documents import Path, Upgrade, upgrade_documents
from freehold.runtime.faults import Faults

from .conftest import Built
from .layer import ONE, ORDERS, TWO, Catalogue, Details, Line, Order

SENT, NEW = Details(status="sent", lines=[]), Details(status="new", lines=[Line(sku="A-1", quantity=2)])


@pytest.fixture
def session(built: Built) -> Iterator[Session]:
    engine = sa.create_engine("postgresql+psycopg://", creator=built.database.connect, poolclass=sa.NullPool)
    with Session(engine) as made:
        yield made


def test_both_versions_are_read_as_the_newest(session: Session) -> None:
    orders = session.scalars(sa.select(Order).where(Order.tenant_id == ONE).order_by(Order.id)).all()
    assert [order.details for order in orders] == [SENT, NEW]
    other = aliased(Order)
    assert session.execute(sa.select(other.details).where(other.tenant_id == TWO, other.id == 1)).scalar_one() == SENT
    table = Order.__table__
    assert session.execute(sa.select(table.c.details).where(table.c.tenant_id == ONE, table.c.id == 2)).scalar() == NEW


def test_a_changed_document_is_one_of_the_newest_version(session: Session) -> None:
    order = session.get_one(Order, (ONE, 1))
    assert order.details is not None
    order.details = order.details.model_copy(update={"status": "new"})
    session.commit()
    session.refresh(order)
    assert (order.details_version, order.details.status, order.status) == (2, "new", "new")


def test_insert_and_null(session: Session) -> None:
    session.add_all([Order(tenant_id=ONE, id=7, details=NEW), Order(tenant_id=ONE, id=8, details=None)])
    session.commit()
    session.expire_all()
    assert session.get_one(Order, (ONE, 7)).details == NEW
    assert session.get_one(Order, (ONE, 8)).details is None
    made = session.execute(
        sa.insert(Order).values(tenant_id=ONE, id=9, details=SENT).returning(Order.details, Order.status)
    ).one()
    assert tuple(made) == (SENT, "sent")


def test_a_value_that_is_no_object_of_the_model(session: Session) -> None:
    session.add(Order(tenant_id=ONE, id=7, details={"status": "new"}))
    with pytest.raises(sa.exc.StatementError) as told:
        session.flush()
    assert isinstance(told.value.orig, InputError)


def test_an_older_writer_may_still_insert(built: Built) -> None:
    insert = 'INSERT INTO shop."order" (tenant_id, id, details, details_version) VALUES (%s, %s, %s::jsonb, %s)'
    built.connection.execute(insert, (ONE, 20, '{"state": "new"}', 1))
    for document, version in (('{"state": "new"}', 2), ('{"status": "a", "lines": []}', 1), ('{"state": "new"}', 3)):
        with pytest.raises(psycopg.Error) as told:
            built.connection.execute(insert, (ONE, 21, document, version))
        assert told.value.sqlstate == "FH050"


def refused(built: Built, document: str) -> DocumentInvalid:
    """The error of the application for a document from raw SQL."""
    with pytest.raises(psycopg.Error) as told:
        built.connection.execute(
            'INSERT INTO shop."order" (tenant_id, id, details) VALUES (%s, 30, %s::jsonb)', (ONE, document)
        )
    assert "hidden" not in str(told.value)
    found = Faults(Order.metadata.tables.values()).fault(told.value)
    assert isinstance(found, DocumentInvalid)
    assert "hidden" not in str(found)
    return found


@pytest.mark.parametrize(
    ("document", "pointer", "keyword"),
    [
        ("[]", "", "type"),
        ("null", "", "type"),
        ('{"lines": []}', "/status", "required"),
        ('{"status": 1, "lines": []}', "/status", "type"),
        ('{"status": "hidden", "lines": [], "hidden": 1}', "", "additionalProperties"),
        (
            '{"status": "a", "lines": [{"sku": "A", "quantity": 1}, {"sku": "hidden", "quantity": 1}]}',
            "/lines/1/sku",
            "pattern",
        ),
        ('{"status": "a", "lines": [{"sku": "A", "quantity": 0}]}', "/lines/0/quantity", "minimum"),
        ('{"status": "a", "lines": [], "notes": {"hidden": 5}}', "/notes/*", "type"),
    ],
)
def test_the_error_says_where_and_never_what(built: Built, document: str, pointer: str, keyword: str) -> None:
    found = refused(built, document)
    assert (found.pointer, found.keyword) == (pointer, keyword)
    assert (found.table, found.columns, found.constraint) == ("shop.order", ("details",), "order_details_document")


def test_paths_in_queries(session: Session) -> None:
    entry = {"name": "c", "maker": {"city": "Ulm"}, "parts": [{"sku": "P"}, {"sku": "Q"}]}
    session.add(Catalogue(id=5, entry=entry))
    session.flush()
    by_city = sa.select(Catalogue.id).where(Path("maker.city").of(Catalogue.entry) == "Ulm")
    by_part = sa.select(Catalogue.id).where(Path("parts[*].sku", kind="contains").contains(Catalogue.entry, "Q"))
    assert session.scalars(by_city).all() == session.scalars(by_part).all() == [5]


def test_rewriting_goes_on_where_it_was_cut_short(built: Built) -> None:
    told: list[Event] = []

    def cut(event: Event) -> None:
        told.append(event)
        if len(told) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        upgrade_documents(built.connection, ORDERS, 1, listener=cut)
    assert upgrade_documents(built.connection, ORDERS, 1, listener=told.append) == 1
    assert upgrade_documents(built.connection, ORDERS) == 0
    rows = built.connection.execute('SELECT details, details_version FROM shop."order" WHERE id = 1').fetchall()
    assert rows == [({"status": "sent", "lines": []}, 2)] * 2


def test_rewriting_leaves_what_a_writer_changed(built: Built) -> None:
    plain = ORDERS.upgrades[1].step

    def meanwhile(document: object) -> object:
        with built.database.connect(autocommit=True) as writer:
            writer.execute(
                """UPDATE shop."order" SET details = '{"status": "theirs", "lines": []}'"""
                " WHERE id = 1 AND tenant_id = %s",
                (ONE,),
            )
        return plain(document)

    raced = replace(ORDERS, upgrades={1: Upgrade(ORDERS.upgrades[1].schema, meanwhile)})
    assert upgrade_documents(built.connection, raced) == 1
    rows = built.connection.execute('SELECT status FROM shop."order" WHERE id = 1 ORDER BY tenant_id').fetchall()
    assert rows == [("theirs",), ("sent",)]
