"""A key provider that is AWS KMS, through boto3, which importing this module needs."""

from __future__ import annotations

from typing import Any

from freehold.errors import PackageMissing
from freehold.rooms.encryption.provider import SECONDS, Context, Wrapped, key_name, unavailable

try:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError
except ModuleNotFoundError as error:
    raise PackageMissing("AwsKms needs boto3", hint="Install it: pip install 'freehold[kms-aws]'.") from error

FAULTS = (BotoCoreError, ClientError)


class AwsKms:
    """Key-encrypting keys in AWS KMS; the context is the encryption context, which CloudTrail records.

    Source: the API's Encrypt and Decrypt with a symmetric key.

    Parameters
    ----------
    key
        A key id, ARN or alias; ``{tenant}`` in it stands for the tenant, so that each can have a key of its own:
        ``alias/freehold-{tenant}``.
    client
        Options of ``boto3.client("kms", ...)``, such as ``region_name``.
    """

    name = "aws-kms"

    def __init__(self, key: str, **client: Any) -> None:
        self._key = key
        limits = Config(connect_timeout=SECONDS, read_timeout=SECONDS, retries={"total_max_attempts": 2})
        self._client: Any = boto3.client("kms", **{"config": limits, **client})

    def wrap(self, key: bytes, context: Context) -> Wrapped:
        """Encrypt with the key of the context's tenant."""
        name = key_name(self._key, context)
        try:
            found = self._client.encrypt(KeyId=name, Plaintext=key, EncryptionContext=given(context))
        except FAULTS as error:
            raise unavailable(self.name, name, error) from error
        return Wrapped(str(found["KeyId"]), bytes(found["CiphertextBlob"]))

    def unwrap(self, wrapped: Wrapped, context: Context) -> bytes:
        """Decrypt with the key that encrypted, by its ARN."""
        try:
            found = self._client.decrypt(
                KeyId=wrapped.provider_key, CiphertextBlob=wrapped.data, EncryptionContext=given(context)
            )
        except FAULTS as error:
            raise unavailable(self.name, wrapped.provider_key, error) from error
        return bytes(found["Plaintext"])


def given(context: Context) -> dict[str, str]:
    """The encryption context, which takes no empty values."""
    return {name: value for name, value in context.items() if value}
