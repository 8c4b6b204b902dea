"""A key provider that is Google Cloud KMS, through google-cloud-kms, which importing this module needs."""

from __future__ import annotations

from typing import Any

from freehold.errors import KeyUnavailable, PackageMissing
from freehold.rooms.encryption.provider import SECONDS, Context, Wrapped, bound_to, key_name, unavailable

try:
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError
    from google.cloud import kms
except ModuleNotFoundError as error:
    raise PackageMissing(
        "GoogleKms needs google-cloud-kms", hint="Install it: pip install 'freehold[kms-google]'."
    ) from error

FAULTS = (GoogleAPIError, GoogleAuthError)


class GoogleKms:
    """Key-encrypting keys in Google Cloud KMS; the context is the additional authenticated data.

    Source: the API's Encrypt and Decrypt, with the checksums (CRC32C) that its guide on data integrity asks for.

    Parameters
    ----------
    key
        ``projects/p/locations/l/keyRings/r/cryptoKeys/k``; ``{tenant}`` in it stands for the tenant.
    client
        A ``KeyManagementServiceClient``; one of its own where it is not given.
    """

    name = "google-kms"

    def __init__(self, key: str, client: Any = None) -> None:
        self._key = key
        self._client: Any = client if client is not None else kms.KeyManagementServiceClient()

    def wrap(self, key: bytes, context: Context) -> Wrapped:
        """Encrypt with the primary version of the key of the context's tenant."""
        name, data = key_name(self._key, context), bound_to(context)
        request = {"name": name, "plaintext": key, "plaintext_crc32c": crc32c(key)}
        found = self._asked(self._client.encrypt, name, request, data)
        checked = found.verified_plaintext_crc32c and found.verified_additional_authenticated_data_crc32c
        if not checked or crc32c(found.ciphertext) != found.ciphertext_crc32c:
            raise self._corrupted(name)
        return Wrapped(str(found.name), bytes(found.ciphertext))

    def unwrap(self, wrapped: Wrapped, context: Context) -> bytes:
        """Decrypt; the ciphertext names the version."""
        name = wrapped.provider_key.partition("/cryptoKeyVersions/")[0]
        request = {"name": name, "ciphertext": wrapped.data, "ciphertext_crc32c": crc32c(wrapped.data)}
        found = self._asked(self._client.decrypt, name, request, bound_to(context))
        if crc32c(found.plaintext) != found.plaintext_crc32c:
            raise self._corrupted(name)
        return bytes(found.plaintext)

    def _asked(self, call: Any, name: str, request: dict[str, Any], data: bytes) -> Any:
        more = {"additional_authenticated_data": data, "additional_authenticated_data_crc32c": crc32c(data)}
        try:
            return call(request={**request, **more}, timeout=SECONDS)
        except FAULTS as error:
            raise unavailable(self.name, name, error) from error

    def _corrupted(self, name: str) -> KeyUnavailable:
        return KeyUnavailable(
            f"An answer of {self.name} for {name!r} was altered on its way", hint="Run again; see the network's health."
        )


def crc32c(data: bytes) -> int:
    """The checksum CRC-32C (Castagnoli) of a few bytes.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    found = 0xFFFFFFFF
    for byte in data:
        found ^= byte
        for _ in range(8):
            found = found >> 1 ^ (0x82F63B78 if found & 1 else 0)
    return found ^ 0xFFFFFFFF
