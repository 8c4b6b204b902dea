"""The Ed25519 key that signs seals, in a file of its own; it never reaches the database."""

from __future__ import annotations

import os
import stat
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freehold.errors import AuditKeyInvalid, PackageMissing

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


def make_key(path: Path) -> Ed25519PublicKey:
    """Write a new private key to ``path``, readable by its owner only, and the public one to ``path``.pub.

    Raises
    ------
    AuditKeyInvalid
        The file is there already, or cannot be written.
    """
    ed25519, serialization = _library()
    key: Ed25519PrivateKey = ed25519.Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(private)
        path.with_name(f"{path.name}.pub").write_bytes(public)
    except OSError as error:
        raise AuditKeyInvalid(
            f"The key cannot be written to {path}", detail=str(error), hint="A key is never overwritten: name another."
        ) from error
    return key.public_key()


def read_private(path: Path) -> Ed25519PrivateKey:
    """The key that signs.

    Raises
    ------
    AuditKeyInvalid
        There is none, it is open to others, or it is no Ed25519 key.
    """
    ed25519, serialization = _library()
    data = _read(path)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise AuditKeyInvalid(f"{path} can be read by others", hint=f"Run: chmod 600 {path}")
    key: Ed25519PrivateKey = _of(
        ed25519.Ed25519PrivateKey, path, lambda: serialization.load_pem_private_key(data, None)
    )
    return key


def read_public(path: Path) -> Ed25519PublicKey:
    """A key that judges.

    Raises
    ------
    AuditKeyInvalid
        There is none, or it is no Ed25519 key.
    """
    ed25519, serialization = _library()
    data = _read(path)
    key: Ed25519PublicKey = _of(ed25519.Ed25519PublicKey, path, lambda: serialization.load_pem_public_key(data))
    return key


def key_id(key: Ed25519PublicKey) -> str:
    """What a seal calls its key: the beginning of the SHA-256 of the 32 public bytes."""
    return sha256(key.public_bytes_raw()).hexdigest()[:16]


def signed_by(key: Ed25519PublicKey, text: bytes, signature: bytes) -> bool:
    """Whether a key has signed a text."""
    invalid: type[Exception] = import_module("cryptography.exceptions").InvalidSignature
    try:
        key.verify(signature, text)
    except invalid:
        return False
    return True


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise AuditKeyInvalid(
            f"The key {path} cannot be read", detail=str(error), hint="Make one: freehold audit key"
        ) from error


def _of(kind: type[Any], path: Path, load: Any) -> Any:
    try:
        key = load()
    except (ValueError, TypeError) as error:
        raise AuditKeyInvalid(f"{path} holds no key", detail=str(error), hint="Name a PEM file.") from error
    if not isinstance(key, kind):
        raise AuditKeyInvalid(f"{path} is no Ed25519 key of this kind", hint="Make one: freehold audit key")
    return key


def _library() -> tuple[Any, Any]:
    place = "cryptography.hazmat.primitives"
    try:
        return import_module(f"{place}.asymmetric.ed25519"), import_module(f"{place}.serialization")
    except ImportError as missing:
        raise PackageMissing("Seals need cryptography", hint="Install it: pip install 'freehold[crypto]'.") from missing
