"""Read the catalog, attack every exit, and judge: the ledger of one moment."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any

from freehold.errors import InputError
from freehold.events import Listener, ignore
from freehold.isolation.attacks import ROOM, Attack, attacks
from freehold.isolation.catalog import read_exits
from freehold.isolation.judge import FAILING, Entry, Standing, Struck, judge
from freehold.isolation.known import Known, known_of
from freehold.kernel.compile import Declared
from freehold.kernel.observe import Connection
from freehold.kernel.prove import Outcome, Verdict, run_batches, run_probes
from freehold.kernel.room import Probe


@dataclass(frozen=True)
class Ledger:
    """Every line, and what the rooms' own attacks on isolation found."""

    entries: tuple[Entry, ...]
    promises: tuple[Verdict, ...]
    seconds: float

    @property
    def failing(self) -> tuple[Entry, ...]:
        """The lines that are unknown or broken."""
        return tuple(entry for entry in self.entries if entry.standing in FAILING)

    @property
    def unheld(self) -> tuple[Verdict, ...]:
        """The rooms' promises that were not held."""
        return tuple(verdict for verdict in self.promises if verdict.verdict is not Outcome.HELD)

    def counts(self) -> Counter[Standing]:
        """How many lines have each standing."""
        return Counter(entry.standing for entry in self.entries)

    def as_dict(self) -> dict[str, Any]:
        """The ledger in JSON's types."""
        return {
            "seconds": round(self.seconds, 3),
            "counts": {standing.value: count for standing, count in self.counts().items()},
            "exits": [entry.as_dict() for entry in self.entries],
            "promises": [verdict.as_dict() for verdict in self.promises],
        }

    def verdicts(self) -> list[Verdict]:
        """The ledger as evidence: one verdict a line, then the rooms' own."""
        return [*map(_verdict, self.entries), *self.promises]


def _verdict(entry: Entry) -> Verdict:
    outcome = Outcome.BROKEN if entry.standing in FAILING else Outcome.HELD
    promise = f"what {entry.exit} shows {', '.join(entry.roles) or 'nobody'} of another tenant is accounted for"
    return Verdict(ROOM, entry.exit, promise, outcome, f"{entry.standing}: {entry.reason}")


def read_ledger(
    connection: Connection, declared: Declared, *, accepted: Mapping[str, str], listener: Listener = ignore
) -> Ledger:
    """Walk every exit of the live catalog and attack what can be attacked; every attack is rolled back.

    Parameters
    ----------
    connection
        In autocommit mode, as a superuser.
    accepted
        Exits exempted by name, each with its reason.

    Raises
    ------
    InputError
        The layer has no tenants.
    """
    started = time.monotonic()
    known = known_of(declared, accepted)
    if not known.owned:
        raise InputError(
            "The layer has no tenants, so that no exit shows one another's rows", hint="Run freehold prove."
        )
    exits = read_exits(connection, frozenset(known.roles), known.columns | frozenset(known.owned.values()))
    planned = list(attacks(exits, known))
    struck = _strike(connection, planned, listener)
    others = [probe for probe in declared.probes if _counts(probe, known)]
    promises = run_probes(connection, others, listener=listener)
    entries = judge(exits, known, struck, _named(others, promises, known))
    return Ledger(tuple(entries), tuple(promises), time.monotonic() - started)


def _strike(connection: Connection, planned: Sequence[Attack], listener: Listener) -> list[Struck]:
    """The ledger's own attacks, those on one exit together."""
    batches = [list(group) for _, group in groupby(planned, key=lambda attack: attack.exit)]
    flat = [[probe for attack in batch for probe in attack.probes] for batch in batches]
    struck = []
    for batch, verdicts in zip(batches, run_batches(connection, flat, listener=listener), strict=True):
        left = iter(verdicts)
        for attack in batch:
            mine = tuple(islice(left, len(attack.probes)))
            struck.append(Struck(attack.exit, (attack.role, *attack.alike), mine))
    return struck


def _functions(probe: Probe, known: Known) -> list[str]:
    """The layer's functions that an attack calls."""
    return [f"{schema}.{name}" for schema, name, _ in known.functions if f"{schema}.{name}(" in probe.attack]


def _counts(probe: Probe, known: Known) -> bool:
    """Whether a room's probe is about isolation: the tenancy's own, and those that call a function.

    The tenancy's attacks on one table are left to ``freehold prove``: the ledger makes its own on every relation.
    """
    alone = probe.room == "tenancy" and not probe.promise.startswith(f"{'.'.join(probe.subject.name)}: ")
    return alone or bool(_functions(probe, known))


def _named(probes: Sequence[Probe], verdicts: Sequence[Verdict], known: Known) -> list[Verdict]:
    """Verdicts under the name of each function that was called."""
    return [
        Verdict(verdict.room, name, verdict.promise, verdict.verdict, verdict.detail, verdict.seconds)
        for probe, verdict in zip(probes, verdicts, strict=True)
        for name in _functions(probe, known)
    ]
