"""Encrypted attributes through the ORM, the fast path and raw SQL, on a real server."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from freehold import Database
from freehold.errors import (
    CheckViolated,
    CiphertextRefused,
    ClearTextRefused,
    ConfigError,
    InputError,
    UniqueViolated,
)
from freehold.rooms.encryption import Sealed
from freehold.rooms.encryption.runtime import cipher_of

from .conftest import Built
from .layer import ONE, TWO, Contact, Setting


def add(db: Database, tenant: UUID = ONE, **values: object) -> UUID:
    """Write one contact; its key."""
    with db.transaction(tenant=tenant, actor="ann") as session:
        contact = Contact(**values)
        session.add(contact)
        session.flush()
        assert contact.mail == values.get("mail")
        return contact.id


def test_what_is_written_is_read_and_never_stored_in_clear(built: Built, db: Database) -> None:
    key = add(db, mail="Ada@example.org", phone="+1 555")
    with db.transaction(tenant=ONE, actor="ann") as session:
        contact = session.get_one(Contact, (ONE, key))
        assert (contact.mail, contact.phone, contact.badge) == ("Ada@example.org", "+1 555", None)
    row = built.connection.execute("SELECT email, phone, badge FROM shop.contact").fetchone()
    assert row is not None
    assert row[0].startswith(b"FHE\x01\x01")
    assert b"Ada" not in row[0]
    assert row[2] is None


def test_updates_expiry_and_refresh(db: Database) -> None:
    key = add(db, mail="a@example.org", phone="1")
    with db.transaction(tenant=ONE, actor="ann") as session:
        contact = session.get_one(Contact, (ONE, key))
        contact.mail = "b@example.org"
        session.flush()
        session.expire(contact, ["mail"])
        assert (contact.mail, contact.phone) == ("b@example.org", "1")
        session.refresh(contact)
        assert (contact.mail, contact.phone) == ("b@example.org", "1")
        contact.phone = None
    with db.transaction(tenant=ONE, actor="ann") as session:
        contact = session.get_one(Contact, (ONE, key), options=[sa.orm.defer(Contact.mail)])
        assert (contact.phone, contact.mail) == (None, "b@example.org")


def test_a_row_with_a_new_key_is_encrypted_anew(db: Database) -> None:
    key, other = add(db, mail="a@example.org", phone="1"), uuid4()
    with db.transaction(tenant=ONE, actor="ann") as session:
        session.get_one(Contact, (ONE, key)).id = other
    with db.transaction(tenant=ONE, actor="ann") as session:
        contact = session.get_one(Contact, (ONE, other))
        assert (contact.mail, contact.phone) == ("a@example.org", "1")


def test_every_kind_of_value_in_a_shared_table(db: Database) -> None:
    values = {
        "secret": b"\x00\xff",
        "number": -(2**80),
        "amount": Decimal("12.50"),
        "day": date(2024, 2, 29),
        "notes": {"a": [1, None, "ü"]},
    }
    with db.transaction(actor="ann") as session:
        session.add(Setting(name="x", **values))
    with db.transaction(actor="ann") as session:
        found = session.get_one(Setting, "x")
        assert {name: getattr(found, name) for name in values} == values
        assert found.amount is not None
        assert found.amount.as_tuple().exponent == -2
    with pytest.raises(InputError), db.transaction(actor="ann") as session:
        session.add(Setting(name="y", number="5"))


def test_search_finds_exactly(db: Database) -> None:
    key = add(db, mail="Ada@Example.org")
    add(db, mail="bob@example.org")
    add(db, TWO, mail="ada@example.org")
    with db.transaction(tenant=ONE, actor="ann") as session:
        cipher = cipher_of(session)
        assert [item.id for item in cipher.find(session, Contact.mail, "ADA@example.ORG")] == [key]
        assert cipher.find(session, Contact.mail, "eve@example.org") == []
        query = sa.select(Contact.id).where(cipher.matches(session, Contact.mail, "ada@example.org"))
        assert session.scalars(query).all() == [key]
        other = sa.orm.aliased(Contact)
        assert session.scalars(sa.select(other.id).where(cipher.matches(session, other.mail, "x"))).all() == []
        with pytest.raises(InputError):
            cipher.matches(session, Contact.phone, "1")


def test_a_false_positive_is_left_out(built: Built, db: Database) -> None:
    key, other = add(db, mail="a@example.org"), add(db, mail="b@example.org")
    built.connection.execute(
        "UPDATE shop.contact SET email_blind = (SELECT email_blind FROM shop.contact WHERE id = %s) WHERE id = %s",
        (key, other),
    )
    with db.transaction(tenant=ONE, actor="ann") as session:
        cipher = cipher_of(session)
        assert (
            len(session.scalars(sa.select(Contact).where(cipher.matches(session, Contact.mail, "a@example.org"))).all())
            == 2
        )
        assert [item.id for item in cipher.find(session, Contact.mail, "a@example.org")] == [key]


def test_a_unique_value_is_one_of_its_tenant(db: Database) -> None:
    add(db, badge="7")
    add(db, TWO, badge="7")
    with pytest.raises(UniqueViolated):
        add(db, badge="7")


def test_clear_text_is_refused_before_it_is_sent(db: Database) -> None:
    for statement in (
        sa.insert(Contact).values(tenant_id=ONE, id=uuid4(), mail="a secret"),
        sa.update(Contact).values(mail="a secret"),
        sa.select(Contact).where(Contact.mail == "a secret"),
    ):
        with pytest.raises(ClearTextRefused) as told, db.transaction(tenant=ONE, actor="a") as session:
            session.execute(statement)
        assert "a secret" not in str(told.value)


def test_clear_text_is_refused_by_the_server(db: Database) -> None:
    add(db, mail="a@example.org")
    with pytest.raises(CheckViolated), db.transaction(tenant=ONE, actor="ann") as session:
        session.psycopg().execute("UPDATE shop.contact SET email = 'clear'::bytea")


def test_core_encrypts_and_decrypts_by_name(db: Database) -> None:
    row = {"tenant_id": ONE, "id": uuid4()}
    with db.core(tenant=ONE, actor="ann") as core:
        cipher = cipher_of(core)
        sealed = cipher.encrypt(core, Contact, "email", "a@example.org", row)
        core.execute(sa.insert(Contact).values(**row, mail=sealed))
        stored = core.execute(sa.select(Contact.__table__.c.email)).scalar_one()
        assert isinstance(stored, Sealed)
        assert cipher.decrypt(core, Contact, "email", stored, row) == "a@example.org"
        for wrong in ({**row, "id": uuid4()}, {**row, "tenant_id": TWO}):
            with pytest.raises(CiphertextRefused):
                cipher.decrypt(core, Contact, "email", stored, wrong)
        with pytest.raises(CiphertextRefused):
            cipher.decrypt(core, Contact, "phone", stored, row)
    with db.transaction(tenant=ONE, actor="ann") as session:
        read: object = session.scalars(sa.select(Contact.mail)).one()
        assert read == stored
        assert session.scalars(sa.select(Contact)).one().mail == "a@example.org"


def test_a_failed_flush_leaves_clear_values_in_the_objects(db: Database) -> None:
    add(db, badge="7")
    contact = Contact(mail="a@example.org", badge="7")
    with pytest.raises(UniqueViolated), db.transaction(tenant=ONE, actor="ann") as session:
        session.add(contact)
    assert (contact.mail, contact.badge) == ("a@example.org", "7")


def test_a_key_whose_savepoint_is_undone_encrypts_nothing_that_stays(db: Database) -> None:
    with db.transaction(tenant=ONE, actor="ann") as session:
        nested = session.begin_nested()
        session.add(Contact(mail="gone@example.org"))
        session.flush()
        nested.rollback()
        session.add(Contact(mail="stays@example.org"))
    with db.transaction(tenant=ONE, actor="ann") as session:
        assert [item.mail for item in session.scalars(sa.select(Contact))] == ["stays@example.org"]


def test_a_session_without_a_cipher_neither_reads_nor_writes(built: Built, db: Database) -> None:
    add(db, mail="a@example.org")
    engine = sa.create_engine("postgresql+psycopg://", creator=built.place.connect, poolclass=sa.NullPool)
    with sa.orm.Session(engine) as session:
        assert isinstance(session.scalars(sa.select(Contact)).one().mail, Sealed)
        session.add(Contact(tenant_id=ONE, id=uuid4(), mail="clear"))
        with pytest.raises(ClearTextRefused):
            session.flush()
        with pytest.raises(ConfigError):
            cipher_of(session)
