"""Seals: nothing is missed while others write, nothing waits, and what is altered afterwards is found and named."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.errors import AuditAnchorInvalid, AuditForked, AuditKeyInvalid
from freehold.rooms.audit import keys, merkle, sealing
from freehold.rooms.audit.verifier import Finding

from .conftest import Built
from .layer import ONE


def naive(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word by word."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256().digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + naive(leaves[:k]) + naive(leaves[k:])).digest()


@given(st.lists(st.binary(max_size=4), max_size=40))
def test_the_tree_is_that_of_rfc_6962(texts: list[bytes]) -> None:
    leaves = [merkle.leaf(text) for text in texts]
    assert merkle.root(leaves) == naive(leaves)


def test_a_known_answer() -> None:
    """From the test data of Certificate Transparency's reference implementation: the first two of its inputs."""
    assert merkle.root([merkle.leaf(b"")]).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    two = merkle.root([merkle.leaf(b""), merkle.leaf(b"\x00")]).hex()
    assert two == "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"


def test_sealed_anchored_and_sound(built: Built) -> None:
    first = built.seal()
    assert (first.seals, first.anchored) == (1, 1)
    assert built.seal() == sealing.Sealed(0, 0, 0)
    built.connection.execute("UPDATE shop.rate SET rate = 3")
    assert built.seal() == sealing.Sealed(1, 1, 1)
    judged = built.judge()
    assert judged.sound
    assert (judged.seals, judged.entries, judged.unanchored) == (2, first.entries + 1, 0)


def test_a_seal_does_not_grow_with_those_before_it(built: Built) -> None:
    for number in range(6):
        built.connection.execute("UPDATE shop.rate SET rate = %s", (number,))
        built.seal()
    sizes = [len(found.statement) for found in built.anchor.read()]
    assert max(sizes) < 600
    assert built.judge().sound


def test_a_running_transaction_is_waited_for_by_nobody(built: Built) -> None:
    """Its entries are the next seal's, and so are those of later ones."""
    with built.place.connect() as slow:
        slow.execute("UPDATE shop.rate SET rate = 10")
        built.connection.execute("UPDATE shop.payment SET amount = 6 WHERE tenant_id = %s", (ONE,))
        before = built.seal().entries
        slow.commit()
    after = built.seal().entries
    assert after == 2
    assert before > 0
    assert built.judge().sound


def test_nothing_is_missed_while_eight_write(built: Built) -> None:
    stop = Event()

    def write(number: int) -> int:
        done = 0
        with built.place.connect() as connection:
            while not stop.is_set():
                connection.execute("INSERT INTO shop.rate VALUES (%s, 1)", (f"{number}/{done}",))
                if done % 3 == 2:
                    connection.rollback()
                    connection.execute("INSERT INTO shop.rate VALUES (%s, 2)", (f"{number}/{done}",))
                connection.commit()
                done += 1
        return done

    with ThreadPoolExecutor(8) as pool:
        writers = [pool.submit(write, number) for number in range(8)]
        sealed = sum(built.seal().entries for _ in range(15))
        stop.set()
        written = sum(writer.result() for writer in writers)
    sealed += built.seal().entries
    stored = built.connection.execute("SELECT count(*) FROM freehold.audit").fetchone()
    judged = built.judge()
    assert judged.sound, judged.findings
    assert written > 0
    assert (sealed, judged.entries) == (stored[0] if stored else 0, sealed)


TAMPERINGS = {
    "edit": ("UPDATE freehold.audit SET actor = 'x' WHERE id = 2", Finding(1, 2, "the entry was altered")),
    "delete": ("DELETE FROM freehold.audit WHERE id = 2", Finding(1, 2, "the entry is gone")),
    "add": (
        "INSERT INTO freehold.audit OVERRIDING SYSTEM VALUE SELECT 999, xid, at, owner, actor, login, transaction_id,"
        " kind, object, action, key, before, after FROM freehold.audit WHERE id = 2",
        Finding(1, 999, "the entry was added after the seal"),
    ),
    "cut the tail": (
        "DELETE FROM freehold.audit WHERE xid > (SELECT max(xid) FROM freehold.audit WHERE kind <> 'data' OR id <= 4);"
        "DELETE FROM freehold.audit_seal WHERE number = 2",
        Finding(2, None, "the anchor knows a seal that the database has not: its tail was cut off"),
    ),
    "a gap": (
        "DELETE FROM freehold.audit_seal WHERE number = 1",
        Finding(1, None, "the seal is not the anchored one: rewritten, or a fork"),
    ),
    "leaves": (
        "UPDATE freehold.audit SET actor = 'x' WHERE id = 2; UPDATE freehold.audit_seal SET leaves = ''",
        Finding(1, None, "entries were altered, and the seal's leaves with them"),
    ),
}


@pytest.mark.parametrize("what", TAMPERINGS)
def test_what_is_altered_is_named(built: Built, what: str) -> None:
    built.seal()
    built.connection.execute("UPDATE shop.rate SET rate = 3")
    built.seal()
    statement, expected = TAMPERINGS[what]
    built.meddle(statement)
    judged = built.judge()
    assert not judged.sound
    assert expected in judged.findings, judged.findings
    assert judged.findings[0].seal == expected.seal


def test_a_rewrite_by_somebody_with_a_key_of_their_own(built: Built) -> None:
    built.seal()
    built.meddle("DELETE FROM freehold.audit WHERE id = 2", "DELETE FROM freehold.audit_seal")
    with pytest.raises(AuditForked):
        built.seal()
    judged = built.judge()
    told = {found.what for found in judged.findings}
    assert "the seal is not the anchored one: rewritten, or a fork" in told
    built.anchor.path.unlink()
    built.meddle("DELETE FROM freehold.audit_seal")
    other = keys.make_key(built.key.with_name("other"))
    sealing.seal(built.connection, keys.read_private(built.key.with_name("other")), built.anchor)
    assert keys.key_id(other) != keys.key_id(keys.read_public(built.key.with_name("audit.key.pub")))
    assert {found.what for found in built.judge().findings} >= {"the seal in the anchor is not signed by a known key"}


def test_a_run_that_ends_between_database_and_anchor(built: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(type(built.anchor), "append", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            built.seal()
    assert built.judge().unanchored == 1
    assert built.seal() == sealing.Sealed(0, 0, 1)
    assert built.judge().sound


def test_files_that_are_not_what_they_should_be(built: Built) -> None:
    built.seal()
    with pytest.raises(AuditKeyInvalid):
        keys.make_key(built.key)
    built.key.chmod(0o644)
    with pytest.raises(AuditKeyInvalid):
        built.seal()
    built.key.chmod(0o600)
    with pytest.raises(AuditKeyInvalid):
        keys.read_private(built.key.with_name("audit.key.pub").rename(built.key.with_name("renamed")))
    with pytest.raises(AuditKeyInvalid):
        keys.read_public(built.key.with_name("missing"))
    built.anchor.path.write_text(built.anchor.path.read_text()[:-20])
    with pytest.raises(AuditAnchorInvalid):
        built.seal()
    built.anchor.path.write_text(json.dumps({"number": 1}))
    with pytest.raises(AuditAnchorInvalid):
        built.seal()
