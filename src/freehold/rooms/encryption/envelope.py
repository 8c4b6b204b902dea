"""The format of a stored value: header, nonce, ciphertext and tag, bound to the place it is stored at."""

from __future__ import annotations

import os
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from freehold.errors import CiphertextRefused
from freehold.rooms.encryption.header import BODY_AT, MAGIC, NONCE_AT, Place


def seal(cipher: AESGCM, key_id: UUID, clear: bytes, place: Place, nonce: bytes = b"") -> bytes:
    """Encrypt a value for a place.

    Parameters
    ----------
    nonce
        Twelve bytes for known-answer tests; random where it is not given, as it must be for everything else.
    """
    header = MAGIC + key_id.bytes
    nonce = nonce or os.urandom(12)
    return header + nonce + cipher.encrypt(nonce, clear, place.associated(header))


def unseal(cipher: AESGCM, value: bytes, place: Place) -> bytes:
    """Decrypt a value that was encrypted for this place.

    Raises
    ------
    CiphertextRefused
        It was altered, or encrypted for another row, column, table or tenant.
    """
    try:
        return cipher.decrypt(value[NONCE_AT:BODY_AT], value[BODY_AT:], place.associated(value[:NONCE_AT]))
    except InvalidTag as error:
        raise CiphertextRefused(
            f"A value of {place.schema}.{place.table}.{place.column} does not open: altered, or from elsewhere",
            hint="Restore the row from its history or a backup; a value cannot be copied from one row to another.",
        ) from error
