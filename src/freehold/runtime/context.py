"""The signed context of one transaction: who owns the rows, who acts, which transaction, for how long."""

from __future__ import annotations

import base64
import hashlib
import time
import uuid
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from freehold.runtime.keys import Key

BLOCK = 64
"""Bytes of a block of SHA-256, to which RFC 2104 fills up a key."""
_Hash = Any
LIFETIME = 30.0
"""Seconds; a context is judged by the start of its transaction, so a longer transaction needs no longer context."""


@dataclass(frozen=True, slots=True)
class Context:
    """What the database is told of a transaction.

    ``tenant`` is the text of the tenant's key, empty for a transaction that reaches shared tables alone. ``request_id``
    is not signed: it is for logs and for those who look on.
    """

    tenant: str
    actor: str
    transaction: uuid.UUID = field(default_factory=uuid.uuid4)
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Backend:
    """What a physical connection learned of its server: process id (0 behind a pooler) and clock offset in µs."""

    pid: int = 0
    offset: int = 0


def sign(key: Key, context: Context, backend: Backend, lifetime: float = LIFETIME, now: float | None = None) -> str:
    """The token of a context: HMAC-SHA-256 (RFC 2104) over all fields, in the form that the database reads."""
    issued = int((time.time() if now is None else now) * 1_000_000) + backend.offset
    fields = (
        "v1",
        key.key_id,
        str(issued),
        str(issued + int(lifetime * 1_000_000)),
        str(backend.pid),
        str(context.transaction),
        _encoded(context.actor),
        _encoded(context.tenant),
    )
    message = "|".join(fields)
    return f"{_mac(key.secret, message.encode('ascii'))}|{message}"


def _mac(secret: bytes, message: bytes) -> str:
    """HMAC-SHA-256 from a key's two hashed pads, which are reckoned once: half the time of a whole HMAC."""
    inner, outer = (pad.copy() for pad in _pads(secret))
    inner.update(message)
    outer.update(inner.digest())
    text: str = outer.hexdigest()
    return text


@cache
def _pads(secret: bytes) -> tuple[_Hash, _Hash]:
    block = (hashlib.sha256(secret).digest() if len(secret) > BLOCK else secret).ljust(BLOCK, b"\0")
    return hashlib.sha256(bytes(byte ^ 0x36 for byte in block)), hashlib.sha256(bytes(byte ^ 0x5C for byte in block))


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode("utf-8")).decode("ascii")
