"""What is replaced, with all that stands on it, changes places in one transaction: indexes are built before it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from freehold.kernel.difference import Difference
from freehold.kernel.names import Sql, ddl, ident, qualified, shortened, trusted
from freehold.kernel.objects import Change, Constraint, Index, Key, Lock, Object, Site, Stage, Undo
from freehold.kernel.observe import Catalog
from freehold.kernel.undo import undo_together
from freehold.kernel.work import Work

LOCKS = list(Lock)
COMING = "_new"
"""What the name of an index ends in while it is built beside the one that it replaces."""


@dataclass
class Parts:
    """The changes before, in, and after the moment at which things change places."""

    before: list[Change] = field(default_factory=list)
    inside: list[Change] = field(default_factory=list)
    after: list[Change] = field(default_factory=list)

    def take(self, changes: Iterable[Change]) -> None:
        """Sort the changes of one work; what comes after a validation stays after it."""
        late = False
        for change in changes:
            if change.prepares:
                self.before.append(change)
                continue
            late = late or change.stage is Stage.VALIDATE or change.batch is not None
            if late:
                self.after.append(change)
            elif not change.transactional:
                self.before.append(change)
            else:
                self.inside.append(change)


def swapped(
    members: Sequence[Work], found: Difference, live: Catalog, desired: Catalog, site: Site
) -> tuple[Work, ...]:
    """The works of one group as what is prepared, one moment, and what is checked afterwards."""
    replaced = {work.key for work in members}
    parts = Parts()
    for work in members:
        parts.take(changes_of(work, replaced, found, live, desired, site))
    return tuple(_worked(members, parts, undo_together(members, live, site, dict(_aside(members, found, live)))))


def changes_of(
    work: Work, replaced: set[Key], found: Difference, live: Catalog, desired: Catalog, site: Site
) -> Iterable[Change]:
    """The changes of one work of a group, so that they may stand in one transaction where that can be."""
    item = work.item
    if work.verb == "drop":
        return _dropped(work, found, live, desired)
    if work.verb != "make" or not isinstance(item, Index | Constraint) or item.table_key in site.new:
        return work.changes
    beside = found.shadow.get(work.key)
    if beside is not None and beside != item and not (isinstance(item, Constraint) and item.type in "fx"):
        return _beside(item, beside, site)
    if replaced.isdisjoint(desired.needs.get(work.key, frozenset()) - {work.key}):
        return _prepared(item, work.changes, site)
    if isinstance(item, Constraint) and item.type in "fc":
        return work.changes
    # What it is built over is made in the same moment.
    new = {item.table_key, Key("view", item.table_key.name)}
    return item.create(replace(site, new=site.new | new, built=frozenset({item.table_key})))


def _dropped(work: Work, found: Difference, live: Catalog, desired: Catalog) -> tuple[Change, ...]:
    """Inside a transaction, and no guard is weaker where the same comes back."""
    changes = work.changes
    if isinstance(work.item, Index | Constraint) and _leaves(work, found, live):
        return (_put_aside(work.item),)
    if isinstance(work.item, Index):
        plain = ddl("DROP INDEX {}", qualified(*work.item.name))
        changes = (replace(changes[0], statements=(plain,), transactional=True, lock=Lock.ACCESS_EXCLUSIVE),)
    if live.objects.get(work.key) == desired.objects.get(work.key):
        changes = tuple(replace(change, weakens="", loses="") for change in changes)
    return changes


def _leaves(work: Work, found: Difference, live: Catalog) -> bool:
    """Whether an index or constraint goes with a column whose place another one takes."""
    return isinstance(work.item, Index | Constraint) and not found.leaving.isdisjoint(live.needs.get(work.key, ()))


def _aside(members: Iterable[Work], found: Difference, live: Catalog) -> Iterator[tuple[Key, tuple[Sql, ...]]]:
    """What brings each of them back."""
    for work in members:
        item = work.item
        if work.verb == "drop" and _leaves(work, found, live) and isinstance(item, Index | Constraint):
            table, name = qualified(item.schema, item.table), work.key.name[-1]
            if isinstance(item, Index):
                drop = ddl("DROP INDEX {}", qualified(item.schema, name))
            else:
                drop = ddl("ALTER TABLE {} DROP CONSTRAINT {}", table, ident(name))
            yield work.key, (drop, _renaming(item, shortened(f"{name}__was", 63), name))


def _renaming(item: Index | Constraint, old: str, new: str) -> Sql:
    if isinstance(item, Index):
        return ddl("ALTER INDEX {} RENAME TO {}", qualified(item.schema, old), ident(new))
    table = qualified(item.schema, item.table)
    return ddl("ALTER TABLE {} RENAME CONSTRAINT {} TO {}", table, ident(old), ident(new))


def _put_aside(item: Index | Constraint) -> Change:
    """It serves older applications until its column goes, and it with it."""
    name = item.name[-1]
    return Change(
        title=f"put aside {item.key}",
        statements=(_renaming(item, name, shortened(f"{name}__was", 63)),),
        lock=Lock.ACCESS_EXCLUSIVE,
        on=qualified(item.schema, item.table),
    )


def _prepared(item: Index | Constraint, changes: tuple[Change, ...], site: Site) -> Iterable[Change]:
    """An index is built under another name, while the one that it replaces still serves."""
    if isinstance(item, Index):
        return _built(item, site)
    other = shortened(f"{item.constraint}{COMING}", 63)
    return (_of_index(item, change, other) for change in changes)


def _built(item: Index, site: Site) -> Iterable[Change]:
    other = shortened(f"{item.index}{COMING}", 63)
    definition = item.definition.replace(f" INDEX {ident(item.index)} ON ", f" INDEX {ident(other)} ON ", 1)
    begun = replace(item, index=other, definition=definition)
    clear = ddl("DROP INDEX CONCURRENTLY IF EXISTS {}", qualified(item.schema, other))
    if item.table_key in site.partitions:
        clear = ddl("DROP INDEX IF EXISTS {}", qualified(item.schema, other))
        prepare = Change(title=f"prepare {item.key}", statements=(clear,), lock=Lock.NONE)
        yield _before(replace(prepare, undo=(_unbuilt(item, clear),)))
    for change in begun.create(site):
        title = change.title.replace(str(begun.key), str(item.key))
        yield _before(replace(change, title=title, undo=(_unbuilt(item, clear),)))
    rename = ddl("ALTER INDEX {} RENAME TO {}", qualified(item.schema, other), ident(item.index))
    yield Change(
        title=f"take over {item.key}",
        statements=(rename,),
        lock=Lock.SHARE_UPDATE_EXCLUSIVE,
        on=qualified(item.schema, item.table),
    )


def _unbuilt(item: Index | Constraint, clear: Sql) -> Undo:
    """What takes away an index that was to take another one's place."""
    return Undo(f"take back what was built for {item.key}", (clear,), transactional="CONCURRENTLY" not in clear)


