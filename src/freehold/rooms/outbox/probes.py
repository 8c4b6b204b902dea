"""Attacks on the promise that messages belong to their tenant, go out in order, and only by way of a relay."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.kernel.model import Model
from freehold.kernel.names import Sql, trusted
from freehold.kernel.objects import Key
from freehold.kernel.room import Expectation, Probe, Raises, Returns
from freehold.kernel.template import fill
from freehold.rooms.outbox.declare import Outbox
from freehold.rooms.outbox.functions import PACKAGE, SCHEMA

TABLE = Key("table", (SCHEMA, "outbox"))
SEND = Key("function", (SCHEMA, "send_v1", "text, text, jsonb"))
TAKE = Key("function", (SCHEMA, "take_messages_v1", "text[], integer, interval"))
DELIVER = Key("function", (SCHEMA, "deliver_message_v1", "bigint, uuid"))
PURGE = Key("function", (SCHEMA, "purge_messages_v1", "bigint"))
DENIED = Raises("42501")
DIRECT = (
    ("read", "SELECT FROM freehold.outbox LIMIT 0"),
    ("write", "INSERT INTO freehold.outbox (owner) SELECT '' WHERE false"),
    ("change", "UPDATE freehold.outbox SET owner = '' WHERE false"),
    ("remove", "DELETE FROM freehold.outbox WHERE false"),
)
RELAYED = (
    ("take", "SELECT FROM freehold.take_messages_v1('{}', 0, '0')"),
    ("keep", "SELECT freehold.renew_messages_v1('{}', '{}', '0')"),
    ("mark", "SELECT freehold.deliver_message_v1(0, NULL)"),
    ("fail", "SELECT freehold.fail_message_v1(0, NULL, '', NULL)"),
    ("requeue", "SELECT freehold.requeue_messages_v1('{}', '{}')"),
    ("purge", "SELECT freehold.purge_messages_v1(0)"),
)
"""The rights are checked before anything is touched."""


def probe_outbox(declaration: Outbox, model: Model) -> Iterator[Probe]:
    """What the application cannot do, and how a message behaves that it sent; all within one topic of the probes."""
    if Key("role", (model.role("app_a"),)) not in model.objects:
        return
    yield from _closed(model.role("app_a"))
    yield from _sent(declaration, model.role("app_a"))
    yield from _relayed()
    purge = (_text("bind_one"), _text("send_probe"), _text("purge_batch"))
    yield _probe("what is not delivered is not purged", PURGE, _text("list_sent"), _one("prober"), *purge)


def _probe(promise: str, subject: Key, attack: Sql, expect: Expectation, *prepare: Sql, role: str = "") -> Probe:
    return Probe(promise=promise, subject=subject, attack=attack, expect=expect, role=role, prepare=prepare)


def _text(name: str) -> Sql:
    return fill(PACKAGE, name)


def _one(actor: str) -> Returns:
    return Returns((("freehold-one", actor, 1),))


def _closed(role: str) -> Iterator[Probe]:
    for verb, attack in DIRECT:
        yield _probe(f"the application cannot {verb} messages by itself", TABLE, trusted(attack), DENIED, role=role)
    for verb, attack in RELAYED:
        yield _probe(f"the application cannot {verb} messages of a relay", TABLE, trusted(attack), DENIED, role=role)


def _sent(declaration: Outbox, role: str) -> Iterator[Probe]:
    yield _probe("no message is sent without a context", SEND, _text("send_probe"), Raises("FH001"), role=role)
    attack = fill(PACKAGE, "send_large", size=trusted(str(declaration.largest_payload)))
    promise = f"a payload of more than {declaration.largest_payload} bytes is refused"
    yield _probe(promise, SEND, attack, Raises("FH030"), _text("bind_one"), role=role)
    sent = (_text("bind_one"), _text("send_probe"))
    yield _probe(
        "a message names the tenant and the actor of its context", SEND, _text("list_sent"), _one("prober"), *sent
    )


def _relayed() -> Iterator[Probe]:
    send, take = (_text("bind_one"), _text("send_probe")), _text("take_probe")
    ended, count = _text("take_briefly"), _text("count_taken")
    both = (*send, _text("send_probe"))
    yield _probe("a later message of a key waits for the earlier one", TAKE, count, Returns(((1,),)), *both)
    promise = "the next message of a key follows a delivered one"
    yield _probe(promise, TAKE, count, Returns(((1,),)), *both, _text("deliver_taken"))
    yield _probe("a message in the hands of a relay is not taken", TAKE, count, Returns(((0,),)), *send, take)
    yield _probe("a message whose relay is gone is taken again", TAKE, count, Returns(((1,),)), *send, ended)
    promise = "a delivered message is not taken"
    yield _probe(promise, TAKE, count, Returns(((0,),)), *send, _text("deliver_taken"))
    yield _probe(
        "a relay that lost its lease cannot mark the message",
        DELIVER,
        _text("deliver_strange"),
        Returns(((False,),)),
        *send,
        take,
    )
