"""Cycles of a dependency graph, and the name of the anomaly that each one is (Adya; Cerone and Gotsman)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

WW, WR, RW, ORDER = range(4)
KINDS = 4
Graph = Sequence[Sequence[int]]
"""Per node its edges, each ``target * KINDS + kind``."""

DEPENDENCIES = frozenset((WW, WR, ORDER))
"""What a snapshot follows; an anti-dependency (RW) alone points against it."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """A strongly connected set of transactions, and the worst that it is."""

    name: str
    nodes: tuple[int, ...]


def components(graph: Graph) -> Iterator[list[int]]:
    """The strongly connected components of more than one node (Tarjan 1972, without recursion)."""
    size = len(graph)
    index, low = [0] * size, [0] * size
    on_stack = bytearray(size)
    stack: list[int] = []
    counter = 0
    for root in range(size):
        if index[root] or not graph[root]:
            continue
        counter += 1
        index[root] = low[root] = counter
        stack.append(root)
        on_stack[root] = 1
        work = [(root, iter(graph[root]))]
        while work:
            node, edges = work[-1]
            for edge in edges:
                target = edge // KINDS
                if not index[target]:
                    counter += 1
                    index[target] = low[target] = counter
                    stack.append(target)
                    on_stack[target] = 1
                    work.append((target, iter(graph[target])))
                    break
                if on_stack[target] and index[target] < low[node]:
                    low[node] = index[target]
            else:
                work.pop()
                if work and low[node] < low[work[-1][0]]:
                    low[work[-1][0]] = low[node]
                if low[node] == index[node]:
                    found = _popped(stack, on_stack, node)
                    if len(found) > 1:
                        yield found


def _popped(stack: list[int], on_stack: bytearray, last: int) -> list[int]:
    found = []
    while True:
        node = stack.pop()
        on_stack[node] = 0
        found.append(node)
        if node == last:
            return found


def classify(graph: Graph, nodes: Iterable[int]) -> list[Cycle]:
    """Name a component by the strictest definition that one of its cycles meets.

    A stricter one that is met only with session order or real time is named too, with ``-ordered`` at its end.
    """
    ordered = sorted(nodes)
    inside = _induced(graph, ordered)
    plain, whole = _name(_only(inside, frozenset((WW, WR, RW)))), _name(inside)
    names = [plain] if plain == whole else [plain, f"{whole}-ordered"]
    return [Cycle(name, tuple(ordered)) for name in names if name]


def _induced(graph: Graph, nodes: Sequence[int]) -> Graph:
    place = {node: number for number, node in enumerate(nodes)}
    return [
        [place[edge // KINDS] * KINDS + edge % KINDS for edge in graph[node] if edge // KINDS in place]
        for node in nodes
    ]


def _name(graph: Graph) -> str:
    """The anomaly's name, or "" where there is no cycle."""
    if _cyclic(_only(graph, frozenset((WW, ORDER)))):
        return "G0"
    dependencies = _only(graph, DEPENDENCIES)
    if _cyclic(dependencies):
        return "G1c"
    if _one_anti_dependency(graph, dependencies):
        return "G-single"
    if _cyclic(_composed(graph)):
        return "G-nonadjacent"
    return "G2-item" if _cyclic(graph) else ""


def _only(graph: Graph, kinds: frozenset[int]) -> Graph:
    return [[edge for edge in edges if edge % KINDS in kinds] for edges in graph]


def _cyclic(graph: Graph) -> bool:
    return next(components(graph), None) is not None


def _one_anti_dependency(graph: Graph, dependencies: Graph) -> bool:
    """Whether a path of dependencies leads back over one anti-dependency; the dependencies alone have no cycle."""
    rank = _ranks(dependencies)
    return any(
        edge % KINDS == RW and _reaches(dependencies, rank, edge // KINDS, node)
        for node, edges in enumerate(graph)
        for edge in edges
    )


def _ranks(graph: Graph) -> list[int]:
    """A topological order of a graph without cycles (Kahn 1962)."""
    entering = [0] * len(graph)
    for edges in graph:
        for edge in edges:
            entering[edge // KINDS] += 1
    ready = [node for node, count in enumerate(entering) if not count]
    rank = [0] * len(graph)
    for number, node in enumerate(ready):
        rank[node] = number
        for edge in graph[node]:
            entering[edge // KINDS] -= 1
            if not entering[edge // KINDS]:
                ready.append(edge // KINDS)
    return rank


def _reaches(graph: Graph, rank: Sequence[int], start: int, goal: int) -> bool:
    """Whether a path leads from start to goal; nodes ranked after the goal cannot lie on it."""
    if rank[start] > rank[goal]:
        return False
    seen, waiting = {start}, [start]
    while waiting:
        for edge in graph[waiting.pop()]:
            target = edge // KINDS
            if target == goal:
                return True
            if target not in seen and rank[target] < rank[goal]:
                seen.add(target)
                waiting.append(target)
    return False


def _composed(graph: Graph) -> Graph:
    """A dependency, or a dependency and one anti-dependency, as one edge: cyclic exactly where no snapshot explains it.

    Cerone and Gotsman, "Analysing Snapshot Isolation" (J. ACM 65:2, 2018).
    """
    against = [[edge for edge in edges if edge % KINDS == RW] for edges in graph]
    return [
        [step for edge in edges if edge % KINDS != RW for step in (edge, *against[edge // KINDS])] for edges in graph
    ]
