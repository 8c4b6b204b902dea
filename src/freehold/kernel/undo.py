"""What takes a change back, worked out from both states while the plan is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from freehold.kernel.names import Sql
from freehold.kernel.objects import Change, Constraint, Key, Object, Site, Undo
from freehold.kernel.observe import Catalog
from freehold.kernel.online.columns import Filling
from freehold.kernel.work import Work

LIGHT = frozenset({"view", "function", "policy", "trigger", "grant", "owner", "row_security", "column"})
"""Kinds that are made again in a moment, however many rows there are."""


def undo_of(work: Work, live: Catalog, site: Site, filling: Filling | None = None) -> tuple[Undo, ...]:
    """What takes one work back; empty where only declaring the old shape anew does."""
    return tuple(_undone(work, live, site, filling))


def undo_together(
    members: Sequence[Work], live: Catalog, site: Site, aside: Mapping[Key, tuple[Sql, ...]]
) -> tuple[Undo, ...]:
    """What takes back works that changed places in one moment; empty where that needs more than a moment.

    Parameters
    ----------
    aside
        What was not dropped but put aside, each with what brings it back in the place of its successor.
    """
    others = [work for work in members if work.key not in aside]
    if not {work.key.kind for work in others} <= LIGHT or any(_retyped(work, live) for work in others):
        return ()
    found = [undo for work in reversed(others) for undo in _undone(work, live, site, None)]
    found += [Undo(f"bring back {key}", statements) for key, statements in aside.items()]
    return (
        Undo(
            title=f"take back {members[0].key} and what goes with it",
            statements=tuple(statement for undo in found for statement in undo.statements),
            loses="; ".join(undo.loses for undo in found if undo.loses),
            weakens="; ".join(undo.weakens for undo in found if undo.weakens),
        ),
    )


def _retyped(work: Work, live: Catalog) -> bool:
    before = live.objects.get(work.key)
    return work.verb == "alter" and getattr(before, "type", "") != getattr(work.item, "type", "")


def _undone(work: Work, live: Catalog, site: Site, filling: Filling | None) -> Iterable[Undo]:
    before = live.objects.get(work.key)
    for change in _inverse(work.verb, work.item, before, site):
        ends = filling.end() if filling and work.verb == "make" else ()
        loses = "" if filling and filling.old else change.loses
        statements: tuple[Sql, ...] = (*ends, *change.statements)
        weakens = "" if _goes_with_columns(work.item, site) else change.weakens
        yield Undo(f"take back {work.key}", statements, change.transactional, loses, weakens)


def _goes_with_columns(item: Object, site: Site) -> bool:
    """Whether a constraint is about columns alone that are taken back with it."""
    if not isinstance(item, Constraint):
        return False
    columns = {Key("column", (item.schema, item.table, name)) for name in item.columns}
    return bool(columns) and columns <= site.new


def _inverse(verb: str, item: Object, before: Object | None, site: Site) -> Iterable[Change]:
    if verb == "make":
        return item.drop(site)
    if verb == "drop":
        return item.create(site)
    return (before.alter(item, site) or ()) if before is not None else ()
