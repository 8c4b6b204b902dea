"""Every kind of change, cut off or killed at any point until it comes to its end: nothing lost, nothing left."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from benchmarks.changes.catalogue import CASES, Case
from benchmarks.changes.shape import NAME, TEMPLATE, Shape, copied, fill

from freehold.errors import FreeholdError
from freehold.kernel.compile import Declared
from freehold.operations import apply_layer, plan_layer
from freehold.servers import OwnedServer, disposable, find_embedded
from freehold.testing.database import create_database
from torture.applying import (
    BUDGET,
    ProcessFailed,
    apply_case,
    apply_until_killed,
    apply_when_free,
    at_first_step,
    declared_after,
)
from torture.ground import QUIET
from torture.result import Result

ROWS = 4_000
TRIES = 4
"""How many copies of a table a change may have until it was killed in the middle on one of them."""
CUTS, KILLS = 4, 3
"""How often the connection of one change is cut, and its process killed, before it is let come to its end."""
LEFT = """
SELECT 'invalid index ' || i.indexrelid::regclass FROM pg_index AS i WHERE NOT i.indisvalid
UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE tgname LIKE 'zz\\_freehold\\_%'
UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = to_regnamespace('freehold_coming')
UNION ALL SELECT 'table ' || oid::regclass FROM pg_class
    WHERE relkind IN ('r', 'p')
        AND relnamespace IN (to_regnamespace('freehold_coming'), to_regnamespace('freehold_gone'))
UNION ALL SELECT 'column ' || attrelid::regclass || '.' || attname
    FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
    WHERE c.relkind = 'r' AND a.attname LIKE '%\\_\\_%' AND NOT a.attisdropped AND a.attrelid >= 16384