def _before(change: Change) -> Change:
    return replace(change, prepares=True)


def _beside(item: Index | Constraint, beside: Object, site: Site) -> Iterable[Change]:
    """What stands on a column that changes its type is made over the column beside it first."""
    if isinstance(item, Index) and isinstance(beside, Index):
        yield from _built(replace(item, definition=beside.definition), site)
    elif isinstance(item, Constraint) and isinstance(beside, Constraint) and item.type in "pu":
        other = shortened(f"{item.constraint}{COMING}", 63)
        for change in replace(item, definition=beside.definition).create(site):
            yield _of_index(item, change, other)
    elif isinstance(item, Constraint) and isinstance(beside, Constraint):
        other = shortened(f"{item.constraint}{COMING}", 63)
        table = qualified(item.schema, item.table)
        clear = ddl("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {}", table, ident(other))
        first, *rest = replace(item, constraint=other, definition=beside.definition).create(site)
        undo = (_unbuilt(item, clear),)
        yield _before(replace(first, statements=(clear, *first.statements), title=f"prepare {item.key}", undo=undo))
        yield from (_before(replace(change, title=f"validate {item.key}")) for change in rest)
        rename = ddl("ALTER TABLE {} RENAME CONSTRAINT {} TO {}", table, ident(other), ident(item.constraint))
        yield Change(title=f"take over {item.key}", statements=(rename,), lock=Lock.ACCESS_EXCLUSIVE, on=table)


def _of_index(item: Constraint, change: Change, begun: str) -> Change:
    """A change of a key with another name in the place of its index."""
    name, other = ident(item.constraint), ident(begun)
    built, used = (
        (f" CONCURRENTLY {name} ON ", f" CONCURRENTLY {other} ON "),
        (f" USING INDEX {name}", f" USING INDEX {other}"),
    )
    statements = []
    for statement in change.statements:
        if statement.startswith("DROP INDEX "):
            statement = Sql(statement.removesuffix(name) + other)
        statements.append(trusted(statement.replace(*built, 1).replace(*used, 1)))
    if change.transactional:
        return replace(change, statements=tuple(statements))
    clear = ddl("DROP INDEX CONCURRENTLY IF EXISTS {}", qualified(item.schema, begun))
    return replace(change, statements=tuple(statements), undo=(_unbuilt(item, clear),))


def _worked(members: Sequence[Work], parts: Parts, undo: tuple[Undo, ...]) -> Iterable[Work]:
    first = next((work for work in members if work.verb != "drop"), members[0])
    moment = replace(merged(parts.inside, _title(members, first)), undo=undo, reversible=bool(undo))
    changes = (*parts.before, *((moment,) if parts.inside else ()), *parts.after)
    yield first._replace(verb="swap", changes=changes)


def _title(members: Sequence[Work], first: Work) -> str:
    altered = [work for work in members if work.verb == "alter"]
    names = [change.title for work in altered for change in work.changes] or [f"replace {first.key}"]
    others = len({work.key for work in members}) - max(1, len(altered))
    return "; ".join(names) + (f" and {others} that go with it" if others else "")


def merged(changes: Sequence[Change], title: str) -> Change:
    """Several changes as one: its lock is their strongest, and it costs what they cost."""
    locks = [Lock.NONE, *(change.lock for change in changes)]
    on = dict.fromkeys(change.on for change in changes if change.on)
    return Change(
        title=changes[0].title if len(changes) == 1 else title,
        statements=tuple(statement for change in changes for statement in change.statements),
        lock=max(locks, key=LOCKS.index),
        on=", ".join(on),
        reversible=all(change.reversible for change in changes),
        loses="; ".join(dict.fromkeys(change.loses for change in changes if change.loses)),
        weakens="; ".join(dict.fromkeys(change.weakens for change in changes if change.weakens)),
        efforts=tuple(dict.fromkeys(effort for change in changes for effort in change.efforts)),
        stage=changes[0].stage if len(changes) == 1 else Stage.SWITCH,
    )
