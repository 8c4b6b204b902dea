"""A key provider that is the transit engine of HashiCorp Vault or OpenBao, over plain HTTP."""

from __future__ import annotations

import base64
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any

from freehold.errors import ConfigError
from freehold.rooms.encryption.provider import SECONDS, Context, Wrapped, bound_to, key_name, unavailable


class VaultTransit:
    """Key-encrypting keys in Vault's transit engine; the context is the associated data.

    Source: the transit API's ``encrypt/:name`` and ``decrypt/:name`` with ``associated_data``, for keys of the type
    ``aes256-gcm96`` (Vault 1.9 or later).

    Parameters
    ----------
    address
        ``https://vault.example.org:8200``; plain http is taken on the loopback interface alone.
    key
        The key's name; ``{tenant}`` in it stands for the tenant.
    token
        Gives the token at each use; that of the variable ``VAULT_TOKEN`` where it is not given.
    mount, namespace
        Where the engine is mounted, and the namespace of Vault Enterprise.

    Raises
    ------
    ConfigError
        The address is not one that a token may be sent to.
    """

    name = "vault-transit"

    def __init__(
        self,
        address: str,
        key: str,
        *,
        token: Callable[[], str] = lambda: os.environ.get("VAULT_TOKEN", ""),
        mount: str = "transit",
        namespace: str = "",
    ) -> None:
        parts = urllib.parse.urlsplit(address)
        near = parts.scheme == "http" and parts.hostname in {"127.0.0.1", "::1", "localhost"}
        if (parts.scheme != "https" and not near) or not parts.hostname:
            raise ConfigError(f"No token is sent to {address!r}", hint="Give an https address.")
        self._address, self._key, self._mount = address.rstrip("/"), key, mount.strip("/")
        self._token, self._namespace = token, namespace
        # Without redirections: a token goes to the address that it is meant for.
        self._opener = urllib.request.build_opener(_NoRedirection)

    def wrap(self, key: bytes, context: Context) -> Wrapped:
        """Encrypt with the newest version of the key of the context's tenant."""
        name = key_name(self._key, context)
        body = {"plaintext": _base64(key), "associated_data": _base64(bound_to(context))}
        return Wrapped(name, self._asked("encrypt", name, body, "ciphertext").encode())

    def unwrap(self, wrapped: Wrapped, context: Context) -> bytes:
        """Decrypt; the ciphertext names the version."""
        body = {"ciphertext": wrapped.data.decode(), "associated_data": _base64(bound_to(context))}
        found = self._asked("decrypt", wrapped.provider_key, body, "plaintext")
        try:
            return base64.b64decode(found, validate=True)
        except ValueError as error:
            raise unavailable(self.name, wrapped.provider_key, error) from error

    def _asked(self, verb: str, name: str, body: dict[str, str], part: str) -> str:
        url = f"{self._address}/v1/{self._mount}/{verb}/{urllib.parse.quote(name, safe='')}"
        headers = {"X-Vault-Token": self._token(), "X-Vault-Request": "true", "Content-Type": "application/json"}
        if self._namespace:
            headers["X-Vault-Namespace"] = self._namespace
        request = urllib.request.Request(url, json.dumps(body).encode(), headers, method="POST")  # noqa: S310 - checked
        try:
            with self._opener.open(request, timeout=SECONDS) as answer:
                return str(json.loads(answer.read())["data"][part])
        except (OSError, ValueError, KeyError, TypeError) as error:
            if isinstance(error, urllib.error.HTTPError):
                error.close()
            raise unavailable(self.name, name, error) from error


class _NoRedirection(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments: Any, **options: Any) -> None:
        return None


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
