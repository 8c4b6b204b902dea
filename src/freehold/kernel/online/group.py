"""Works that happen in one moment: what is replaced with all that stands on it, so that nobody meets a gap."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from freehold.kernel.objects import Key


def closed(group: frozenset[Key], needs: Mapping[Key, set[Key]]) -> frozenset[Key]:
    """The group with every node that comes between two of its own."""
    needed_by: dict[Key, set[Key]] = {}
    for node, found in needs.items():
        for need in found:
            needed_by.setdefault(need, set()).add(node)
    return group | (reached(group, needs) & reached(group, needed_by))


def reached(start: Iterable[Key], edges: Mapping[Key, set[Key]]) -> frozenset[Key]:
    """Every node to which the edges lead from the given ones."""
    seen: set[Key] = set()
    work = list(start)
    while work:
        for found in edges.get(work.pop(), ()):
            if found not in seen:
                seen.add(found)
                work.append(found)
    return frozenset(seen)


def disjoint(groups: Iterable[frozenset[Key]]) -> list[frozenset[Key]]:
    """Groups that share a node are one."""
    result: list[frozenset[Key]] = []
    for group in groups:
        near = [found for found in result if found & group]
        result = [found for found in result if not found & group]
        result.append(group.union(*near))
    return result


def contracted(
    needs: Mapping[Key, set[Key]], rank: Mapping[Key, int], groups: Iterable[frozenset[Key]]
) -> tuple[dict[Key, set[Key]], dict[Key, int], dict[Key, frozenset[Key]]]:
    """The graph in which each group is one node, the first of its members."""
    heads = {min(group): group for group in groups}
    head_of = {node: head for head, group in heads.items() for node in group}
    reduced: dict[Key, set[Key]] = {}
    ranks: dict[Key, int] = {}
    for node, found in needs.items():
        head = head_of.get(node, node)
        reduced.setdefault(head, set()).update(head_of.get(need, need) for need in found)
        ranks[head] = min(rank[node], ranks.get(head, rank[node]))
    return {node: found - {node} for node, found in reduced.items()}, ranks, heads
