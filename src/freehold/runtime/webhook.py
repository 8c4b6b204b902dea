"""Webhooks as the Standard Webhooks specification has them: a target that signs, and the check for a receiver."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from types import TracebackType
from typing import Self

import httpx

from freehold.errors import InputError, MessageNotTaken, MessageRefused, WebhookForged
from freehold.runtime.outbox import Message

PREFIX = "whsec_"
SMALLEST, LARGEST = 24, 64
"""Bytes of a secret, by the specification."""
TRANSIENT = frozenset({408, 429})
"""Refusals that say "not now"."""
_SECONDS = re.compile(r"\d{1,12}")
RECEIVER = "Ask who runs the receiver; the message waits in the outbox: freehold outbox."
SECRETS = "Verify the bytes as they came, with the secret that the sender signs with, and a clock that is right."


class Webhook:
    """A target that posts each message as JSON to an address.

    A status of 2xx is delivery; 4xx but 408 and 429 is refusal for good; all else, redirections too, is tried again,
    not before a ``Retry-After`` in seconds. The receiver knows a repetition by the header ``webhook-id``.

    Parameters
    ----------
    url
        ``https://`` anywhere, ``http://`` where the way is safe.
    secret
        ``whsec_`` and 24 to 64 bytes in base64; several, while one is replaced: every one signs.
    timeout
        Seconds for the connection, and for each wait for the receiver.

    Raises
    ------
    InputError
        The address or a secret cannot be used.
    """

    def __init__(self, url: str, secret: str | Sequence[str], *, timeout: float = 15.0) -> None:
        _check_address(url)
        self.url = url
        self._keys = _keys(secret)
        # Redirections are not followed: they would carry tenants' data to an address that nobody declared.
        self._client = httpx.Client(timeout=timeout, follow_redirects=False)

    def __call__(self, message: Message) -> None:
        """Post a message.

        Raises
        ------
        MessageRefused
            The receiver will never take it.
        MessageNotTaken
            The receiver did not take it this time, or did not answer.
        """
        body = message.text().encode()
        headers = {"content-type": "application/json", **signed_headers(self._keys, message.token, body)}
        try:
            with self._client.stream("POST", self.url, content=body, headers=headers) as response:
                _judge(response)
        except httpx.HTTPError as error:
            raise MessageNotTaken(
                f"The receiver did not answer: {type(error).__name__}", detail=str(error), hint=RECEIVER
            ) from error

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Webhook({self.url!r})"


@dataclass(frozen=True, slots=True)
class Verifier:
    """What a receiver checks requests with.

    Parameters
    ----------
    secret
        The sender's secret; several, while one is replaced: any one will do.
    tolerance
        Seconds that the request's time may differ from this machine's clock.
    """

    secret: str | Sequence[str] = field(repr=False)
    tolerance: float = 300.0

    def verify(self, headers: Mapping[str, str], body: bytes) -> str:
        """The message's token, by which a repetition is known.

        Raises
        ------
        WebhookForged
            A header is missing, the time is another, or no signature fits.
        """
        given = {name.lower(): value for name, value in headers.items()}
        token, stamp = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
        if not token or not _SECONDS.fullmatch(stamp):
            raise WebhookForged("The request has no webhook-id or no webhook-timestamp", hint=SECRETS)
        if abs(time.time() - int(stamp)) > self.tolerance:
            raise WebhookForged("The request is of another time", hint="Compare the clocks of sender and receiver.")
        known = [_signature(key, token, stamp, body) for key in _keys(self.secret)]
        for signature in given.get("webhook-signature", "").encode().split(b" "):
            if any(hmac.compare_digest(signature, own) for own in known):
                return token
        raise WebhookForged("No signature of the request fits", hint=SECRETS)


def signed_headers(keys: Sequence[bytes], token: str, body: bytes) -> dict[str, str]:
    """The three headers of the specification, as of now."""
    stamp = str(int(time.time()))
    signatures = b" ".join(_signature(key, token, stamp, body) for key in keys)
    return {"webhook-id": token, "webhook-timestamp": stamp, "webhook-signature": signatures.decode()}


def _signature(key: bytes, token: str, stamp: str, body: bytes) -> bytes:
    signed = hmac.digest(key, f"{token}.{stamp}.".encode() + body, sha256)
    return b"v1," + base64.b64encode(signed)


def _check_address(url: str) -> None:
    try:
        read = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise InputError(
            "A webhook's address cannot be read", detail=str(error), hint="Write the whole address."
        ) from error
    if read.scheme not in {"http", "https"} or not read.host:
        raise InputError(
            "A webhook's address begins with https:// or http:// and a host", hint="Write the whole address."
        )


def _keys(secret: str | Sequence[str]) -> tuple[bytes, ...]:
    found = tuple(map(_key, [secret] if isinstance(secret, str) else secret))
    if not found:
        raise InputError("A webhook needs a secret", hint="Give the one that the receiver verifies with.")
    return found


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(PREFIX) or not SMALLEST <= len(key) <= LARGEST:
        # The value itself is a secret and stays out of the message.
        raise InputError(
            "A webhook's secret cannot be used",
            hint=f"Write {PREFIX} and {SMALLEST} to {LARGEST} random bytes in base64.",
        )
    return key


def _judge(response: httpx.Response) -> None:
    if response.is_success:
        return
    told = f"The receiver answered {response.status_code}"
    if response.is_client_error and response.status_code not in TRANSIENT:
        raise MessageRefused(told, hint=RECEIVER)
    asked = response.headers.get("retry-after", "")
    raise MessageNotTaken(told, hint=RECEIVER, retry_after=float(asked) if _SECONDS.fullmatch(asked) else None)
