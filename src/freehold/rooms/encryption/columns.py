"""The type of an encrypted column, the sealed value that stands in statements, and the companion of a blind index."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import MappedColumn, mapped_column

from freehold.errors import ClearTextRefused, InputError
from freehold.kernel.declare import CIPHERTEXT
from freehold.rooms.encryption.header import is_sealed


class Sealed(bytes):
    """An encrypted value, as it is stored; ``Cipher.decrypt`` opens it."""

    def __repr__(self) -> str:
        return f"<Sealed {len(self)} bytes>"


class _Unwrapped(ClearTextRefused, sa.exc.DontWrapMixin):
    """As it is: SQLAlchemy's own error around it would print the statement's parameters."""


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _text(value: Any) -> bytes:
    return str(value).encode()


KINDS: Mapping[str, tuple[type[Any], Callable[[Any], bytes], Callable[[bytes], Any]]] = {
    "str": (str, _text, bytes.decode),
    "bytes": (bytes, bytes, bytes),
    "int": (int, _text, lambda data: int(data)),
    "decimal": (Decimal, _text, lambda data: Decimal(data.decode())),
    "date": (date, lambda value: value.isoformat().encode(), lambda data: date.fromisoformat(data.decode())),
    "json": (object, _json, lambda data: json.loads(data)),
}
"""What a column may hold: the type in Python, and how it becomes bytes and is read again."""


class EncryptedType(sa.types.TypeDecorator[Any]):
    """A bytea column whose values the application encrypts.

    Parameters
    ----------
    kind
        ``str``, ``bytes``, ``int``, ``decimal``, ``date`` or ``json``. Values of ``json`` are not watched for changes
        inside: assign a new one.

    Raises
    ------
    InputError
        The kind is none of these.
    """

    impl = sa.LargeBinary
    cache_ok = True
    ciphertext = True

    def __init__(self, kind: str = "str") -> None:
        super().__init__()
        if kind not in KINDS:
            raise InputError(f"{kind!r} is no kind of encrypted value", hint=f"Use one of {', '.join(KINDS)}.")
        self.kind = kind

    def encode(self, value: Any) -> bytes:
        """A value's bytes.

        Raises
        ------
        InputError
            It is of another type than the column's kind.
        """
        wanted, encode, _ = KINDS[self.kind]
        exact = self.kind == "json" or type(value) is wanted
        if not exact and not (isinstance(value, wanted) and self.kind in {"str", "bytes"}):
            raise InputError(
                f"An encrypted column of {self.kind} cannot take a {type(value).__name__}",
                hint=f"Give a value of type {wanted.__name__}.",
            )
        return encode(value)

    def decode(self, data: bytes) -> Any:
        """The value of decrypted bytes."""
        return KINDS[self.kind][2](data)

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:
        """Let encrypted values pass and nothing else: clear text does not reach the server."""
        if value is None or (isinstance(value, bytes) and is_sealed(value)):
            return value
        raise _Unwrapped(
            "A value for an encrypted column is not encrypted",
            hint="Write it through the ORM in a session that has a cipher, or encrypt it with cipher.encrypt(...); to "
            "look for one, declare a blind index and use cipher.matches(...).",
        )

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:
        """The encrypted value; the ORM decrypts it once the row's key is known."""
        return None if value is None else Sealed(value)


def blind_index_column() -> MappedColumn[bytes | None]:
    """The companion column ``<column>_blind`` of a column with a blind index; the ORM fills it."""
    return mapped_column(sa.LargeBinary, nullable=True, info={CIPHERTEXT: True})
