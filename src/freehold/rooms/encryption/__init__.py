"""The encryption room: the application encrypts sensitive columns, and clear text never reaches the server."""

from freehold.kernel.room import Phase, Room
from freehold.rooms.encryption.columns import EncryptedType, Sealed, blind_index_column
from freehold.rooms.encryption.compile import compile_encryption, scope_encryption
from freehold.rooms.encryption.declare import BlindIndex, Encrypted
from freehold.rooms.encryption.door import cipher_info
from freehold.rooms.encryption.probes import probe_encryption
from freehold.rooms.encryption.provider import Encryption, KeyProvider, Wrapped

ROOM = Room(
    name="encryption",
    phase=Phase.SHAPE,
    declaration=Encrypted,
    compile=compile_encryption,
    scope=scope_encryption,
    probes=probe_encryption,
)

__all__ = [
    "ROOM",
    "BlindIndex",
    "Encrypted",
    "EncryptedType",
    "Encryption",
    "KeyProvider",
    "Sealed",
    "Wrapped",
    "blind_index_column",
    "cipher_info",
]