UNION ALL SELECT 'constraint ' || conname FROM pg_constraint WHERE NOT convalidated
"""
Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Ended:
    """One change: how often it was cut off and killed, and the next apply met one that still ran; what was wrong."""

    name: str
    cuts: int
    kills: int
    busy: int
    wrong: tuple[str, ...]


def run(size: int, seed: int) -> Result:
    """Disturb each of the first ``size`` kinds of change.

    Parameters
    ----------
    size
        How many kinds; all of them at full size.
    seed
        Of the faults and their moments.
    """
    started, dice = time.monotonic(), random.Random(seed)
    with disposable(find_embedded(), settings={**QUIET, "max_wal_size": "4GB"}) as server:
        _template(server)
        chosen = CASES[:size] if size < len(CASES) else CASES
        ended = [_disturbed(server, case, dice) for case in chosen]
        caught = sum(_caught(server, damage) for damage in DEFECTS)
    wrong = [f"{each.name}: {', '.join(each.wrong)}" for each in ended if each.wrong]
    cuts, kills, busy = (sum(getattr(each, what) for each in ended) for what in ("cuts", "kills", "busy"))
    return Result(
        name="changes",
        size=cuts + kills,
        seed=seed,
        violations=len(wrong),
        seconds=time.monotonic() - started,
        defects_seeded=len(DEFECTS),
        defects_caught=caught,
        notes="; ".join(wrong)
        or f"{len(ended)} kinds of change taken up again after {cuts} cut connections and {kills} killed processes, "
        f"{sum(each.kills > 0 for each in ended)} of them killed at least once; {busy} times the dead one still ran",
    )


def _template(server: OwnedServer) -> None:
    create_database(server, TEMPLATE)
    with server.connect(TEMPLATE, autocommit=True) as connection:
        apply_layer(connection, Shape().layer().declared)
        fill(connection, ROWS)


def _disturbed(server: OwnedServer, case: Case, dice: random.Random) -> Ended:
    """A change that was killed at least once, wherever it takes long enough."""
    before = Shape()
    case.before(before)
    try:
        with _prepared(server, before) as connection:
            began = [time.monotonic()]
            listener = at_first_step(lambda: began.append(time.monotonic()))
            apply_case(connection, case, declared_after(case), listener)
            seconds = time.monotonic() - began[-1]
        for tried in range(TRIES):
            ended = _disturbed_within(server, case, dice, seconds / 2**tried)
            if ended.kills or ended.wrong:
                break
    except (FreeholdError, psycopg.Error, ProcessFailed) as error:
        return Ended(case.name, 0, 0, 0, (str(error),))
    return ended


def _disturbed_within(server: OwnedServer, case: Case, dice: random.Random, seconds: float) -> Ended:
    """A change that is cut off and killed within so many seconds of its beginning, and let come to its end."""
    before, after = Shape(), Shape()
    case.before(before)
    case.edit(after)
    declared, seen = declared_after(case), {"cuts": 0, "kills": 0, "busy": 0}
    with _prepared(server, before) as connection:
        kept = _sums(connection, before)
        for fault in ["kills", *dice.sample(["cuts", "kills"], k=CUTS + KILLS - 1, counts=[CUTS, KILLS - 1])]:
            cut = apply_until_killed if fault == "kills" else _apply_until_cut
            # Early more often than late, so that something is left for the faults that follow.
            seen[fault] += cut(server, case, 0.9 * seconds * dice.random() ** 2)
        seen["busy"] = apply_when_free(connection, case, declared)
        wrong = _wrong(connection, declared, kept, after)
    return Ended(case.name, wrong=tuple(wrong), **seen)


@contextmanager
def _prepared(server: OwnedServer, before: Shape) -> Iterator[Connection]:
    """A copy in the shape that it has before the change."""
    with copied(server), server.connect(NAME, autocommit=True) as connection:
        allowed: dict[str, Any] = {"contract": True, "data_loss": True, "weaker_guard": "torture"}
        apply_layer(connection, before.layer().declared, budget=BUDGET, **allowed)
        yield connection


def _apply_until_cut(server: OwnedServer, case: Case, seconds: float) -> bool:
    """Apply until the backend is terminated, so many seconds after the first step began; whether before the end."""
    with server.connect(NAME, autocommit=True) as connection, server.connect("postgres", autocommit=True) as other:
        pid = connection.info.backend_pid
        timer = threading.Timer(seconds, lambda: other.execute("SELECT pg_terminate_backend(%s)", (pid,)))
        try:
            apply_when_free(connection, case, declared_after(case), at_first_step(timer.start))
        except (FreeholdError, psycopg.Error):
            if not connection.broken:
                raise
            return True
        finally:
            timer.cancel()
            if timer.ident is not None:
                timer.join()
    return False


def _sums(connection: Connection, shape: Shape) -> tuple[Any, ...]:
    query = f"SELECT count(*), sum(id), sum(amount), sum(units) FROM app.{shape.table}"
    return connection.execute(query.encode()).fetchone() or ()


def _wrong(connection: Connection, declared: Declared, kept: tuple[Any, ...], shape: Shape) -> list[str]:
    found = [row[0] for row in connection.execute(LEFT.encode())]
    found += [f"step left: {step.change.title}" for step in plan_layer(connection, declared).steps]
    now = _sums(connection, shape)
    return found if now == kept else [*found, f"rows were {kept} and are {now}"]


Damage = Callable[[Connection], object]
DEFECTS: tuple[Damage, ...] = (
    lambda connection: connection.execute("DELETE FROM app.entry WHERE id = 7"),
    lambda connection: connection.execute(
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'app.entry_at_ix'::regclass"
    ),
    lambda connection: connection.execute("ALTER TABLE app.entry ADD COLUMN units__new bigint"),
    lambda connection: connection.execute("ALTER TABLE app.entry ADD CONSTRAINT x CHECK (units > 0) NOT VALID"),
    lambda connection: connection.execute("ALTER TABLE app.entry ALTER units DROP NOT NULL"),
)
"""What a change that was cut might leave behind, done on purpose."""


def _caught(server: OwnedServer, damage: Damage) -> bool:
    with copied(server), server.connect(NAME, autocommit=True) as connection:
        declared, kept = Shape().layer().declared, _sums(connection, Shape())
        if _wrong(connection, declared, kept, Shape()):
            return False
        damage(connection)
        return bool(_wrong(connection, declared, kept, Shape()))
