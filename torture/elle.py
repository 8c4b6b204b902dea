"""A checker of list-append histories: which anomalies of isolation are in what the clients saw (Elle's method).

Kingsbury and Alvaro, "Elle: Inferring Isolation Anomalies from Experimental Observations" (VLDB 2020). It is sound and
not complete: what it reports happened, and what it does not report may have.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from torture.cycles import KINDS, ORDER, RW, WR, WW, classify, components
from torture.history import Element, History, Key, Status, Transaction

Version = tuple[Element, ...]
DIRECT = ("duplicate", "garbage", "incompatible-order", "internal", "G1a", "G1b", "dirty-update", "lost-update")
CYCLIC = ("G0", "G1c", "G-single", "G-nonadjacent", "G2-item")
_NEVER = frozenset((*DIRECT, *CYCLIC, *(f"{name}-ordered" for name in CYCLIC)))
FORBIDDEN: Mapping[str, frozenset[str]] = {
    "read committed": _NEVER
    - {"internal", "lost-update", "G-single", "G-nonadjacent", "G2-item"}
    - {"G-single-ordered", "G-nonadjacent-ordered", "G2-item-ordered"},
    "repeatable read": _NEVER - {"G2-item", "G2-item-ordered"},
    "serializable": _NEVER,
}
"""What PostgreSQL's levels must never show. Its read committed takes a snapshot a statement, so a transaction may
contradict its own earlier read; but whom it read or wrote over has committed before it, so G0 and G1c cannot be."""


@dataclass(frozen=True, slots=True)
class Anomaly:
    """What was found, in which transactions (by their place in the history), and for cycles of no key: None."""

    name: str
    transactions: tuple[int, ...]
    key: Key = None


@dataclass(slots=True)
class _Order:
    """What is known of one key: the longest list read, and who wrote what."""

    longest: Version = ()
    writer: dict[Element, int] = field(default_factory=dict)
    last_of: dict[int, Element] = field(default_factory=dict)
    reads: list[tuple[int, Version]] = field(default_factory=list)


def check(history: History, *, session_order: bool = False, real_time: bool = False) -> list[Anomaly]:
    """Every anomaly found in the history.

    Parameters
    ----------
    session_order
        A client's later transaction must not be ordered before its earlier one.
    real_time
        A transaction that began after another's reply must not be ordered before it.

    Cycles that need one of these two end in ``-ordered``.

    Raises
    ------
    ValueError
        The same element was appended to a key twice: the history cannot be checked.
    """
    orders = _orders(history)
    found = [*_internal(history), *_lost_updates(history)]
    graph: list[list[int]] = [[] for _ in history]
    for key, order in orders.items():
        found.extend(_wrong_reads(history, key, order))
        _depend(history, order, graph)
    if session_order:
        _follow_sessions(history, graph)
    if real_time:
        _follow_time(history, graph)
    for nodes in components(graph):
        for cycle in classify(graph, nodes):
            found.append(Anomaly(cycle.name, tuple(node for node in cycle.nodes if node < len(history))))
    return found


def _orders(history: History) -> dict[Key, _Order]:
    orders: defaultdict[Key, _Order] = defaultdict(_Order)
    for number, transaction in enumerate(history):
        told = transaction.status is Status.OK
        for kind, key, value in transaction.operations:
            order = orders[key]
            if kind == "append":
                assert isinstance(value, Element)
                if value in order.writer:
                    raise ValueError(f"{value} is appended twice to {key}")
                order.writer[value] = number
                order.last_of[number] = value
            elif told and value is not None:
                assert isinstance(value, tuple)
                order.reads.append((number, value))
                if len(value) > len(order.longest):
                    order.longest = value
    return orders


def _internal(history: History) -> Iterator[Anomaly]:
    """Transactions whose reads contradict their own earlier reads and appends."""
    for number, transaction in enumerate(history):
        if transaction.status is not Status.FAIL:
            key = _contradiction(transaction)
            if key is not None:
                yield Anomaly("internal", (number,), key[0])


def _contradiction(transaction: Transaction) -> tuple[Key] | None:
    known: dict[Key, Version] = {}
    own: dict[Key, Version] = {}
    for kind, key, value in transaction.operations:
        if kind == "append":
            assert isinstance(value, Element)
            if key in known:
                known[key] += (value,)
            else:
                own[key] = (*own.get(key, ()), value)
        elif value is not None:
            assert isinstance(value, tuple)
            suffix = own.get(key)
            if (key in known and known[key] != value) or (suffix and value[-len(suffix) :] != suffix):
                return (key,)
            known[key] = value
            own.pop(key, None)
    return None


def _lost_updates(history: History) -> Iterator[Anomaly]:
    """Transactions that read the same list of a key and all appended to it: but one, each overlooked another."""
    updates: defaultdict[tuple[Key, Version], list[int]] = defaultdict(list)
    for number, transaction in enumerate(history):
        if transaction.status is Status.OK:
            for key, version in _updated(transaction):
                updates[key, version].append(number)
    for (key, _), numbers in updates.items():
        if len(numbers) > 1:
            yield Anomaly("lost-update", tuple(numbers), key)


def _updated(transaction: Transaction) -> Iterator[tuple[Key, Version]]:
    """Keys that it read before it appended to them, with what it read first."""
    first: dict[Key, Version | None] = {}
    for kind, key, value in transaction.operations:
        if kind == "read":
            assert not isinstance(value, Element)
            first.setdefault(key, value)
        else:
            version = first.get(key)
            if version is not None:
                yield key, version
            first[key] = None


def _wrong_reads(history: History, key: Key, order: _Order) -> Iterator[Anomaly]:
    """What the lists that were read of one key say without any cycle."""
    longest, writer = order.longest, order.writer
    if len(set(longest)) < len(longest):
        yield Anomaly("duplicate", _readers(order, longest), key)
    clean = _clean_length(history, order)
    for number, version in order.reads:
        if longest[: len(version)] != version:
            yield Anomaly("incompatible-order", (number,), key)
            if len(set(version)) < len(version):
                yield Anomaly("duplicate", (number,), key)
            yield from _elements(history, key, order, number, version)
        elif len(version) > clean:
            yield from _elements(history, key, order, number, version)
        if version:
            last = writer.get(version[-1])
            if last is not None and last != number and order.last_of[last] != version[-1]:
                yield Anomaly("G1b", (last, number), key)
    yield from _dirty_updates(history, key, order)


def _readers(order: _Order, version: Version) -> tuple[int, ...]:
    return tuple(number for number, seen in order.reads if seen == version)


def _clean_length(history: History, order: _Order) -> int:
    """How many elements of the longest list are, from its start, written by transactions that did not fail."""
    for place, element in enumerate(order.longest):
        number = order.writer.get(element)
        if number is None or history[number].status is Status.FAIL:
            return place
    return len(order.longest)


def _elements(history: History, key: Key, order: _Order, reader: int, version: Version) -> Iterator[Anomaly]:
    for element in version:
        number = order.writer.get(element)
        if number is None:
            yield Anomaly("garbage", (reader,), key)
        elif history[number].status is Status.FAIL and number != reader:
            yield Anomaly("G1a", (number, reader), key)


def _dirty_updates(history: History, key: Key, order: _Order) -> Iterator[Anomaly]:
    """Committed elements that stand on aborted ones."""
    aborted: int | None = None
    for element in order.longest:
        number = order.writer.get(element)
        if number is None:
            continue
        if history[number].status is Status.FAIL:
            aborted = number
        elif aborted is not None:
            yield Anomaly("dirty-update", (aborted, number), key)
            return


def _depend(history: History, order: _Order, graph: list[list[int]]) -> None:
    """The edges that one key gives: who wrote over whom, who read whom, and who overlooked whom."""
    longest, writer = order.longest, order.writer
    line = [writer.get(element, -1) for element in longest]
    line = [number if number >= 0 and history[number].status is not Status.FAIL else -1 for number in line]
    for before, after in pairwise(line):
        if before != after and before >= 0 and after >= 0:
            graph[before].append(after * KINDS + WW)
    seen = set(longest)
    unseen = [
        number for element, number in writer.items() if element not in seen and history[number].status is Status.OK
    ]
    if line and line[-1] >= 0:
        graph[line[-1]].extend(number * KINDS + WW for number in unseen if number != line[-1])
    for reader, version in order.reads:
        size = len(version)
        if longest[:size] != version:
            continue
        last = line[size - 1] if size else -1
        if last == reader and size:
            continue
        if last >= 0:
            graph[last].append(reader * KINDS + WR)
        following = (line[size],) if size < len(line) else unseen
        graph[reader].extend(number * KINDS + RW for number in following if number not in (reader, -1))


def _follow_sessions(history: History, graph: list[list[int]]) -> None:
    latest: dict[int, int] = {}
    for number, transaction in enumerate(history):
        if transaction.status is Status.OK:
            if transaction.process in latest:
                graph[latest[transaction.process]].append(number * KINDS + ORDER)
            latest[transaction.process] = number


def _follow_time(history: History, graph: list[list[int]]) -> None:
    """A chain of moments, one a reply: three edges a transaction say all of real time."""
    events: list[tuple[int, int, int]] = []
    for number, transaction in enumerate(history):
        if transaction.status is not Status.FAIL:
            events.append((transaction.started, 0, number))
        if transaction.status is Status.OK:
            events.append((transaction.ended, 1, number))
    events.sort()
    moment = -1
    for _, reply, number in events:
        if not reply:
            if moment >= 0:
                graph[moment].append(number * KINDS + ORDER)
            continue
        graph.append([])
        for before in (number, moment):
            if before >= 0:
                graph[before].append((len(graph) - 1) * KINDS + ORDER)
        moment = len(graph) - 1
