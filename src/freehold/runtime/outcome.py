"""Exactly once: a keyed transaction stores its outcome with its work, and a lost reply is settled by asking for it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from psycopg import pq

from freehold.errors import InputError, KeyReused, OutcomeError, ResultNotStorable
from freehold.kernel.template import read_sql
from freehold.runtime.exchange import Command

CLAIM, CLAIM_HERE, RECORD, RESOLVE = (
    read_sql("freehold.runtime", name).encode()
    for name in ("claim_outcome", "claim_outcome_here", "record_outcome", "resolve_outcome")
)
LONGEST_KEY = 512
"""Bytes of a key in UTF-8."""


class Verdict(Enum):
    """What became of a transaction whose COMMIT was not answered."""

    COMMITTED = "committed"
    """It is stored, on this timeline, and its result with it."""
    ABORTED = "aborted"
    """It is not stored and never will be."""
    LOST = "lost"
    """A failover or restore has dropped it: it may have been stored on the former timeline, and is not on this one."""
    UNKNOWN = "unknown"
    """The database cannot be asked now, or is not the one that the transaction ran on."""


@dataclass(frozen=True, slots=True)
class Settled:
    """A verdict, with the stored result where there is one, and the reason where it is unknown."""

    verdict: Verdict
    result: Any = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a transaction ran: the cluster's system identifier and its timeline."""

    system_identifier: int = 0
    timeline: int = 0

    @classmethod
    def read(cls, answer: pq.abc.PGresult) -> Place:
        """From the first two columns of an answer."""
        return cls(int(answer.get_value(0, 0) or 0), int(answer.get_value(0, 1) or 0))

    @property
    def known(self) -> bool:
        """Whether it was learned."""
        return self.system_identifier != 0


class Replay(BaseException):
    """The key has an outcome: the function's work is not done again. No error, and no code's to catch."""

    def __init__(self, result: Any) -> None:
        super().__init__("the key has a committed outcome")
        self.result = result


class Superseded(BaseException):
    """The key carries a tombstone of this epoch, which the next attempt has to name. No error, like Replay."""

    def __init__(self, epoch: int) -> None:
        super().__init__("the key carries a tombstone")
        self.epoch = epoch


@dataclass(slots=True)
class Claim:
    """One attempt under a key: what it claims, and where it ran.

    ``epoch`` counts the tombstones that the key has had. An attempt stores its outcome under the epoch it knows, and
    resolving raises it, so that a COMMIT which arrives after its verdict cannot be carried out.
    """

    key: str
    request_hash: bytes
    epoch: int = 0
    place: Place = Place()

    @classmethod
    def of(cls, key: str, request: Any) -> Claim:
        """A claim of a key for a request, which may be any value that JSON can say.

        Raises
        ------
        InputError
            The key is empty or too long, or the request cannot be told as JSON.
        """
        if not key or len(key.encode()) > LONGEST_KEY:
            raise InputError(
                f"The key of a transaction has {len(key.encode())} bytes",
                hint=f"Give 1 to {LONGEST_KEY} bytes: a UUID, or the digest of what is longer.",
            )
        return cls(key, digest(request))

    def command(self) -> Command:
        """Asks, behind BEGIN, whether the key has an outcome, and where this runs unless that is known."""
        return Command(CLAIM_HERE if self.place.known else CLAIM, (self.key.encode(),))

    def received(self, answer: pq.abc.PGresult) -> None:
        """Take the answer in.

        Raises
        ------
        Replay
            The work was done before, and this is its result.
        Superseded
            The key was given up at another epoch than the one this attempt knows.
        KeyReused
            It was used for another request.
        """
        if not self.place.known:
            self.place = Place.read(answer)
        state, request_hash, result, epoch = (answer.get_value(0, column) for column in range(2, 6))
        if state == b"committed":
            raise Replay(self.stored(bytes.fromhex((request_hash or b"")[2:].decode()), result))
        if state is None:
            # A tombstone that this attempt knows of was dropped by a failover.
            self.epoch = 0
        if state == b"aborted" and int(epoch or 0) != self.epoch:
            raise Superseded(int(epoch or 0))

    def stored(self, request_hash: bytes, result: bytes | None) -> Any:
        """The stored result, where it was stored for the same request.

        Raises
        ------
        KeyReused
            It was not.
        """
        if request_hash != self.request_hash:
            raise KeyReused(
                f"The key {self.key!r} was used before, for another request; nothing was done",
                detail=f"request hash stored: {request_hash.hex()[:16]}…, given: {self.request_hash.hex()[:16]}…",
                hint="Use a new key for a new request, and the same key only to repeat the same one.",
            )
        return decode(result)

    def record(self, result: Any) -> Command:
        """Stores the outcome, in front of COMMIT.

        Raises
        ------
        ResultNotStorable
            The result cannot be told as JSON.
        """
        parameters = (self.key.encode(), b"\\x" + self.request_hash.hex().encode(), encode(result), b"%d" % self.epoch)
        return Command(RECORD, parameters)

    def resolve(self) -> Command:
        """Asks for the outcome and, where there is none, makes sure that there never will be."""
        return Command(RESOLVE, (self.key.encode(),))

    def judged(self, answer: pq.abc.PGresult) -> Settled:
        """The verdict of :meth:`resolve`'s answer; the claim then knows the new epoch."""
        now = Place.read(answer)
        state, request_hash, result, epoch = (answer.get_value(0, column) for column in range(2, 6))
        if state == b"committed":
            found = self.stored(bytes.fromhex((request_hash or b"")[2:].decode()), result)
            return Settled(Verdict.COMMITTED, found)
        self.epoch = int(epoch or 0)
        if self.place.system_identifier not in (0, now.system_identifier):
            return Settled(Verdict.UNKNOWN, reason="this is another cluster than the one that the transaction ran on")
        if now.timeline < self.place.timeline:
            return Settled(Verdict.UNKNOWN, reason="this server is on an older timeline than the transaction ran on")
        moved = self.place.timeline not in (0, now.timeline)
        return Settled(Verdict.LOST if moved else Verdict.ABORTED)

    def token(self, tenant: str) -> str:
        """What another process needs to resolve this attempt. It holds no secret and no right."""
        fields = [1, tenant, self.key, self.request_hash.hex(), self.epoch, *asdict(self.place).values()]
        return base64.urlsafe_b64encode(json.dumps(fields).encode()).decode().rstrip("=")

    @classmethod
    def from_token(cls, token: str) -> tuple[str, Claim]:
        """The tenant's text and the claim of a token.

        Raises
        ------
        OutcomeError
            It is none.
        """
        try:
            fields = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
            version, tenant, key, request_hash, epoch, system, timeline = fields
            if version == 1:
                return str(tenant), cls(
                    str(key), bytes.fromhex(request_hash), int(epoch), Place(int(system), int(timeline))
                )
        except (ValueError, TypeError) as error:
            raise _no_token() from error
        raise _no_token()


