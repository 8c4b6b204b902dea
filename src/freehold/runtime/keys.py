"""The keys that the application signs contexts with, from a private file or the environment."""

from __future__ import annotations

import base64
import binascii
import os
import re
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from freehold.errors import ContextKeyMissing

VARIABLE = "FREEHOLD_CONTEXT_KEYS"
SMALLEST = 32
_KEY_ID = re.compile(r"[A-Za-z0-9_.-]{1,40}")


@dataclass(frozen=True, slots=True)
class Key:
    """One signing key; its secret is never shown."""

    key_id: str
    secret: bytes = field(repr=False)

    @classmethod
    def new(cls, key_id: str) -> Key:
        """A key with 64 random bytes, the block size of SHA-256."""
        return cls(key_id, secrets.token_bytes(64))

    @property
    def line(self) -> str:
        """The key as it stands in the file."""
        return f"{self.key_id}:{base64.b64encode(self.secret).decode('ascii')}"


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Keys, of which the first signs; the others are there so that a rotation can be prepared and undone."""

    keys: tuple[Key, ...]

    @property
    def signing(self) -> Key:
        """The key that signs."""
        return self.keys[0]

    @classmethod
    def parse(cls, text: str, source: str) -> KeyRing:
        """Read lines ``key_id:base64secret``; empty lines and lines that begin with ``#`` are passed over.

        Raises
        ------
        ContextKeyMissing
            There is no key, or a line is not one.
        """
        # A comment may hold commas, which else separate keys as line ends do.
        lines = [line for line in map(str.strip, text.split("\n")) if not line.startswith("#")]
        each = [part.strip() for line in lines for part in line.split(",")]
        keys = tuple(_key(part, source) for part in each if part and not part.startswith("#"))
        if not keys:
            raise ContextKeyMissing(f"No context key in {source}", hint="Write a line key_id:base64secret into it.")
        return cls(keys)

    @classmethod
    def read(cls, path: Path) -> KeyRing:
        """Read a file that only its owner can read.

        Raises
        ------
        ContextKeyMissing
            The file is not there, is readable by others, or holds no key.
        """
        try:
            mode = path.stat().st_mode
            text = path.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise ContextKeyMissing(
                f"The context keys in {path} cannot be read",
                detail=_why(error),
                hint="Give the file that 'freehold apply' or 'freehold keys rotate' wrote, readable by this account.",
            ) from error
        if stat.S_IMODE(mode) & 0o077:
            raise ContextKeyMissing(
                f"The file of context keys {path} is open to others (mode {stat.S_IMODE(mode):04o})",
                hint=f"chmod 600 {path}; if others had access, rotate the keys.",
            )
        return cls.parse(text, str(path))

    @classmethod
    def find(
        cls, keys: KeyRing | str | os.PathLike[str] | None, environment: Mapping[str, str] = os.environ
    ) -> KeyRing:
        """A key ring as given, from a file, or from ``FREEHOLD_CONTEXT_KEYS``.

        Raises
        ------
        ContextKeyMissing
            Nothing was given and the variable is not set.
        """
        if isinstance(keys, KeyRing):
            return keys
        if keys is not None:
            return cls.read(Path(keys))
        if not environment.get(VARIABLE):
            raise ContextKeyMissing(
                "The application has no key to sign the tenant context with",
                hint=f"Give connect(keys=...) a file of mode 0600, or set {VARIABLE} to lines key_id:base64secret.",
            )
        return cls.parse(environment[VARIABLE], VARIABLE)


def _why(error: OSError | UnicodeDecodeError) -> str:
    # A decoding error would show a byte of what may be a secret.
    return str(error) if isinstance(error, OSError) else "It is no text."


def _key(line: str, source: str) -> Key:
    key_id, _, encoded = line.partition(":")
    try:
        secret = base64.b64decode(encoded.strip(), validate=True)
    except binascii.Error:
        secret = b""
    if not _KEY_ID.fullmatch(key_id) or len(secret) < SMALLEST:
        # The line itself is a secret and stays out of the message.
        raise ContextKeyMissing(
            f"A line of {source} is not a context key",
            hint=f"Write key_id:base64secret, with a secret of at least {SMALLEST} bytes.",
        )
    return Key(key_id, secret)
