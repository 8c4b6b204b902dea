"""A plan tried on a copy of the database: how long each step took and what it locked, to hold the live run against."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from psycopg import sql

from freehold.errors import InputError, RehearsalStale
from freehold.events import Listener, ignore
from freehold.files import write_text
from freehold.kernel.apply import apply, exclusive
from freehold.kernel.budget import LockBudget
from freehold.kernel.compile import Declared
from freehold.kernel.measure import sizes_of
from freehold.kernel.observe import Connection
from freehold.kernel.plan import Plan, Step
from freehold.kernel.template import read_sql
from freehold.operations import plan_layer
from freehold.planfile import steps_digest
from freehold.recording import Recording
from freehold.servers.faults import translated

GROWTH, SLACK_BYTES = 1.5, 64 * 2**20
"""A table may have grown so much since the rehearsal."""
PATIENCE, LEAST_SECONDS = 4.0, 2.0
"""A step of the live run may take so many times as long as it took in the rehearsal, and at least so long."""
LONG_TRANSACTION_SECONDS = 60.0


@dataclass(frozen=True)
class Traced:
    """One step as it went: seconds, and the locks on tables that it held at its end, weakest name first."""

    number: int
    title: str
    seconds: float
    locks: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Rehearsal:
    """A plan that was run on a copy."""

    plan: str
    server_version: int
    rehearsed_at: str
    sizes: Mapping[str, int]
    steps: tuple[Traced, ...]

    @property
    def ceilings(self) -> dict[int, float]:
        """How long each step of the live run may take."""
        return {step.number: max(LEAST_SECONDS, PATIENCE * step.seconds) for step in self.steps}

    def refuse_unless_like(self, connection: Connection, fresh: Plan) -> None:
        """See that the live database is what was rehearsed.

        Raises
        ------
        RehearsalStale
            The plan is another one, tables have grown, or a long transaction is open.
        """
        found = list(self._differences(connection, fresh))
        if found:
            raise RehearsalStale(
                "The live database is not what was rehearsed; nothing was applied",
                detail="; ".join(found),
                hint="Rehearse again on a fresh copy, or wait until the long transaction has ended.",
            )

    def _differences(self, connection: Connection, fresh: Plan) -> Any:
        if steps_digest([step.as_dict() for step in fresh.steps]) != self.plan:
            yield "the plan is another one"
        if connection.info.server_version // 10000 != self.server_version // 10000:
            yield f"it was rehearsed on PostgreSQL {self.server_version // 10000}"
        for table, size in sizes_of(connection).items():
            known = self.sizes.get(table, 0)
            if size > known * GROWTH + SLACK_BYTES:
                yield f"{table} has {size:,} bytes, and had {known:,}"
        for pid, seconds in connection.execute(
            read_sql("freehold.kernel", "list_long_transactions"), {"seconds": LONG_TRANSACTION_SECONDS}
        ):
            yield f"the transaction of process {pid} is open for {seconds:,.0f} s"


@dataclass
class Tracer(Recording):
    """Keeps the journal of the copy, and sees in each step's own transaction what it has locked."""

    steps: list[Traced] = field(default_factory=list)
    _started: float = 0.0

    def begin(self, connection: Connection, plan: Plan) -> None:
        super().begin(connection, plan)
        self._started = time.monotonic()

    def record(self, connection: Connection, step: Step) -> None:
        locks = connection.execute(sql.SQL(read_sql("freehold.kernel", "list_own_locks"))).fetchall()
        seconds = time.monotonic() - self._started
        self.steps.append(Traced(step.number, step.change.title, round(seconds, 3), tuple(map(tuple, locks))))
        super().record(connection, step)
        self._started = time.monotonic()


@translated("rehearse")
def rehearse(
    live: Connection,
    copy: Connection,
    declared: Declared,
    *,
    contract: bool = False,
    budget: LockBudget | None = None,
    listener: Listener = ignore,
) -> Rehearsal:
    """Run the live database's plan on a copy of it.

    Parameters
    ----------
    live, copy
        Administrators' connections in autocommit mode; the copy is changed, the live database is not.

    Raises
    ------
    RehearsalStale
        The copy would get another plan: it is no copy of this database as it is.
    """
    plan, same = plan_layer(live, declared, budget=budget), plan_layer(copy, declared, budget=budget)
    digest = steps_digest([step.as_dict() for step in plan.steps])
    if steps_digest([step.as_dict() for step in same.steps]) != digest:
        raise RehearsalStale(
            f"{copy.info.dbname} would get another plan than {live.info.dbname}",
            detail=f"{len(same.steps)} steps, and the live database {len(plan.steps)}.",
            hint="Rehearse on a copy of the live database as it is now.",
        )
    sizes = sizes_of(copy)
    tracer = Tracer(contract, "a rehearsal", "")
    with exclusive(copy):
        apply(copy, same, tracer, contract=contract, budget=budget or declared.budget, listener=listener)
    return Rehearsal(
        plan=digest,
        server_version=copy.info.server_version,
        rehearsed_at=f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}Z",
        sizes=sizes,
        steps=tuple(tracer.steps),
    )


def write_rehearsal(rehearsal: Rehearsal, path: Path) -> None:
    """Write it for `freehold apply --rehearsed`.

    Raises
    ------
    InputError
        The file cannot be written.
    """
    write_text(path, json.dumps(asdict(rehearsal), indent=2) + "\n", "The rehearsal")


def read_rehearsal(path: Path) -> Rehearsal:
    """Read it.

    Raises
    ------
    InputError
        It is none.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        steps = tuple(
            Traced(s["number"], s["title"], s["seconds"], tuple((a, b) for a, b in s["locks"]))
            for s in content["steps"]
        )
        return Rehearsal(**{**content, "steps": steps})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path} is no rehearsal",
            detail=f"{type(error).__name__}: {error}",
            hint="freehold rehearse --out writes one.",
        ) from error
