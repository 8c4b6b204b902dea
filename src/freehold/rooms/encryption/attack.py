"""Attacks on stored values at any size: transplants, flips, truncations and downgrades; none may be accepted."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from freehold.errors import CiphertextRefused
from freehold.rooms.encryption.envelope import seal, unseal
from freehold.rooms.encryption.header import BODY_AT, KEY_AT, NONCE_AT, Place, key_of

PLACE = Place("shop", "contact", "email", str(UUID(int=1)), (str(UUID(int=1)), str(UUID(int=7))))


@dataclass(frozen=True, slots=True)
class Attacked:
    """What became of the attacks: how many of each kind were made, and how many were accepted."""

    made: Mapping[str, int]
    accepted: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Victim:
    """A stored value, the keys that the attacker's reader has, and where the value belongs."""

    dice: random.Random
    keys: Mapping[UUID, AESGCM]
    value: bytes
    place: Place

    def _opened(self, value: bytes, place: Place) -> bool:
        """Whether a reader at a place takes a value."""
        try:
            key = self.keys.get(key_of(value))
            if key is None:
                return False
            unseal(key, value, place)
        except CiphertextRefused:
            return False
        return True

    def transplant_row(self) -> bool:
        return self._opened(self.value, self.place._replace(key=(self.place.key[0], str(UUID(int=self._other())))))

    def transplant_column(self) -> bool:
        return self._opened(self.value, self.place._replace(column=self.dice.choice(["phone", "e", "email_", ""])))

    def transplant_table(self) -> bool:
        table = self.dice.choice(["contacts", "account", "shop.contact", ""])
        return self._opened(self.value, self.place._replace(table=table))

    def transplant_tenant(self) -> bool:
        tenant = str(UUID(int=self._other()))
        return self._opened(self.value, self.place._replace(tenant=tenant, key=(tenant, self.place.key[1])))

    def shifted_boundary(self) -> bool:
        """The same letters, parted elsewhere: what an encoding without lengths would take for the same."""
        at = self.dice.randrange(1, len(self.place.column))
        head, tail = self.place.column[:at], self.place.column[at:]
        moved = self.place._replace(table=self.place.table + head, column=tail)
        return self._opened(self.value, moved)

    def more_key_parts(self) -> bool:
        return self._opened(self.value, self.place._replace(key=(*self.place.key, "")))

    def flip(self) -> bool:
        at = self.dice.randrange(len(self.value) * 8)
        changed = bytearray(self.value)
        changed[at // 8] ^= 1 << at % 8
        return self._opened(bytes(changed), self.place)

    def truncate(self) -> bool:
        return self._opened(self.value[: self.dice.randrange(len(self.value))], self.place)

    def extend(self) -> bool:
        return self._opened(self.value + os.urandom(self.dice.randrange(1, 40)), self.place)

    def downgrade(self) -> bool:
        """Another version or algorithm, where this code would read an older format."""
        changed = bytearray(self.value)
        at = self.dice.choice([KEY_AT - 2, KEY_AT - 1])
        changed[at] = self.dice.choice([n for n in range(256) if n != changed[at]])
        return self._opened(bytes(changed), self.place)

    def swap_key(self) -> bool:
        """The name of another key that the reader has."""
        other = self.dice.choice([key for key in self.keys if key != key_of(self.value)])
        return self._opened(self.value[:KEY_AT] + other.bytes + self.value[NONCE_AT:], self.place)

    def splice(self) -> bool:
        """The nonce of one value, and the body of another one of the same place."""
        key = key_of(self.value)
        other = seal(self.keys[key], key, b"another value", self.place)
        return self._opened(self.value[:BODY_AT] + other[BODY_AT:], self.place)

    def _other(self) -> int:
        return self.dice.randrange(8, 1 << 100)


ATTACKS: tuple[Callable[[_Victim], bool], ...] = (
    _Victim.transplant_row,
    _Victim.transplant_column,
    _Victim.transplant_table,
    _Victim.transplant_tenant,
    _Victim.shifted_boundary,
    _Victim.more_key_parts,
    _Victim.flip,
    _Victim.truncate,
    _Victim.extend,
    _Victim.downgrade,
    _Victim.swap_key,
    _Victim.splice,
)


def attack(size: int = 10_000, seed: int = 1) -> Attacked:
    """Make attacks on values that were encrypted for one place, each against a reader that has every key.

    Parameters
    ----------
    size
        How many attacks.
    seed
        Of the choice of attacks; keys, nonces and values are random.

    Raises
    ------
    AssertionError
        A value that nobody touched does not open, so that the attacks would prove nothing.
    """
    dice = random.Random(seed)  # noqa: S311 - it chooses attacks, and no secret
    keys = {UUID(int=dice.getrandbits(128)): AESGCM(os.urandom(32)) for _ in range(3)}
    made, accepted = Counter[str](), Counter[str]()
    for number in range(size):
        key = dice.choice(list(keys))
        clear = os.urandom(dice.randrange(64))
        victim = _Victim(dice, keys, seal(keys[key], key, clear, PLACE), PLACE)
        assert unseal(keys[key], victim.value, PLACE) == clear
        way = ATTACKS[number % len(ATTACKS)]
        made[way.__name__] += 1
        accepted[way.__name__] += way(victim)
    return Attacked(made, {name: count for name, count in accepted.items() if count})
