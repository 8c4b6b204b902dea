"""Key providers: a file, AWS KMS against a moto server, and the wire of Vault and Google against the documented one."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.api_core.exceptions import ServiceUnavailable
from moto.server import ThreadedMotoServer

from freehold.errors import ConfigError, KeyUnavailable
from freehold.rooms.encryption import Encryption, KeyProvider, Wrapped
from freehold.rooms.encryption.aws import AwsKms
from freehold.rooms.encryption.google import GoogleKms, crc32c
from freehold.rooms.encryption.keys import context_of
from freehold.rooms.encryption.local_keys import LocalKeyFile
from freehold.rooms.encryption.vault import VaultTransit

from .layer import ONE

KEY = bytes(range(32))
HERE = {"tenant": str(ONE), "key": "k", "purpose": "data"}
SHARED = context_of("", ONE, "data")


def keeps(provider: KeyProvider) -> Wrapped:
    """A provider opens what it wrapped, in its context and in no other."""
    for context in (HERE, SHARED):
        wrapped = provider.wrap(KEY, context)
        assert provider.unwrap(wrapped, context) == KEY
        assert KEY not in wrapped.data
    for other in ({**HERE, "tenant": "other"}, {**HERE, "key": "l"}, {**HERE, "purpose": "index"}):
        with pytest.raises(KeyUnavailable):
            provider.unwrap(provider.wrap(KEY, HERE), other)
    wrapped = provider.wrap(KEY, HERE)
    with pytest.raises(KeyUnavailable) as told:
        provider.unwrap(Wrapped(wrapped.provider_key, wrapped.data[:-6]), HERE)
    assert repr(KEY) not in str(told.value)
    return wrapped


def test_a_key_file_has_versions(tmp_path: Path) -> None:
    provider = LocalKeyFile.create(tmp_path / "keys")
    first = keeps(provider)
    provider.add("2")
    assert keeps(provider).provider_key == "2"
    assert provider.unwrap(first, HERE) == KEY
    with pytest.raises(ConfigError):
        LocalKeyFile.create(tmp_path / "keys")
    with pytest.raises(ConfigError):
        provider.add("2")


@pytest.mark.parametrize("text", ["", "1:short\n", "1\n", f"1:{base64.b64encode(KEY).decode()}\n" * 2, "\x00:=\n"])
def test_a_key_file_that_holds_no_keys(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(ConfigError):
        LocalKeyFile(path)


def test_a_key_file_that_others_read(tmp_path: Path) -> None:
    provider = LocalKeyFile.create(tmp_path / "keys")
    (tmp_path / "keys").chmod(0o640)
    with pytest.raises(ConfigError):
        provider.wrap(KEY, HERE)
    with pytest.raises(ConfigError):
        LocalKeyFile(tmp_path / "none")
    with pytest.raises(ConfigError):
        Encryption(provider, seconds=0)


@pytest.fixture
def aws() -> Iterator[dict[str, str]]:
    server = ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield {
        "endpoint_url": f"http://{host}:{port}",
        "region_name": "eu-central-1",
        "aws_access_key_id": "moto",
        "aws_secret_access_key": "moto",
    }
    server.stop()


def test_aws_kms_with_a_key_of_each_tenant(aws: dict[str, str]) -> None:
    client: Any = boto3.client("kms", **aws)
    arns = []
    for tenant in (str(ONE), "shared"):
        made = client.create_key()["KeyMetadata"]
        client.create_alias(AliasName=f"alias/freehold-{tenant}", TargetKeyId=made["KeyId"])
        arns.append(made["Arn"])
    provider = AwsKms("alias/freehold-{tenant}", **aws)
    wrapped = keeps(provider)
    assert wrapped.provider_key == arns[0]
    with pytest.raises(KeyUnavailable):
        provider.wrap(KEY, {**HERE, "tenant": "nobody"})


def test_aws_kms_that_does_not_answer(aws: dict[str, str]) -> None:
    provider = AwsKms("alias/x", **{**aws, "endpoint_url": "http://127.0.0.1:9"})
    with pytest.raises(KeyUnavailable):
        provider.wrap(KEY, HERE)


Answer = Callable[[str, dict[str, str], dict[str, str]], tuple[int, Any]]


class Transit:
    """Vault's transit engine as its API documents it: versions in the ciphertext, associated data, errors."""

    def __init__(self) -> None:
        self.keys = {f"freehold-{tenant}": os.urandom(32) for tenant in (str(ONE), "other", "shared")}

    def __call__(self, path: str, headers: dict[str, str], body: dict[str, str]) -> tuple[int, Any]:
        _, version, mount, verb, name = path.split("/")
        if headers.get("X-Vault-Token") != "s.token":
            return 403, {"errors": ["permission denied"]}
        if (version, mount) != ("v1", "transit") or name not in self.keys:
            return 400, {"errors": ["encryption key not found"]}
        data = base64.b64decode(body["associated_data"])
        if verb == "encrypt":
            nonce = os.urandom(12)
            sealed = AESGCM(self.keys[name]).encrypt(nonce, base64.b64decode(body["plaintext"]), data)
            return 200, {
                "data": {"ciphertext": f"vault:v1:{base64.b64encode(nonce + sealed).decode()}", "key_version": 1}
            }
        try:
            raw = base64.b64decode(body["ciphertext"].removeprefix("vault:v1:"))
            clear = AESGCM(self.keys[name]).decrypt(raw[:12], raw[12:], data)
        except (InvalidTag, ValueError):
            return 400, {"errors": ["cipher: message authentication failed"]}
        return 200, {"data": {"plaintext": base64.b64encode(clear).decode()}}


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], str]]:
    servers: list[ThreadingHTTPServer] = []

    def start(answer: Answer) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                headers = {name.title(): value for name, value in self.headers.items()}
                code, found = answer(self.path, headers, body)
                self.send_response(code)
                self.send_header("Location", "http://127.0.0.1:9/")
                self.end_headers()
                self.wfile.write(found if isinstance(found, bytes) else json.dumps(found).encode())

            def log_message(self, *arguments: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_vault_by_its_documented_wire(serve: Callable[[Answer], str]) -> None:
    address = serve(Transit())
    keeps(VaultTransit(address, "freehold-{tenant}", token=lambda: "s.token"))
    with pytest.raises(KeyUnavailable):
        VaultTransit(address, "freehold-{tenant}", token=lambda: "wrong").wrap(KEY, HERE)


@pytest.mark.parametrize("answer", [(500, b""), (200, b"no json"), (200, b"{}"), (200, b"[]"), (307, b"{}")])
def test_a_vault_that_answers_something_else(serve: Callable[[Answer], str], answer: tuple[int, bytes]) -> None:
    provider = VaultTransit(serve(lambda *_: answer), "key", token=lambda: "s.token")
    with pytest.raises(KeyUnavailable):
        provider.wrap(KEY, HERE)


def test_a_token_is_sent_over_tls_alone() -> None:
    for address in ("http://vault.example.org", "ftp://vault", "vault"):
        with pytest.raises(ConfigError):
            VaultTransit(address, "key")
    with pytest.raises(KeyUnavailable):
        VaultTransit("http://127.0.0.1:9", "key").wrap(KEY, HERE)


class Google:
    """The client's two calls, with the requests and answers that the API documents."""

    def __init__(self) -> None:
        self.key, self.flips, self.down = os.urandom(32), False, False

    def encrypt(self, request: dict[str, Any], timeout: float) -> Any:
        self._check(request, "plaintext")
        nonce = os.urandom(12)
        data = request["additional_authenticated_data"]
        sealed = nonce + AESGCM(self.key).encrypt(nonce, request["plaintext"], data)
        return SimpleNamespace(
            name=f"{request['name']}/cryptoKeyVersions/1",
            ciphertext=sealed,
            ciphertext_crc32c=crc32c(sealed) ^ self.flips,
            verified_plaintext_crc32c=True,
            verified_additional_authenticated_data_crc32c=True,
        )

    def decrypt(self, request: dict[str, Any], timeout: float) -> Any:
        self._check(request, "ciphertext")
        raw = request["ciphertext"]
        try:
            clear = AESGCM(self.key).decrypt(raw[:12], raw[12:], request["additional_authenticated_data"])
        except InvalidTag as error:
            raise ServiceUnavailable("Decryption failed") from error  # type: ignore[no-untyped-call]
        return SimpleNamespace(plaintext=clear, plaintext_crc32c=crc32c(clear) ^ self.flips)

    def _check(self, request: dict[str, Any], part: str) -> None:
        if self.down:
            raise ServiceUnavailable("down")  # type: ignore[no-untyped-call]
        assert "cryptoKeyVersions" not in request["name"]
        assert crc32c(request[part]) == request[f"{part}_crc32c"]


def test_google_by_its_documented_calls() -> None:
    client = Google()
    provider = GoogleKms("projects/p/locations/l/keyRings/r/cryptoKeys/freehold-{tenant}", client)
    wrapped = keeps(provider)
    assert crc32c(b"123456789") == 0xE3069283
    assert wrapped.provider_key.endswith(f"freehold-{ONE}/cryptoKeyVersions/1")
    client.flips = True
    for call in (lambda: provider.wrap(KEY, HERE), lambda: provider.unwrap(wrapped, HERE)):
        with pytest.raises(KeyUnavailable):
            call()
    client.flips, client.down = False, True
    with pytest.raises(KeyUnavailable):
        provider.wrap(KEY, HERE)