def _no_token() -> OutcomeError:
    return OutcomeError("This is no token of a transaction", hint="Give the token of a CommitUnknown error, unchanged.")


def digest(request: Any) -> bytes:
    """SHA-256 over the canonical JSON of a request.

    Raises
    ------
    InputError
        JSON cannot say it.
    """
    try:
        text = json.dumps(_plain(request), sort_keys=True, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise InputError(
            "The request of a keyed transaction cannot be told as JSON",
            detail=str(error),
            hint="Give request= the values that tell one request from another, or their digest.",
        ) from error
    return hashlib.sha256(text.encode()).digest()


def encode(result: Any) -> bytes:
    """A result as JSON; UUIDs, decimals, dates, times, durations and bytes keep their types.

    Raises
    ------
    ResultNotStorable
        It holds something else.
    """
    try:
        return json.dumps(_plain(result), separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise ResultNotStorable(
            "The result of a keyed function cannot be stored; the transaction was rolled back",
            detail=str(error),
            hint="Return numbers, text, lists, mappings, UUIDs, decimals, dates or bytes, such as the keys of rows.",
        ) from error


def decode(stored: bytes | str | None) -> Any:
    """What :func:`encode` was given."""
    return None if stored is None else json.loads(stored, object_hook=_restored)


TAG = "$freehold"
_RESTORE: Mapping[str, Any] = {
    "uuid": UUID,
    "decimal": Decimal,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "seconds": lambda text: timedelta(seconds=float(text)),
    "bytes": base64.b64decode,
}


def _plain(value: Any) -> Any:
    match value:
        case None | bool() | int() | float() | str():
            return value.value if isinstance(value, Enum) else value
        case UUID():
            return {TAG: "uuid", "value": str(value)}
        case Decimal():
            return {TAG: "decimal", "value": str(value)}
        case datetime() | date() | time():
            return {TAG: type(value).__name__, "value": value.isoformat()}
        case timedelta():
            return {TAG: "seconds", "value": repr(value.total_seconds())}
        case bytes():
            return {TAG: "bytes", "value": base64.b64encode(value).decode()}
        case Mapping():
            return {_name(key): _plain(part) for key, part in value.items()}
        case Sequence():
            return [_plain(part) for part in value]
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    raise TypeError(f"a {type(value).__name__} has no form in JSON")


def _name(key: Any) -> str:
    if not isinstance(key, str) or key == TAG:
        raise TypeError(f"{key!r} cannot be a name in JSON")
    return key


def _restored(found: dict[str, Any]) -> Any:
    kind = _RESTORE.get(found.get(TAG, ""))
    return kind(found["value"]) if kind else found
