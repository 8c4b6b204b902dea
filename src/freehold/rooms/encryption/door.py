"""The way from a data layer to its cipher, which needs the optional package cryptography."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from freehold.errors import PackageMissing
from freehold.rooms.encryption.provider import Encryption

if TYPE_CHECKING:
    from freehold.rooms.encryption.runtime import Layer


def cipher_info(layer: Layer, encryption: Encryption) -> Mapping[str, Any]:
    """What a session finds in its ``info``: the cipher of a layer.

    Raises
    ------
    PackageMissing
        The package cryptography is not installed.
    """
    try:
        runtime = import_module("freehold.rooms.encryption.runtime")
    except ModuleNotFoundError as error:
        raise PackageMissing(
            "Encrypted columns need the package cryptography", hint="Install it: pip install 'freehold[crypto]'."
        ) from error
    return {runtime.CIPHER: runtime.Cipher(layer, encryption)}
