"""Where in its write-ahead log a cluster stood: what a reader must have seen, as a token that travels in a header."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from psycopg import pq

from freehold.errors import PositionInvalid
from freehold.runtime.keys import KeyRing

VERSION = "1"
MAC_BYTES = 12
"""Of HMAC-SHA-256: a forged position could make readers wait and fall back, and nothing more."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the log: comparable within one system identifier and one timeline alone.

    Parameters
    ----------
    system_identifier
        PostgreSQL's name of the cluster, the same on all its replicas and restored copies.
    timeline
        Grows with every promotion and every restore to a point in time.
    lsn
        The log sequence number in bytes.
    """

    system_identifier: int
    timeline: int
    lsn: int

    @classmethod
    def read(cls, answer: pq.abc.PGresult) -> Position | None:
        """The position in the first three columns of an answer; None where it is an error."""
        if answer.status != pq.ExecStatus.TUPLES_OK:
            return None
        system, timeline, lsn = (int(answer.get_value(0, column) or 0) for column in range(3))
        return cls(system, timeline, lsn)

    def token(self, keys: KeyRing) -> str:
        """The position as signed text of letters, digits, dots and hyphens."""
        body = f"{VERSION}.{self.system_identifier:x}.{self.timeline:x}.{self.lsn:x}"
        key = keys.signing
        return f"{body}.{key.key_id}.{_mac(key.secret, body)}"

    @classmethod
    def parse(cls, token: str, keys: KeyRing) -> Position:
        """A position from its token.

        Raises
        ------
        PositionInvalid
            It is malformed, or signed with a key that is not in the ring.
        """
        body, signature = _split(token)
        key_id, _, mac = signature.rpartition(".")
        secret = next((key.secret for key in keys.keys if key.key_id == key_id), None)
        if secret is None or not hmac.compare_digest(_mac(secret, body).encode(), mac.encode()):
            raise _invalid()
        version, system, timeline, lsn = body.split(".")
        if version != VERSION:
            raise _invalid()
        return cls(int(system, 16), int(timeline, 16), int(lsn, 16))

    def newest(self, other: Position | None) -> Position:
        """The later of two positions of one cluster; that of the later timeline where they differ."""
        return self if other is None else max(self, other)


def _split(token: str) -> tuple[str, str]:
    parts = token.split(".", 4)
    if len(parts) != 5 or not token.isascii():
        raise _invalid()
    return ".".join(parts[:4]), parts[4]


def _mac(secret: bytes, body: str) -> str:
    return hmac.digest(secret, b"freehold position|" + body.encode("ascii"), "sha256")[:MAC_BYTES].hex()


def _invalid() -> PositionInvalid:
    return PositionInvalid(
        "The position token is not one of this application",
        hint="Send back what session.position gave, unchanged; without a token the read still works.",
    )
