"""What wraps data keys: the interface of a key provider, and the names of the key-encrypting keys that it is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from freehold.errors import ConfigError, KeyUnavailable
from freehold.rooms.encryption.header import pae

SECONDS = 5.0
"""How long a provider is waited for: a transaction is open meanwhile."""
Context = Mapping[str, str]
"""What a wrapped key is bound to: ``tenant``, ``key`` (its id) and ``purpose``."""


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A data key that only its provider opens.

    Parameters
    ----------
    provider_key
        The key-encrypting key and, where the provider tells it, its version.
    data
        The wrapped bytes.
    """

    provider_key: str
    data: bytes


class KeyProvider(Protocol):
    """A keeper of key-encrypting keys: a file, or a key management service."""

    name: str
    """Stored beside each wrapped key, so that a key is never given to another provider."""

    def wrap(self, key: bytes, context: Context) -> Wrapped:
        """Wrap a data key with the newest key-encrypting key.

        Raises
        ------
        KeyUnavailable
            The provider does not answer or refuses.
        """
        ...

    def unwrap(self, wrapped: Wrapped, context: Context) -> bytes:
        """Unwrap a data key that was wrapped in the same context.

        Raises
        ------
        KeyUnavailable
            The provider does not answer or refuses; a changed context is a refusal.
        """
        ...


@dataclass(frozen=True, slots=True)
class Encryption:
    """How a process reaches data keys.

    Parameters
    ----------
    provider
        Wraps and unwraps them.
    keys
        The most unwrapped keys that are kept in memory.
    seconds
        For how long one is kept: a destroyed key is out of use everywhere after that time.

    Raises
    ------
    ConfigError
        A bound is not positive.
    """

    provider: KeyProvider
    keys: int = 10_000
    seconds: float = 300.0

    def __post_init__(self) -> None:
        if self.keys < 4 or self.seconds <= 0:
            raise ConfigError(
                f"{self.keys} keys for {self.seconds:g} s cannot be kept", hint="Keep at least 4, for some seconds."
            )


def bound_to(context: Context) -> bytes:
    """The context in one canonical text, sorted by name, for providers that take associated data."""
    return pae(part.encode() for name in sorted(context) for part in (name, context[name]))


def key_name(template: str, context: Context) -> str:
    """The key-encrypting key of a tenant: ``{tenant}`` in a template stands for the tenant, ``shared`` for none."""
    return template.replace("{tenant}", context["tenant"] or "shared")


def unavailable(name: str, key: str, error: Exception) -> KeyUnavailable:
    """The error of a provider that does not serve a key; the detail is the kind of its error, and never a key."""
    return KeyUnavailable(
        f"The key provider {name} does not serve the key {key!r}",
        detail=type(error).__name__,
        hint="Check that it is reachable, that the key is enabled, and that this process may use it; then run again.",
    )


def refused_file(path: object, why: str) -> ConfigError:
    """The error of a key file that cannot be used."""
    return ConfigError(
        f"The key file {path} {why}",
        hint="Write one 'version:base64 of 32 bytes' a line, newest last, with mode 0600, and keep a copy elsewhere.",
    )
