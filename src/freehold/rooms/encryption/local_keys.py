"""A key provider that is a file of key-encrypting keys, for one machine and for tests."""

from __future__ import annotations

import base64
import binascii
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from freehold.rooms.encryption.provider import Context, Wrapped, bound_to, refused_file, unavailable


class LocalKeyFile:
    """Key-encrypting keys in a file that only its owner reads: one ``version:base64`` a line, the newest last.

    Parameters
    ----------
    path
        The file. It is read at each use, so that a new version is used without a restart.

    Raises
    ------
    ConfigError
        The file is not there, others may read it, or a line is no key.
    """

    name = "local"

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._keys()

    @classmethod
    def create(cls, path: str | os.PathLike[str], version: str = "1") -> LocalKeyFile:
        """A file with a first key; one that is there already is left alone, which is an error."""
        text = f"{version}:{base64.b64encode(os.urandom(32)).decode()}\n"
        try:
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except OSError as error:
            raise refused_file(path, f"cannot be made: {error.strerror}") from error
        with os.fdopen(handle, "w") as file:
            file.write(text)
        return cls(path)

    def add(self, version: str) -> None:
        """Add a new key, which wraps from now on; the older ones stay, to unwrap what they wrapped."""
        if version in self._keys() or ":" in version or not version.isprintable():
            raise refused_file(self._path, f"cannot have another version {version!r}")
        with self._path.open("a") as file:
            file.write(f"{version}:{base64.b64encode(os.urandom(32)).decode()}\n")

    def wrap(self, key: bytes, context: Context) -> Wrapped:
        """Wrap with the newest version."""
        version, wrapping = list(self._keys().items())[-1]
        nonce = os.urandom(12)
        return Wrapped(version, nonce + AESGCM(wrapping).encrypt(nonce, key, bound_to(context)))

    def unwrap(self, wrapped: Wrapped, context: Context) -> bytes:
        """Unwrap with the version that wrapped."""
        try:
            wrapping = self._keys()[wrapped.provider_key]
            return AESGCM(wrapping).decrypt(wrapped.data[:12], wrapped.data[12:], bound_to(context))
        except (KeyError, InvalidTag, ValueError) as error:
            raise unavailable(self.name, wrapped.provider_key, error) from error

    def _keys(self) -> Mapping[str, bytes]:
        try:
            with self._path.open() as file:
                mode = os.fstat(file.fileno()).st_mode
                lines = [line.strip() for line in file if line.strip()]
        except (OSError, UnicodeDecodeError) as error:
            raise refused_file(self._path, f"cannot be read: {type(error).__name__}") from error
        if stat.S_IMODE(mode) & 0o077:
            raise refused_file(self._path, f"may be read by others: its mode is {stat.S_IMODE(mode):04o}")
        return self._parsed(lines)

    def _parsed(self, lines: list[str]) -> Mapping[str, bytes]:
        found: dict[str, bytes] = {}
        for number, line in enumerate(lines, 1):
            version, _, text = line.partition(":")
            try:
                key = base64.b64decode(text, validate=True)
            except binascii.Error:
                key = b""
            if len(key) != 32 or not version or version in found:
                raise refused_file(self._path, f"has no key, or one that was named before, in line {number}")
            found[version] = key
        if not found:
            raise refused_file(self._path, "holds no key")
        return found
