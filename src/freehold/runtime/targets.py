"""Who takes messages: functions, channels of NOTIFY, and the topic patterns that choose between them."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from freehold.errors import InputError
from freehold.runtime.outbox import Message
from freehold.runtime.scope import acting

LARGEST_NOTIFICATION = 7999
"""Bytes that PostgreSQL takes in one notification."""
_SPECIAL = re.compile(r"([\\%_])")


@dataclass(frozen=True, slots=True)
class Notify:
    """A target: NOTIFY on a channel of the same database, in one transaction with the mark.

    The payload is the message's envelope as JSON; where that is larger than PostgreSQL takes, only its ``id``, ``type``
    and ``number``.
    """

    channel: str

    def payload(self, message: Message) -> str:
        """What listeners get."""
        whole = message.text()
        if len(whole.encode()) <= LARGEST_NOTIFICATION:
            return whole
        return json.dumps({"id": message.token, "type": message.topic, "number": message.id})


Target = Callable[[Message], object] | Notify


def check_targets(targets: Mapping[str, Target]) -> None:
    """Refuse what could never deliver.

    Raises
    ------
    InputError
        There are no targets, one is neither a function nor a channel, or one is a coroutine function.
    """
    if not targets:
        raise InputError("The relay has no target", hint='Give topic patterns: {"invoice.*": deliver}.')
    for pattern, target in targets.items():
        if inspect.iscoroutinefunction(target) or not (callable(target) or isinstance(target, Notify)):
            raise InputError(
                f"The target of {pattern!r} is neither a plain function nor a Notify",
                hint="Give a function of a message; it is called in a thread, in which a coroutine has no loop.",
            )


def deliver(target: Callable[[Message], object], message: Message) -> None:
    """Call a target with the tenant and the actor of the message bound, so that its transactions belong to them."""
    with acting(tenant=message.owner or None, actor=message.actor, request_id=message.token):
        answer = target(message)
    if inspect.isawaitable(answer):
        raise TypeError("the target gave an awaitable, which nobody awaits")


def as_like(pattern: str) -> str:
    r"""The pattern, in which ``*`` stands for any text, as LIKE writes it.

    >>> as_like("net_price.*")
    'net\\_price.%'
    """
    return _SPECIAL.sub(r"\\\1", pattern).replace("*", "%")


def first_match(patterns: Iterable[str], topic: str) -> str:
    """The first of the patterns that a topic fits, as PostgreSQL found it by one of them.

    >>> first_match(["order.*", "*"], "invoice.paid")
    '*'
    """
    return next(p for p in patterns if re.fullmatch(re.escape(p).replace(r"\*", ".*"), topic, re.DOTALL))
