"""What a stored value begins with, and the place that it is bound to."""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct
from typing import NamedTuple
from uuid import UUID

from freehold.errors import CiphertextRefused

MAGIC = b"FHE\x01\x01"
"""Three letters, the version of the format, and the algorithm: 1 is AES-256-GCM."""
KEY_AT, NONCE_AT, BODY_AT = len(MAGIC), len(MAGIC) + 16, len(MAGIC) + 28
SHORTEST = BODY_AT + 16
"""Bytes of an encrypted empty value."""
_NUMBER = Struct("<Q").pack
PURPOSE = b"freehold.column.v1"


def pae(pieces: Iterable[bytes]) -> bytes:
    """Pieces in one text that no other pieces have: their count, and each with its length.

    Source: pre-authentication encoding of PASETO, with 64-bit little-endian numbers.
    """
    found = list(pieces)
    out = [_NUMBER(len(found))]
    for piece in found:
        out += (_NUMBER(len(piece)), piece)
    return b"".join(out)


class Place(NamedTuple):
    """Where a value is stored: nothing that was encrypted for one place opens at another.

    Parameters
    ----------
    schema, table, column
        Names in the database.
    tenant
        The tenant as PostgreSQL writes it as text; "" in a shared table.
    key
        The primary key's values as PostgreSQL writes them as text, in the key's order.
    """

    schema: str
    table: str
    column: str
    tenant: str
    key: tuple[str, ...]

    def associated(self, header: bytes) -> bytes:
        """The associated data of a value with this header."""
        # Four texts, then the key parts: how many there are is in the count.
        names = [name.encode() for name in (*self[:4], *self.key)]
        return pae((PURPOSE, header, *names))


def is_sealed(value: bytes) -> bool:
    """Whether a value has the header and the length of an encrypted one."""
    return len(value) >= SHORTEST and value[:KEY_AT] == MAGIC


def key_of(value: bytes) -> UUID:
    """The key that a stored value names.

    Raises
    ------
    CiphertextRefused
        It has no header of this format: it was cut, altered, or never encrypted.
    """
    if not is_sealed(value):
        raise CiphertextRefused(
            "A stored value is not encrypted, is cut off, or has an unknown format",
            hint="Look for a writer that does not encrypt, and restore the row from its history or a backup.",
        )
    return UUID(bytes=bytes(value[KEY_AT:NONCE_AT]))
