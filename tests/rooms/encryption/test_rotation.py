"""Rotating, wrapping anew and destroying keys, beside writers, and cut short at any point."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from freehold import Database
from freehold.errors import CiphertextRefused, InputError, KeyDestroyed, KeyUnavailable
from freehold.events import Event, Progress
from freehold.rooms.encryption import Encryption
from freehold.rooms.encryption.local_keys import LocalKeyFile
from freehold.rooms.encryption.rotation import destroy, rewrap, rotate
from freehold.rooms.encryption.runtime import cipher_of

from .conftest import RING, Built
from .layer import ONE, TWO, Contact, Setting, broken

KILLED = Path(__file__).with_name("rotating.py")


def fill(db: Database, tenant: UUID, count: int) -> dict[UUID, str]:
    """Write contacts of a tenant; their addresses by key."""
    with db.transaction(tenant=tenant, actor="ann") as session:
        made = [Contact(mail=f"{number}@example.org", phone=str(number)) for number in range(count)]
        session.add_all(made)
        session.flush()
        return {item.id: str(item.mail) for item in made}


def stored(db: Database, tenant: UUID) -> dict[UUID, str | None]:
    """Every address of a tenant, decrypted."""
    with db.transaction(tenant=tenant, actor="ann") as session:
        return {item.id: item.mail for item in session.scalars(sa.select(Contact))}


def keys_in_use(built: Built, tenant: UUID) -> set[bytes]:
    query = "SELECT DISTINCT substring(email, 6, 16) FROM shop.contact WHERE tenant_id = %s"
    return {row[0] for row in built.connection.execute(query, (tenant,))}


def test_every_row_has_the_new_key_and_its_value(built: Built, db: Database) -> None:
    written, other = fill(db, ONE, 25), fill(db, TWO, 3)
    heard: list[Event] = []
    before = keys_in_use(built, TWO)
    found = rotate(built.connection, built.layer, built.encryption, tenant=ONE, batch=7, listener=heard.append)
    assert (found.rewritten, found.left, found.unreadable) == (25, 0, ())
    assert keys_in_use(built, ONE) == {found.key_id.bytes}
    assert keys_in_use(built, TWO) == before
    assert (stored(db, ONE), stored(db, TWO)) == (written, other)
    assert [e.done for e in heard if isinstance(e, Progress)] == [7, 14, 21, 25]
    again = rotate(built.connection, built.layer, built.encryption, tenant=ONE, resume=True)
    assert (again.key_id, again.rewritten) == (found.key_id, 0)
    assert broken(built.connection, built.layer.declared) == []


def test_search_finds_across_a_rotation(built: Built, db: Database) -> None:
    fill(db, ONE, 2)
    rotate(built.connection, built.layer, built.encryption, tenant=ONE)
    with db.transaction(tenant=ONE, actor="ann") as session:
        assert len(cipher_of(session).find(session, Contact.mail, "1@example.org")) == 1


def test_a_writer_with_the_older_key_is_seen_and_made_good(built: Built, db: Database) -> None:
    fill(db, ONE, 1)
    fill(db, ONE, 1)
    first = rotate(built.connection, built.layer, built.encryption, tenant=ONE)
    late = fill(db, ONE, 2)
    assert len(keys_in_use(built, ONE)) == 2
    found = rotate(built.connection, built.layer, built.encryption, tenant=ONE, resume=True)
    assert (found.key_id, found.rewritten, found.left) == (first.key_id, 2, 0)
    assert late.items() <= stored(db, ONE).items()


def test_an_altered_row_is_named_and_left(built: Built, db: Database) -> None:
    written = fill(db, ONE, 3)
    key = sorted(written)[0]
    built.connection.execute(
        "UPDATE shop.contact SET email = set_byte(email, 40, 255 - get_byte(email, 40)) WHERE id = %s", (key,)
    )
    found = rotate(built.connection, built.layer, built.encryption, tenant=ONE)
    assert (found.rewritten, found.left) == (2, 0)
    assert found.unreadable == (("shop.contact", str(ONE), str(key)),)
    with pytest.raises(CiphertextRefused):
        stored(db, ONE)


def test_shared_tables_have_a_key_of_their_own(built: Built, db: Database) -> None:
    with db.transaction(actor="ann") as session:
        session.add(Setting(name="x", number=5))
    assert rotate(built.connection, built.layer, built.encryption).rewritten == 1
    with db.transaction(actor="ann") as session:
        assert session.get_one(Setting, "x").number == 5


def test_wrapping_anew_touches_no_row(built: Built, db: Database, tmp_path: Path) -> None:
    written = fill(db, ONE, 2)
    provider = built.encryption.provider
    assert isinstance(provider, LocalKeyFile)
    provider.add("2")
    assert rewrap(built.connection, built.layer, built.encryption) == 2
    versions = built.connection.execute("SELECT DISTINCT provider_key FROM freehold.data_key").fetchall()
    assert versions == [("2",)]
    assert stored(db, ONE) == written
    other = LocalKeyFile.create(tmp_path / "other")
    assert rewrap(built.connection, built.layer, built.encryption, to=other) == 2
    for encryption, fails in ((Encryption(other), False), (built.encryption, True)):
        fresh = built.layer.connect(built.url, keys=RING, encryption=encryption)
        if fails:
            with pytest.raises(KeyUnavailable):
                stored(fresh, ONE)
        else:
            assert stored(fresh, ONE) == written
        fresh.dispose()


def test_a_destroyed_tenant_is_gone_and_the_others_are_not(built: Built, db: Database) -> None:
    fill(db, ONE, 2)
    other = fill(db, TWO, 2)
    assert destroy(built.connection, built.layer, tenant=ONE) == 2
    with db.transaction(tenant=ONE, actor="ann") as session:
        cipher_of(session).forget(ONE)
    with pytest.raises(KeyDestroyed):
        stored(db, ONE)
    with pytest.raises(KeyDestroyed):
        fill(db, ONE, 1)
    with pytest.raises(KeyDestroyed):
        rotate(built.connection, built.layer, built.encryption, tenant=ONE)
    assert stored(db, TWO) == other
    assert destroy(built.connection, built.layer, tenant=ONE) == 0


def test_a_tenant_without_keys_gets_none_after_its_end(built: Built, db: Database) -> None:
    assert destroy(built.connection, built.layer, tenant=ONE) == 0
    with pytest.raises(KeyDestroyed):
        fill(db, ONE, 1)


def test_what_cannot_be_rotated(built: Built) -> None:
    for options in ({"tenant": "no uuid"}, {"batch": 0}):
        with pytest.raises(InputError):
            rotate(built.connection, built.layer, built.encryption, **options)
    with pytest.raises(InputError):
        destroy(built.connection, built.layer, tenant=None)


def test_a_kill_at_any_point_leaves_every_row_readable(built: Built, db: Database, tmp_path: Path) -> None:
    written, dice, killed = fill(db, ONE, 300), random.Random(4), 0
    for number in range(20):
        command = [sys.executable, str(KILLED), built.place.url(), built.name, str(tmp_path / "keys")]
        with subprocess.Popen([*command, str(number % 3)], stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            child.stdout.readline()
            time.sleep(dice.random() * 0.25)
            child.send_signal(signal.SIGKILL)
            killed += child.wait() == -signal.SIGKILL
        assert stored(db, ONE) == written
    assert killed > 0
    found = rotate(built.connection, built.layer, built.encryption, tenant=ONE, resume=True)
    assert found.left == 0
    assert keys_in_use(built, ONE) == {found.key_id.bytes}
    assert stored(db, ONE) == written
