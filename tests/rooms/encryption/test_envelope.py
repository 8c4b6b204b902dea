"""The format: known answers, a canonical encoding, and attacks of which none is accepted."""

from __future__ import annotations

from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from freehold.errors import CiphertextRefused
from freehold.rooms.encryption import attack as attacks
from freehold.rooms.encryption.attack import attack
from freehold.rooms.encryption.envelope import seal, unseal
from freehold.rooms.encryption.header import Place, is_sealed, key_of, pae
from freehold.rooms.encryption.keys import DataKey

KEY, NONCE, NAME = bytes(range(32)), bytes(range(12)), UUID(int=0x0123456789ABCDEF0123456789ABCDEF)
PLACE = Place("shop", "contact", "email", "t", ("t", "7"))
ANSWER = (
    "46484501010123456789abcdef0123456789abcdef000102030405060708090a0b"
    "2666b75ba09da376fd2df2a5de9b1ffc384f4016d40033d7b7bbbbc6e2c253"
)
BLIND = "0d348c2670c3b6c99ff89c124c3c62e5"
PARTS = st.lists(st.binary(max_size=12), max_size=6)


def test_known_answers() -> None:
    value = seal(AESGCM(KEY), NAME, b"ada@example.org", PLACE, NONCE)
    assert value.hex() == ANSWER
    assert unseal(AESGCM(KEY), value, PLACE) == b"ada@example.org"
    assert (is_sealed(value), key_of(value)) == (True, NAME)
    blind = DataKey(NAME, KEY, AESGCM(KEY)).blind(("shop", "contact", "email", "t"), b"ada@example.org", 16)
    assert blind.hex() == BLIND


def test_the_encoding_is_that_of_paseto() -> None:
    assert pae([]) == bytes(8)
    assert pae([b""]) == b"\x01" + bytes(15)
    assert pae([b"test"]) == b"\x01" + bytes(7) + b"\x04" + bytes(7) + b"test"


@given(PARTS, PARTS)
def test_two_texts_are_equal_only_where_all_parts_are(one: list[bytes], two: list[bytes]) -> None:
    assert (pae(one) == pae(two)) == (one == two)


@given(st.binary(max_size=60), st.lists(st.text(max_size=5), min_size=1, max_size=3))
def test_what_is_encrypted_opens_at_its_place(clear: bytes, key: list[str]) -> None:
    place = Place("s", "t", "c", "tenant", tuple(key))
    assert unseal(AESGCM(KEY), seal(AESGCM(KEY), NAME, clear, place), place) == clear


@pytest.mark.parametrize(
    "value", [b"", b"clear", b"FHE\x01\x01", b"FHE\x02\x01" + bytes(60), b"FHE\x01\x02" + bytes(9)]
)
def test_another_format_is_refused(value: bytes) -> None:
    with pytest.raises(CiphertextRefused):
        key_of(value)


def test_no_attack_is_accepted() -> None:
    found = attack(10_000)
    assert found.accepted == {}
    assert sum(found.made.values()) == 10_000
    assert min(found.made.values()) > 800


def test_a_reader_that_ignores_the_place_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = Place("", "", "", "", ())
    monkeypatch.setattr(attacks, "seal", lambda key, name, clear, place: seal(key, name, clear, nowhere))
    monkeypatch.setattr(attacks, "unseal", lambda key, value, place: unseal(key, value, nowhere))
    found = attack(600)
    assert set(found.accepted) >= {"transplant_row", "transplant_tenant", "shifted_boundary", "more_key_parts"}
    assert "flip" not in found.accepted
