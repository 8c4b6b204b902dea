"""The signed context of one transaction: who owns the rows, who acts, which transaction, for how long."""

from __future__ import annotations

import base64
import hashlib
import os
import random
import time
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any

from freehold.runtime.keys import Key

BLOCK = 64
"""Bytes of a block of SHA-256, to which RFC 2104 fills up a key."""
_Hash = Any
LIFETIME = 30.0
"""Seconds; a context is judged by the start of its transaction, so a longer transaction needs no longer context."""


_numbers = random.Random()  # noqa: S311  # names transactions; what nobody may guess is the signature
os.register_at_fork(after_in_child=_numbers.seed)


def new_transaction() -> str:
    """A UUID of version 4 (RFC 9562) as text, in a tenth of the time of ``uuid.uuid4()`` and without a system call."""
    digits = f"{_numbers.getrandbits(128):032x}"
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


@dataclass(slots=True)
class Context:
    """What the database is told of a transaction.

    ``tenant`` is the text of the tenant's key, empty for a transaction that reaches shared tables alone. ``request_id``
    is not signed: it is for logs and for those who look on.
    """

    tenant: str
    actor: str
    transaction: str = field(default_factory=new_transaction)
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Backend:
    """What a physical connection learned of its server: process id (0 behind a pooler) and clock offset in µs."""

    pid: int = 0
    offset: int = 0


def sign(key: Key, context: Context, backend: Backend, lifetime: float = LIFETIME, now: float | None = None) -> str:
    """The token of a context: HMAC-SHA-256 (RFC 2104) over all fields, in the form that the database reads."""
    issued = int((time.time() if now is None else now) * 1_000_000) + backend.offset
    message = (
        f"v1|{key.key_id}|{issued}|{issued + int(lifetime * 1_000_000)}|{backend.pid}"
        f"|{context.transaction}|{_encoded(context.actor)}|{_encoded(context.tenant)}"
    )
    return f"{_mac(key.secret, message.encode('ascii'))}|{message}"


def _mac(secret: bytes, message: bytes) -> str:
    """HMAC-SHA-256 from a key's two hashed pads, which are reckoned once: half the time of a whole HMAC."""
    inner_pad, outer_pad = _pads(secret)
    inner, outer = inner_pad.copy(), outer_pad.copy()
    inner.update(message)
    outer.update(inner.digest())
    text: str = outer.hexdigest()
    return text


@cache
def _pads(secret: bytes) -> tuple[_Hash, _Hash]:
    block = (hashlib.sha256(secret).digest() if len(secret) > BLOCK else secret).ljust(BLOCK, b"\0")
    return hashlib.sha256(bytes(byte ^ 0x36 for byte in block)), hashlib.sha256(bytes(byte ^ 0x5C for byte in block))


@lru_cache(maxsize=4096)
def _encoded(text: str) -> str:
    return base64.b64encode(text.encode("utf-8")).decode("ascii")
