"""Sending a message with the transaction, and what a relay hands to its targets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects.postgresql import JSONB

SEND = sa.select(
    sa.func.freehold.send_v1(
        sa.bindparam("topic", type_=sa.Text),
        sa.bindparam("key", type_=sa.Text),
        sa.bindparam("payload", type_=JSONB(none_as_null=False)),
        type_=sa.BigInteger,
    )
)
"""The statement behind :func:`send`, for the fast path: ``tx.execute(SEND, sending(topic, payload, key))``."""


def sending(topic: str, payload: Any, key: str | None = None) -> Mapping[str, Any]:
    """The parameters of :data:`SEND`."""
    return {"topic": topic, "key": key, "payload": payload}


def send(session: orm.Session, topic: str, payload: Any, key: str | None = None) -> int:
    """Write a message that is relayed once this transaction has committed, and never if it does not.

    Parameters
    ----------
    topic
        What it is about, such as ``"invoice.paid"``; relays choose their targets by it.
    payload
        Anything that JSON can hold.
    key
        Messages of one owner and key are delivered in the order in which their transactions sent them; such a
        transaction waits for another one that has sent the same key and not ended.

    Returns
    -------
    int
        The message's number.

    Raises
    ------
    MessageInvalid, MessageTooLarge, ContextMissing
    """
    return int(session.execute(SEND, dict(sending(topic, payload, key))).scalar_one())


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a committed transaction, on its way.

    ``owner`` is the text of the tenant that sent it, empty without one; ``attempts`` counts this delivery too.
    """

    id: int
    owner: str
    topic: str
    key: str | None
    payload: Any
    actor: str
    transaction: UUID
    created_at: datetime
    attempts: int
    lease: UUID

    @property
    def token(self) -> str:
        """The same at every delivery of this message and of no other, also after a restore: a receiver knows by it
        what it has seen already.
        """
        return f"msg_{self.transaction.hex}_{self.id}"

    def envelope(self) -> dict[str, Any]:
        """The message as it travels: type, time and data as Standard Webhooks names them, then token and key."""
        return {
            "type": self.topic,
            "timestamp": self.created_at.isoformat(),
            "data": self.payload,
            "id": self.token,
            "key": self.key,
            "owner": self.owner,
        }

    def text(self) -> str:
        """The envelope as JSON, with all characters as they are."""
        return json.dumps(self.envelope(), ensure_ascii=False, separators=(",", ":"))
