"""Listeners made of listeners."""

from __future__ import annotations

from freehold.events import Event, Listener


def several(*listeners: Listener) -> Listener:
    """One listener that tells each of these in turn.

    >>> told = []
    >>> several(told.append, told.append)("event")
    >>> told
    ['event', 'event']
    """

    def tell(event: Event) -> None:
        for listener in listeners:
            listener(event)

    return tell
