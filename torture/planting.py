"""Defects planted in a recorded history: what a broken database would have shown one of its clients."""

from __future__ import annotations

import random
from dataclasses import replace

from torture.history import Element, History, Operation, Status, Transaction, append, read


def changed_read(history: History, draw: random.Random, element: Element | None) -> list[Transaction]:
    """The history with one read changed: the element put behind what was read, or without one its order reversed."""
    copy = list(history)
    number, place = draw.choice(
        [
            (number, place)
            for number, transaction in enumerate(history)
            if transaction.status is Status.OK
            for place, step in enumerate(transaction.operations)
            if isinstance(step.value, tuple) and len(step.value) > 1
        ]
    )
    step = history[number].operations[place]
    assert isinstance(step.value, tuple)
    seen = (*step.value, element) if element is not None else step.value[::-1]
    steps: list[Operation] = [*history[number].operations]
    steps[place] = read(step.key, seen)
    copy[number] = replace(history[number], operations=steps)
    return copy


def garbage(history: History, draw: random.Random) -> History:
    """A client reads an element that nobody wrote."""
    return changed_read(history, draw, -2)


def aborted_read(history: History, draw: random.Random) -> History:
    """A client reads an element whose transaction was rolled back."""
    changed = changed_read(history, draw, -1)
    keys = {step.key for transaction in changed for step in transaction.operations if _reads(step, -1)}
    return [*changed, Transaction([append(key, -1) for key in keys], Status.FAIL)]


def reordered(history: History, draw: random.Random) -> History:
    """A client reads elements in another order than others."""
    return changed_read(history, draw, None)


def _reads(step: Operation, element: Element) -> bool:
    return isinstance(step.value, tuple) and element in step.value


PLANTS = {"garbage": garbage, "G1a": aborted_read, "incompatible-order": reordered}
"""What plants an anomaly, by the anomaly's name."""


def planted(history: History, draw: random.Random) -> History:
    """The history with one of each."""
    for plant in PLANTS.values():
        history = plant(history, draw)
    return history
