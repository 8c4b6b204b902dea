"""The harness: statements of one tenant, asked of both databases; and mutants, which the same statements must find."""

from __future__ import annotations

import random
import time
from collections import Counter

from examples.retail.layer import layer as retail
from examples.subscriptions.layer import layer as subscriptions

from freehold import DataLayer
from freehold.kernel.names import Sql
from freehold.servers import disposable, find_embedded
from freehold.servers.binaries import Binaries
from torture.interference.catalog import Reach
from torture.interference.changing import Writer
from torture.interference.ground import Twins, twins
from torture.interference.mutants import mutants
from torture.interference.pair import Difference, Pair
from torture.interference.reading import Reader
from torture.result import Result

BATCH = 100
WITHIN = 2_000
"""Statements within which a mutant must be found."""
WRITING = 0.35
RESIDUAL = {
    "country_name_uq": "the root's names are unique over all tenants: whoever may name a tenant learns of a taken name",
    "posting_account_fk": "the example lets tenants write the shared chart of accounts: a used account is not deleted",
}
"""Constraints that tell a tenant of others by what the example declares, each with its reason."""
POSITION = b"freehold.position_v1"
"""Tells how far the server's log is, which every tenant's writing moves; a token says as much."""


FOREIGN_KEY = b"23503"
"""Where a statement violates several foreign keys, the one that is told is that of the row which the plan meets first,
and plans follow the sizes of tables, over all tenants. Both answers are true of the tenant's own rows."""


def run(size: int, seed: int) -> Result:
    """The retail example's layer on the embedded server."""
    return attack(retail, find_embedded(), size, seed)


def run_subscriptions(size: int, seed: int) -> Result:
    """The second example's layer, which has every room, on the embedded server."""
    return attack(subscriptions, find_embedded(), size, seed)


def attack(layer: DataLayer, binaries: Binaries, size: int, seed: int, *, most: int | None = None) -> Result:
    """Ask ``size`` statements, then look for each mutant, or for ``most`` of them."""
    started = time.monotonic()
    with disposable(binaries) as server:
        both = twins(server, layer, seed)
        with both.pair() as (pair, reach):
            draw, known, found = random.Random(seed), Counter[str](), list[Difference]()
            for first in range(1, size + 1, BATCH):
                for each in pair.compare(_drawn(reach, draw, min(BATCH, size + 1 - first)), first):
                    reason = _residual(each)
                    known.update([reason] if reason else [])
                    found += [] if reason else [each]
            slow = pair.slow
        named = list(mutants(both))[:most]
        missed = [each.name for each in named if not _caught(both, each.harm, seed)]
    notes = [f"{slow} slower than {5} s; residuals by declaration: {dict(known)}"]
    notes += [f"not filled: {', '.join(both.barren)}"] if both.barren else []
    notes += [f"first difference: {found[0].statement}"] if found else []
    notes += [f"missed: {', '.join(missed)}"] if missed else []
    return Result(
        name=f"interference {layer.name}",
        size=size,
        seed=seed,
        violations=len(found),
        seconds=time.monotonic() - started,
        defects_seeded=len(named),
        defects_caught=len(named) - len(missed),
        notes="; ".join(notes),
    )


def _drawn(reach: Reach, draw: random.Random, count: int) -> list[Sql]:
    reader = Reader(reach, draw)
    writer = Writer(reach, reader, draw)
    return [(writer if draw.random() < WRITING else reader).statement() for _ in range(count)]


def _several_violated(found: Difference) -> bool:
    left, right = found.left.error, found.right.error
    return bool(left and right and left[0] == right[0] == FOREIGN_KEY and left[4] != right[4])


def _residual(found: Difference) -> str:
    if POSITION in found.statement.encode():
        return "position"
    if _several_violated(found):
        return "order of violations"
    constraints = {(error[4] or b"").decode() for error in (found.left.error, found.right.error) if error}
    return next((name for name in RESIDUAL if name in constraints), "")


def _caught(both: Twins, harm: tuple[Sql, ...], seed: int) -> bool:
    """Whether the answers differ within so many statements, by more than what the example lets differ."""
    with both.pair(*harm) as (pair, reach):
        return any(_differs(pair, reach, random.Random(seed + number)) for number in range(WITHIN // BATCH))


def _differs(pair: Pair, reach: Reach, draw: random.Random) -> bool:
    return any(not _residual(each) for each in pair.compare(_drawn(reach, draw, BATCH)))
