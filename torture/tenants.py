"""Many tenants through few server connections, with exceptions, timeouts and cancels: no context may stay behind."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import psycopg
import sqlalchemy as sa

from freehold import sql
from freehold.runtime import Session
from freehold.servers import Binaries
from torture.estate import NOTES, SERVER_CONNECTIONS, Estate, Note, estate, tenant
from torture.ground import Failures, state_of
from torture.leftovers import Leftovers, leftovers
from torture.result import Result

TENANTS = 1000
THREADS = 12
TASKS = 24
# As many as ask at a time: who waits does so in the pooler.
POOL: dict[str, Any] = {"pool_size": TASKS, "max_overflow": 0}
DEFECT_SIZE = 200
SLEEP = 0.05
"""Seconds for which a statement sleeps that is to be cancelled."""
CANCELLED = "57014"
SHOWN = 5
WEIGHTS = {
    "commit": 50,
    "exception": 18,
    "bare": 16,
    "server error": 6,
    "savepoint": 6,
    "timeout": 2,
    "cancel": 1.5,
    "lost client": 0.5,
}
"""What a checkout does after it has looked around; "bare" binds no context and must find none."""

LOOK = sql(
    "SELECT freehold.tenant_v1()::text, freehold.actor_v1(),"
    " (SELECT array_agg(DISTINCT tenant_id) FROM estate.note), (SELECT count(*) FROM estate.note)"
)
BARE = "SELECT coalesce(current_setting('freehold.context', true), '')"
KEEP = sql("SELECT set_config('freehold.context', current_setting('freehold.context'), false)")


class Walkout(Exception):
    """The application's own exception."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """One use of a connection: as whom, and what happens in it."""

    number: int
    tenant: int
    act: str

    @property
    def actor(self) -> str:
        """Unlike every other's."""
        return f"actor {self.number}"


@dataclass
class Run:
    """One pass over many checkouts, and what was seen in it.

    ``defect`` plants a mistake: "session" keeps the context for the session, "previous" opens a transaction for the
    tenant of the checkout before.
    """

    place: Estate
    defect: str = ""
    stale: list[str] = field(default_factory=list)
    stray: list[str] = field(default_factory=list)
    acts: Counter[str] = field(default_factory=Counter)
    cancelled: int = 0

    def who(self, checkout: Checkout) -> dict[str, Any]:
        """As whom the runtime is told to open the transaction."""
        shift = self.defect == "previous" and checkout.number % 3 == 0
        other = tenant(1) if checkout.tenant != tenant(1) else tenant(2)
        return {"tenant": other if shift else checkout.tenant, "actor": checkout.actor}

    def look(self, session: Session, checkout: Checkout) -> None:
        """See whose transaction the server takes this for, and whose rows it shows."""
        if checkout.number % 4 == 0:
            marks = session.scalars(sa.select(Note.mark)).all()
            right = len(marks) == NOTES and all(f"-{checkout.tenant}-" in mark for mark in marks)
            self.judge(right, checkout, str(marks[:1]))
        else:
            found = tuple(session.execute(LOOK).one())
            wanted = (str(checkout.tenant), checkout.actor, [checkout.tenant], NOTES)
            self.judge(found == wanted, checkout, str(found))

    def judge(self, right: bool, checkout: Checkout, found: str) -> None:
        """Keep what is wrong."""
        if not right:
            self.stale.append(f"checkout {checkout.number} of {checkout.tenant}, {checkout.act}: {found}")

    def inside(self, session: Session, checkout: Checkout) -> None:
        """The block of a checkout, as far as it is the same for threads and tasks."""
        if checkout.act == "timeout":
            session.execute(sql("SET LOCAL statement_timeout = 3"))
        self.look(session, checkout)
        if self.defect == "session":
            session.execute(KEEP)
        if checkout.act == "exception":
            raise Walkout
        if checkout.act == "server error":
            session.execute(sql("SELECT 1 / 0"))
        if checkout.act == "savepoint":
            self._savepoint(session, checkout)
        if checkout.act == "timeout":
            session.execute(sql("SELECT pg_sleep(:seconds)"), {"seconds": SLEEP})

    def _savepoint(self, session: Session, checkout: Checkout) -> None:
        try:
            with session.begin_nested():
                session.execute(sql("SELECT 1 / 0"))
        except Failures:
            self.look(session, checkout)

    def ended(self, checkout: Checkout, error: BaseException | None) -> None:
        """Compare how a checkout ended with how it had to."""
        self.acts[checkout.act] += 1
        self.cancelled += checkout.act == "cancel" and error is not None
        if error is None or isinstance(error, Walkout) or checkout.act in ("lost client", "cancel"):
            return
        if state_of(error) == CANCELLED and checkout.act != "timeout":
            # A pooler may deliver a cancel late, to whoever has the server connection by then.
            self.stray.append(checkout.act)
        elif state_of(error) not in {"server error": ("22012",), "timeout": (CANCELLED,)}.get(checkout.act, ()):
            self.stale.append(f"checkout {checkout.number}, {checkout.act}, ended with {str(error).splitlines()[0]}")


