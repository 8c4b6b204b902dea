"""What a queued job carries: whose it is and with which arguments, signed, since the queue itself knows no tenants."""

from __future__ import annotations

import hmac
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from freehold.errors import JobForged
from freehold.runtime.keys import Key, KeyRing

_PURPOSE = "freehold job v1|"
"""Told apart from every other text that the same key signs."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A job's tenant and actor (texts, the tenant empty for none), its arguments, and a name that no other job has."""

    task: str
    tenant: str
    actor: str
    arguments: Mapping[str, Any]
    number: str

    @classmethod
    def of(cls, task: str, tenant: str, actor: str, arguments: Mapping[str, Any]) -> Envelope:
        """The envelope of a new job."""
        return cls(task, tenant, actor, arguments, uuid.uuid4().hex)

    def sealed(self, key: Key) -> dict[str, str]:
        """The envelope as a job's arguments. Its text is kept as it is, since ``jsonb`` writes numbers anew."""
        fields = [self.task, self.tenant, self.actor, dict(self.arguments), self.number]
        text = json.dumps(fields, separators=(",", ":"))
        return {"key_id": key.key_id, "text": text, "signature": _signature(key, text)}


def opened(keys: KeyRing, sealed: Mapping[str, Any], task: str) -> Envelope:
    """The envelope of a job of this task.

    Raises
    ------
    JobForged
        No key of the ring signed it, or it was signed for another task.
    """
    text, given = str(sealed.get("text", "")), str(sealed.get("signature", "")).encode()
    signing = [key for key in keys.keys if key.key_id == sealed.get("key_id")]
    if not any(hmac.compare_digest(_signature(key, text).encode(), given) for key in signing):
        raise JobForged("A queued job is not signed with a key of this application", hint="Who may write the queue?")
    envelope = Envelope(*json.loads(text))
    if envelope.task != task:
        raise JobForged(f"A job of task {envelope.task} was queued as one of {task}", hint="Who may write the queue?")
    return envelope


def _signature(key: Key, text: str) -> str:
    return hmac.digest(key.secret, (_PURPOSE + text).encode(), "sha256").hex()
