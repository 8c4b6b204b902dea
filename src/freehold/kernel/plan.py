"""A plan: the ordered changes from what is there to what is declared, as data that prints."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from freehold.errors import StepRefused
from freehold.kernel.compile import Declared
from freehold.kernel.difference import Difference, Stranger
from freehold.kernel.objects import Change, Key, Lock, Site, Stage
from freehold.kernel.observe import Catalog
from freehold.kernel.online.leftovers import leftovers
from freehold.kernel.order import in_order, site_of_works, works_of
from freehold.kernel.undo import undo_of
from freehold.kernel.work import Work

LOSS, GUARD, WAIT = "--allow-data-loss", "--allow-weaker-guard", "--allow-long-lock"
"""The flags for steps that lose data, weaken a guard, or keep writes waiting beyond the lock budget."""


GOES_ALONG = frozenset({"owner", "grant"})
"""Kinds that go with their object when it is taken back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change of a plan: what it does, what it locks, which room wants it, and why."""

    number: int
    key: Key
    change: Change
    room: str
    reason: str
    seconds: float = 0.0
    """How long it takes by estimate, from the live sizes."""
    waits: str = ""
    """What it keeps waiting beyond the lock budget."""

    @property
    def flags(self) -> tuple[str, ...]:
        """The command-line flags that this step needs."""
        needs = {LOSS: self.change.loses, GUARD: self.change.weakens, WAIT: self.waits}
        return tuple(flag for flag, cost in needs.items() if cost)

    @property
    def flag(self) -> str:
        """These flags as they are typed."""
        return " ".join(self.flags)

    def as_dict(self) -> dict[str, Any]:
        """The step in JSON's types."""
        return {
            "number": self.number,
            "title": self.change.title,
            "object": {"kind": self.key.kind, "name": list(self.key.name)},
            "sql": list(self.change.shown),
            "lock": str(self.change.lock),
            "on": self.change.on,
            "transactional": self.change.transactional,
            "reversible": self.change.reversible,
            "stage": str(self.change.stage),
            "room": self.room,
            "reason": self.reason,
            "loses": self.change.loses,
            "weakens": self.change.weakens,
            "waits": self.waits,
            "seconds": round(self.seconds, 1),
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
    base: str = ""
    """Names the live state that it starts from."""

    def due(self, *, contract: bool) -> tuple[Step, ...]:
        """The steps that run now: those that contract wait for a command of their own."""
        return tuple(step for step in self.steps if contract or step.change.stage is not Stage.CONTRACT)

    @property
    def waiting(self) -> tuple[Step, ...]:
        """The steps that contract."""
        return tuple(step for step in self.steps if step.change.stage is Stage.CONTRACT)

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
        weaker = [step for step in self.steps if step.change.weakens]
        if weaker:
            yield _comment(f"GUARDS BECOME WEAKER by {len(weaker)} of these steps; each needs {GUARD} with a reason:")
            yield from (_comment(f"  {step.number}. {step.change.weakens}") for step in weaker)
        for step in self.steps:
            yield from _step_lines(step)
        for stranger in self.strangers:
            yield _comment(f"not declared, left alone: {stranger.key} (in the scope of {stranger.room})")

    def refuse_unless_allowed(
        self, *, data_loss: bool = False, weaker_guard: str = "", long_lock: bool = False, contract: bool = False
    ) -> None:
        """Refuse steps whose flag is not given.

        Raises
        ------
        StepRefused
            Names every such step, what it costs, and the flags.
        """
        allowed = {LOSS: data_loss, GUARD: bool(weaker_guard), WAIT: long_lock}
        due = self.due(contract=contract)
        refused = [step for step in due if not all(allowed[flag] for flag in step.flags)]
        if refused:
            missing = sorted({flag for step in refused for flag in step.flags if not allowed[flag]})
            raise StepRefused(
                f"{len(refused)} of {len(due)} steps lose data, weaken a guard or keep writes waiting; "
                "nothing was changed",
                detail="\n".join(f"step {s.number}: {s.change.title}: {'; '.join(_costs(s))}" for s in refused),
                hint=f"Read them, then run again with {' '.join(map(_typed, missing))}.",
            )


def _typed(flag: str) -> str:
    return f'{flag} "why"' if flag == GUARD else flag


def _costs(step: Step) -> Iterator[str]:
    change = step.change
    if change.loses:
        yield f"loses {change.loses}"
    if change.weakens:
        yield change.weakens
    if step.waits:
        yield step.waits


def _comment(text: str) -> str:
    """One line, whatever line ends a name or a reason has: the next one would run as SQL."""
    return f"-- {' '.join(text.splitlines())}"


def _step_lines(step: Step) -> Iterator[str]:
    change = step.change
    lock = f"{change.lock} on {change.on}" if change.lock is not Lock.NONE else "no table lock"
    undo = "reversible" if change.reversible else "not reversible"
    about = f"; about {step.seconds:,.0f} s" if step.seconds >= 1 else ""
    yield _comment(f"{step.number}. {change.title} [{step.room}] {lock}{about}; {undo}")
    if step.reason:
        yield _comment(f"   because {step.reason}")
    if change.stage is Stage.CONTRACT:
        yield _comment("   waits for freehold contract: an older version of the application may use it")
    if step.flags:
        yield _comment(f"   needs {step.flag}: {'; '.join(_costs(step))}")
    if change.in_block:
        yield "BEGIN;"
    for statement in change.shown:
        yield f"{statement.rstrip(';')};"
    if change.in_block:
        yield "COMMIT;"


def make_plan(
    declared: Declared,
    desired: Catalog,
    live: Catalog,
    found: Difference,
    first: Iterable[Step] = (),
    begun: frozenset[Key] = frozenset(),
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
    begun
        What a first plan that never ended was to make, and the database itself while none has ended; what a later one
        had made before it was cut short.
    """
    works = works_of(found, live, begun)
    site = site_of_works(found, live, begun)
    steps = [
        *first,
        *_left(declared, live, desired, found),
        *_steps(declared, in_order(works, found, desired, live, declared, site), live, site, found),
    ]
    return Plan(
        layer=declared.model.layer,
        database=live.database,
        version=live.version,
        steps=tuple(replace(step, number=number) for number, step in enumerate(steps, 1)),
        strangers=found.strangers,
        managed=frozenset(desired.objects),
        base=_base(desired, live, steps),
    )


def _base(desired: Catalog, live: Catalog, steps: Iterable[Step]) -> str:
    """A digest of what is there of all that the plan is about."""
    keys = sorted({*desired.objects, *(step.key for step in steps)} & set(live.objects))
    rows = [[*key, [str(value) for value in live.objects[key].to_row()]] for key in keys]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def _left(declared: Declared, live: Catalog, desired: Catalog, found: Difference) -> Iterator[Step]:
    """What earlier plans left to be taken away when no older application runs."""
    for key, change in leftovers(declared, live, desired, found.fillings):
        yield Step(number=0, key=key, change=change, room="kernel", reason="an earlier plan left it for this moment")


def _only_looks(change: Change) -> bool:
    """Whether a contraction drops nothing: whatever it dropped would need a stronger lock."""
    return change.stage is Stage.CONTRACT and change.lock is Lock.ACCESS_SHARE


def _steps(declared: Declared, works: Iterable[Work], live: Catalog, site: Site, found: Difference) -> Iterator[Step]:
    for work in works:
        source = declared.objects.get(work.key)
        for number, change in enumerate(change for change in work.changes if change.shown):
            if work.verb != "swap" and change.stage is not Stage.CONTRACT:
                # What takes the whole of it back stands with the first of its changes.
                undo = undo_of(work, live, site, found.fillings.get(work.key)) if number == 0 else ()
                undo = (*undo, *change.undo)
                back = bool(undo) or number > 0 or work.key.kind in GOES_ALONG
                change = replace(change, undo=undo, reversible=change.reversible and back)
            elif change.stage not in {Stage.BACKFILL, Stage.VALIDATE} and not _only_looks(change):
                change = replace(change, reversible=change.reversible and bool(change.undo))
            if change.shown:
                yield Step(
                    number=0,
                    key=work.key,
                    change=change,
                    room=source.room if source else "kernel",
                    reason=source.reason if source else "no longer declared",
                )