def bare(run: Run, connection: psycopg.Connection[Any], checkout: Checkout) -> None:
    """Look around without a context, on a connection that the runtime knows nothing of."""
    try:
        with connection.transaction():
            found = connection.execute(BARE).fetchone()
            run.judge(found == ("",), checkout, "a context was there")
            connection.execute("SELECT count(*) FROM estate.note")
            run.judge(False, checkout, "rows were counted without a context")
    except psycopg.Error as error:
        run.judge(error.sqlstate in ("FH001", CANCELLED), checkout, f"without a context: {error}")
    run.acts[checkout.act] += 1


def by_threads(run: Run, checkouts: Sequence[Checkout]) -> None:
    """Run the checkouts on threads."""
    db = run.place.ground.connect(run.place.url, **POOL)

    def work(mine: Sequence[Checkout]) -> None:
        with psycopg.connect(run.place.conninfo, prepare_threshold=None, autocommit=True) as raw:
            for checkout in mine:
                if checkout.act == "bare":
                    bare(run, raw, checkout)
                else:
                    run.ended(checkout, _on_thread(run, db, checkout))

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(work, [checkouts[first::THREADS] for first in range(THREADS)]))
    db.dispose()


def _on_thread(run: Run, db: Any, checkout: Checkout) -> BaseException | None:
    try:
        with db.transaction(**run.who(checkout)) as session:
            run.inside(session, checkout)
            if checkout.act == "cancel":
                threading.Timer(SLEEP / 10, session.psycopg().cancel).start()
                session.execute(sql("SELECT pg_sleep(:seconds)"), {"seconds": SLEEP})
            if checkout.act == "lost client":
                session.psycopg().close()
    except (*Failures, Walkout) as error:
        return error
    return None


async def by_tasks(run: Run, checkouts: Sequence[Checkout]) -> None:
    """Run the checkouts on tasks; a cancel is the task's."""
    db = await run.place.ground.connect_async(run.place.url, **POOL)

    async def work(mine: Sequence[Checkout]) -> None:
        for checkout in mine:
            task = asyncio.create_task(_on_task(run, db, checkout))
            if checkout.act == "cancel":
                await asyncio.sleep(SLEEP / 2)
                task.cancel()
            error = (await asyncio.gather(task, return_exceptions=True))[0]
            run.ended(checkout, error)

    mine = [checkout for checkout in checkouts if checkout.act != "bare"]
    watched = asyncio.to_thread(_watch, run, [checkout for checkout in checkouts if checkout.act == "bare"])
    await asyncio.gather(watched, *(work(mine[first::TASKS]) for first in range(TASKS)))
    await db.dispose()


def _watch(run: Run, checkouts: Sequence[Checkout]) -> None:
    with psycopg.connect(run.place.conninfo, prepare_threshold=None, autocommit=True) as raw:
        for checkout in checkouts:
            bare(run, raw, checkout)


async def _on_task(run: Run, db: Any, checkout: Checkout) -> None:
    async with db.transaction(**run.who(checkout)) as session:
        await session.run_sync(run.inside, checkout)
        if checkout.act == "cancel":
            await session.execute(sql("SELECT pg_sleep(:seconds)"), {"seconds": 20 * SLEEP})
        if checkout.act == "lost client":
            await (await session.psycopg()).close()


def drawn(size: int, seed: int, tenants: int) -> list[Checkout]:
    """What happens, in order: the same for the same seed."""
    choice = random.Random(seed)
    acts = choice.choices(list(WEIGHTS), list(WEIGHTS.values()), k=size)
    return [Checkout(number, tenant(choice.randint(1, tenants)), act) for number, act in enumerate(acts)]


def passed(run: Run, checkouts: Sequence[Checkout]) -> Run:
    """One pass: half on threads and half on tasks, and what they left on the server's connections."""
    with leftovers(run.place.conninfo, SERVER_CONNECTIONS) as before:
        known = before.read()
    half = len(checkouts) // 2
    by_threads(run, checkouts[:half])
    asyncio.run(by_tasks(run, checkouts[half:]))
    with leftovers(run.place.conninfo, SERVER_CONNECTIONS) as after:
        run.stale.extend(Leftovers.compare(known, after.read()))
    return run


def attack(place: Estate, size: int, seed: int) -> Result:
    """The harness on a place that is there."""
    began = time.monotonic()
    found = passed(Run(place), drawn(size, seed, place.tenants))
    seconds = time.monotonic() - began
    caught = 0
    for defect in ("session", "previous"):
        caught += bool(passed(Run(place, defect), drawn(DEFECT_SIZE, seed, place.tenants)).stale)
        place.pooler.reconnect()
    acts = ", ".join(f"{count:,} {act}" for act, count in found.acts.most_common())
    version = place.pooler.show("VERSION")[0]["version"]
    hits = f"{found.cancelled:,} cancels hit their statement, {len(found.stray)} another"
    shown = "; ".join(found.stale[:SHOWN])
    return Result(
        name="tenants",
        size=sum(found.acts.values()),
        seed=seed,
        violations=len(found.stale),
        seconds=seconds,
        defects_seeded=2,
        defects_caught=caught,
        notes=f"{version}, {place.tenants:,} tenants: {acts}; {hits}. {shown}".strip(),
    )


def run(size: int, seed: int, *, tenants: int = TENANTS, binaries: Binaries | None = None) -> Result:
    """``size`` checkouts, half on threads and half on tasks."""
    with estate(tenants, binaries=binaries) as place:
        return attack(place, size, seed)
