"""Everything that makes a COMMIT look like what it is not; each time the caller must be told, by type, what is so."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from freehold.servers import Binaries
from torture.false_defects import DEFECTS, Defect
from torture.field import Field
from torture.ground import Ground
from torture.injections import AT_REST, WAITING
from torture.result import Result
from torture.vault import Clients, vault

NOBODY = "nobody"
"""A synchronous standby that never comes."""
SLOW_COMMIT = (
    "CREATE FUNCTION vault.rest() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN PERFORM pg_catalog.pg_sleep(0.03); RETURN NULL; END $$",
    "CREATE CONSTRAINT TRIGGER rest AFTER INSERT ON vault.entry DEFERRABLE INITIALLY DEFERRED"
    " FOR EACH ROW WHEN (NEW.mark LIKE 'slow%') EXECUTE FUNCTION vault.rest()",
)
RESOLVING = 0.2
"""Seconds for which an unknown commit is asked after where no answer can come."""
DEFECT_CASES = 8
Injection = Callable[[Field], None]


@contextmanager
def waiting_for_nobody(where: Ground) -> Iterator[None]:
    """COMMIT waits for a synchronous standby meanwhile."""
    server = where.server
    before = dict(server.settings)
    server.settings["synchronous_standby_names"] = NOBODY
    server.reload()
    _settled(where, NOBODY)
    try:
        yield
    finally:
        server.settings.clear()
        server.settings.update({**before, "synchronous_standby_names": ""})
        server.reload()
        _settled(where, "")


def _settled(where: Ground, wanted: str) -> None:
    with where.admin() as admin:
        while admin.execute("SHOW synchronous_standby_names").fetchone() != (wanted,):
            time.sleep(0.01)


def attack(where: Ground, size: int, seed: int, kinds: Mapping[bool, Sequence[Injection]]) -> Field:
    """Make ``size`` injections of these kinds, by whether COMMIT waits for nobody meanwhile."""
    draw = random.Random(seed)
    chosen = [draw.choice(kinds[waits]) for waits in kinds for _ in range(-(-size // len(kinds)))][:size]
    with ExitStack() as stack:
        clients = stack.enter_context(Clients(where, where.url, resolving=RESOLVING))
        place = stack.enter_context(Field(where, clients, draw, f"{seed}"))
        for waits, every in kinds.items():
            with waiting_for_nobody(where) if waits else ExitStack():
                for injection in [each for each in chosen if each in every]:
                    injection(place)
    return place


def caught(where: Ground, defect: Defect, seed: int) -> bool:
    """Whether a planted defect is seen."""
    waits = defect.injection in WAITING
    with defect.planted():
        return bool(attack(where, DEFECT_CASES, seed, {waits: (defect.injection,)}).wrong)


def run(size: int, seed: int, *, binaries: Binaries | None = None) -> Result:
    """``size`` injections."""
    started = time.monotonic()
    with vault(binaries=binaries) as where:
        with where.admin() as admin:
            for statement in SLOW_COMMIT:
                admin.execute(statement)
        place = attack(where, size, seed, {False: AT_REST, True: WAITING})
        seen = [caught(where, defect, seed * 1000 + number) for number, defect in enumerate(DEFECTS, 1)]
    told = ", ".join(f"{count:,} {what}" for what, count in sorted(place.told.items()))
    return Result(
        name="false success",
        size=sum(place.told.values()),
        seed=seed,
        violations=len(place.wrong),
        seconds=time.monotonic() - started,
        defects_seeded=len(DEFECTS),
        defects_caught=sum(seen),
        notes="; ".join(place.wrong[:3]) or f"each outcome by its type, and so in the table: {told}",
    )
