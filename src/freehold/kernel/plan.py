"""A plan: the ordered changes from what is there to what is declared, as data that prints."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from freehold.errors import StepRefused
from freehold.kernel.compile import Declared
from freehold.kernel.diff import Difference, Stranger, site_of
from freehold.kernel.objects import Change, Constraint, Key, Lock, Object, Table
from freehold.kernel.observe import Catalog
from freehold.kernel.scratch import topological


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change of a plan: what it does, what it locks, which room wants it, and why."""

    number: int
    key: Key
    change: Change
    room: str
    reason: str

    @property
    def flag(self) -> str:
        """The command-line flag that this step needs, or nothing."""
        if self.change.loses:
            return "--allow-data-loss"
        return "--allow-weaker-guard" if self.change.weakens else ""

    def as_dict(self) -> dict[str, Any]:
        """The step in JSON's types."""
        return {
            "number": self.number,
            "title": self.change.title,
            "object": {"kind": self.key.kind, "name": list(self.key.name)},
            "sql": list(self.change.statements),
            "lock": str(self.change.lock),
            "on": self.change.on,
            "transactional": self.change.transactional,
            "reversible": self.change.reversible,
            "room": self.room,
            "reason": self.reason,
            "loses": self.change.loses,
            "weakens": self.change.weakens,
            "flag": self.flag,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What ``apply`` runs, and what it leaves alone."""

    layer: str
    database: str
    version: int
    steps: tuple[Step, ...]
    strangers: tuple[Stranger, ...] = ()
    managed: frozenset[Key] = frozenset()

    def as_json(self) -> str:
        """The plan as one JSON document."""
        return json.dumps(
            {
                "layer": self.layer,
                "database": self.database,
                "server_version": self.version,
                "steps": [step.as_dict() for step in self.steps],
                "strangers": [{"object": str(s.key), "room": s.room} for s in self.strangers],
            },
            indent=2,
        )

    def as_sql(self) -> str:
        """The plan as text that can be pasted into psql."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        if not self.steps:
            yield "-- nothing to do"
        else:
            # As apply runs it: every name is qualified, and a function may come before the tables that it reads.
            yield "SET search_path = '';"
            yield "SET check_function_bodies = off;"
        for step in self.steps:
            yield from _step_lines(step)
        for stranger in self.strangers:
            yield _comment(f"not declared, left alone: {stranger.key} (in the scope of {stranger.room})")

    def refuse_unless_allowed(self, *, data_loss: bool, weaker_guard: bool) -> None:
        """Refuse steps whose flag is not given.

        Raises
        ------
        StepRefused
            Names every such step, what it loses or weakens, and the flag.
        """
        allowed = {"": True, "--allow-data-loss": data_loss, "--allow-weaker-guard": weaker_guard}
        refused = [step for step in self.steps if not allowed[step.flag]]
        if refused:
            raise StepRefused(
                f"{len(refused)} of {len(self.steps)} steps lose data or weaken a guard; nothing was changed",
                detail="\n".join(f"step {s.number}: {s.change.title}: {_cost(s.change)}" for s in refused),
                hint=f"Read them, then run again with {' '.join(sorted({s.flag for s in refused}))}.",
            )


def _cost(change: Change) -> str:
    return f"loses {change.loses}" if change.loses else change.weakens


def _comment(text: str) -> str:
    """One line, whatever line ends a name or a reason has: the next one would run as SQL."""
    return f"-- {' '.join(text.splitlines())}"


def _step_lines(step: Step) -> Iterator[str]:
    change = step.change
    lock = f"{change.lock} on {change.on}" if change.lock is not Lock.NONE else "no table lock"
    undo = "reversible" if change.reversible else "not reversible"
    yield _comment(f"{step.number}. {change.title} [{step.room}] {lock}; {undo}")
    if step.reason:
        yield _comment(f"   because {step.reason}")
    if step.flag:
        yield _comment(f"   needs {step.flag}: {_cost(change)}")
    whole = change.transactional and len(change.statements) > 1
    if whole:
        yield "BEGIN;"
    for statement in change.statements:
        yield f"{statement.rstrip(';')};"
    if whole:
        yield "COMMIT;"


class _Work(NamedTuple):
    """One node of the ordering: what happens to one key, with its changes."""

    key: Key
    verb: str
    item: Object
    changes: tuple[Change, ...]


def make_plan(
    declared: Declared, desired: Catalog, live: Catalog, found: Difference, first: Iterable[Step] = (), *, new: bool
) -> Plan:
    """The plan that turns the live state into the declared one.

    Parameters
    ----------
    declared
        The compiled layer.
    desired
        Its objects as the catalog writes them (see `desired_state`).
    live
        The catalog of the database, with its dependencies.
    found
        How the two differ.
    first
        Steps that come before all others, such as the journal's own.
    new
        Whether the layer comes to this database for the first time.
    """
    works = _works(found, live, first_here=new)
    steps = [*first, *_steps(declared, _ordered(works, desired, live, declared))]
    return Plan(
        layer=declared.model.layer,
        database=live.database,
        version=live.version,
        steps=tuple(replace(step, number=number) for number, step in enumerate(steps, 1)),
        strangers=found.strangers,
        managed=frozenset(desired.objects),
    )


def _works(found: Difference, live: Catalog, *, first_here: bool) -> dict[Key, _Work]:
    """Nodes by an ordering key: a replaced object has two, its drop and its creation.

    A layer that comes to a database for the first time widens nothing by letting its own roles into it, though another
    database of the cluster may have them already.
    """
    new = frozenset(key for key in found.create if key not in live.objects)
    if first_here:
        new |= {Key("database", ())}
    site = site_of(live, new)
    works: dict[Key, _Work] = {}
    for key, item in found.drop.items():
        works[_node("drop", key)] = _Work(key, "drop", item, item.drop(site))
    for key, item in found.create.items():
        made = item.create(site)
        before = live.objects.get(key)
        weakens = item.weaker_than(before, site) if before is not None and before != item else ""
        works[_node("make", key)] = _Work(key, "make", item, _marked(made, weakens))
    for key, (old, item) in found.alter.items():
        works[_node("make", key)] = _Work(key, "alter", item, item.alter(old, site) or ())
    return works


def _marked(changes: tuple[Change, ...], weakens: str) -> tuple[Change, ...]:
    """The changes, of which the first says what guard is weaker."""
    if not weakens or not changes or changes[0].weakens:
        return changes
    return (replace(changes[0], weakens=weakens), *changes[1:])


def _node(verb: str, key: Key) -> Key:
    return Key(verb, (key.kind, *key.name))


def _ordered(works: Mapping[Key, _Work], desired: Catalog, live: Catalog, declared: Declared) -> Iterator[_Work]:
    needs: dict[Key, set[Key]] = {node: set() for node in works}
    for node, work in works.items():
        if work.verb == "drop":
            _order_drop(node, work, works, needs, live)
        else:
            _order_make(node, work, works, needs, desired, declared)
            if work.verb == "alter":
                _order_leaving(node, work, works, needs, live)
    _order_names(works, needs)
    rank = {node: 1000 - w.item.rank if w.verb == "drop" else w.item.rank for node, w in works.items()}
    return (works[node] for node in topological(needs, rank))


def _order_drop(node: Key, work: _Work, works: Mapping[Key, _Work], needs: dict[Key, set[Key]], live: Catalog) -> None:
    """A drop comes before whatever happens to the things that the object needs."""
    needed = {*live.needs.get(work.key, ()), *work.item.parents}
    # A column that goes with its table has no step of its own.
    for need in needed | {Key("table", need.name[:2]) for need in needed if need.kind == "column"}:
        for verb in ("drop", "make"):
            other = _node(verb, need)
            if other in works and (verb == "drop" or works[other].verb == "alter"):
                needs[other].add(node)
    made = _node("make", work.key)
    if made in works:
        needs[made].add(node)


def _order_make(
    node: Key,
    work: _Work,
    works: Mapping[Key, _Work],
    needs: dict[Key, set[Key]],
    desired: Catalog,
    declared: Declared,
) -> None:
    """A creation or change comes after whatever is made of the things that the object needs."""
    after = declared.objects[work.key].after if work.key in declared.objects else ()
    written = [column.key for column in work.item.columns] if isinstance(work.item, Table) else []
    needed = {need for key in (work.key, *written) for need in desired.needs.get(key, ())}
    for need in {*needed, *work.item.parents, *after}:
        for candidate in (need, Key("table", need.name[:2])) if need.kind == "column" else (need,):
            other = _node("make", candidate)
            if other in works and other != node:
                needs[node].add(other)


def _order_leaving(
    node: Key, work: _Work, works: Mapping[Key, _Work], needs: dict[Key, set[Key]], live: Catalog
) -> None:
    """A change that no longer needs a thing comes before that thing's drop."""
    for need in live.needs.get(work.key, ()):
        other = _node("drop", need)
        if other in works:
            needs[other].add(node)


def _order_names(works: Mapping[Key, _Work], needs: dict[Key, set[Key]]) -> None:
    """Tables, views, sequences and indexes, those of constraints too, share their names: one goes before one comes."""
    leaving = {_relation(work.item): node for node, work in works.items() if work.verb == "drop"}
    for node, work in works.items():
        name = _relation(work.item)
        if name and work.verb == "make" and name in leaving:
            needs[node].add(leaving[name])


def _relation(item: Object) -> tuple[str, ...]:
    """The name under which ``pg_class`` has the object, or nothing."""
    if isinstance(item, Constraint):
        return (item.schema, item.constraint) if item.type in "pux" else ()
    return item.name if item.kind in {"table", "view", "sequence", "index"} else ()


def _steps(declared: Declared, works: Iterable[_Work]) -> Iterator[Step]:
    for work in works:
        source = declared.objects.get(work.key)
        for change in work.changes:
            if change.statements:
                yield Step(
                    number=0,
                    key=work.key,
                    change=change,
                    room=source.room if source else "kernel",
                    reason=source.reason if source else "no longer declared",
                )
