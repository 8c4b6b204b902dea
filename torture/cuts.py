"""Connections are cut around COMMIT, and messages arrive after their verdict: nothing is lost, and nothing twice."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field

from freehold.errors import CommitUnknown, FreeholdError, OutcomeAborted
from freehold.events import CommitAmbiguous, Event, OutcomeResolved
from freehold.runtime.body import Body
from freehold.runtime.outcome import Verdict
from freehold.servers import Binaries
from freehold.testing.proxy import Cut, Held, KillableProxy
from torture.cut_defects import DEFECTS, Defect
from torture.ground import Ground
from torture.result import Result
from torture.vault import WAYS, Attempted, Clients, counted, vault

GOAL = 0.05
"""Seconds to a verdict, at the 99th percentile (A1)."""
WORKERS = 3
BATCH = 25
"""Cases for which one proxy and its application live: connections that fell silent pile up in them."""
SILENT = 0.06
"""Part of the cuts that are silent: each takes the watchdog's time."""
ANY = b""
MOMENTS = ("cut_before", "cut_with", "cut_after")
DEFECT_CASES = 30


@dataclass(frozen=True)
class Case:
    """One call, and how it is cut.

    Parameters
    ----------
    moment
        The proxy's method, or "hold": the message arrives after the call has ended.
    again
        The resolver's first message is cut as well, this way.
    alone
        The application has no other connection open, and must open one to ask for the verdict.
    """

    call: Attempted
    moment: str
    how: Cut
    again: str = ""
    alone: bool = False


def drawn(size: int, seed: int) -> list[Case]:
    """The cases of a run."""
    draw = random.Random(seed)
    return [_draw(draw, f"{seed}-{number}") for number in range(size)]


def _draw(draw: random.Random, mark: str) -> Case:
    keyed = draw.random() < 0.6
    way = draw.choice(WAYS)
    key = f"key {mark}" if keyed else None
    if keyed and draw.random() < 0.1:
        # A held message fills each attempt there is: what was declared aborted must stay so when it arrives.
        way = draw.choice(("core at once", "async core at once"))
        call = Attempted(way=way, mark=mark, key=key, workload=draw.choice(("once", "twice")), every=True)
        return Case(call, "hold", Cut.RESET)
    how = Cut.SILENCE if draw.random() < SILENT else draw.choice((Cut.RESET, Cut.CLOSE))
    early = draw.random() < 0.15
    again = draw.choice(MOMENTS) if keyed and not early and draw.random() < 0.1 else ""
    call = Attempted(way=way, mark=mark, key=key, early=early)
    return Case(call, draw.choice(MOMENTS), how, again, alone=draw.random() < 0.3)


@dataclass
class Findings:
    """What the callers were told, to be held against what is stored."""

    stored: set[str] = field(default_factory=set)
    """Marks that must be there once."""
    absent: set[str] = field(default_factory=set)
    """Marks that must not be there."""
    open: set[str] = field(default_factory=set)
    """Marks of unkeyed unknown commits: once, or not at all."""
    wrong: list[str] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)
    """Seconds to each verdict of an application that had another connection open."""
    alone: list[float] = field(default_factory=list)
    """The same where it had to open one."""
    told: Counter[str] = field(default_factory=Counter)

    def add(self, other: Findings) -> None:
        """Take in what another worker found."""
        self.stored |= other.stored
        self.absent |= other.absent
        self.open |= other.open
        self.wrong += other.wrong
        self.beside += other.beside
        self.alone += other.alone
        self.told += other.told

    def judge(self, counts: dict[str, int]) -> list[str]:
        """What was told and is not so."""
        lost = [f"lost {mark}" for mark in self.stored if counts.get(mark, 0) == 0]
        false = [f"stored although told aborted {mark}" for mark in self.absent if counts.get(mark, 0)]
        doubled = [f"doubled {mark}" for mark, count in counts.items() if count > 1]
        return [*lost, *false, *doubled, *self.wrong]


class Attack:
    """One worker: a proxy, an application behind it, and the cases that it goes through."""

    def __init__(self, where: Ground, body: Callable[[Body], None] | None = None) -> None:
        self._where = where
        self._body = body
        self.findings = Findings()

    def run(self, cases: Iterable[Case]) -> Findings:
        """Go through the cases."""
        with ExitStack() as stack:
            proxy = stack.enter_context(KillableProxy(self._where.server.host, self._where.server.port))
            url = self._where.url.replace(f":{self._where.server.port}/", f":{proxy.port}/") + "?sslmode=disable"
            clients = stack.enter_context(Clients(self._where, url, self._body))
            for case in cases:
                self._one(proxy, clients, case)
        return self.findings

    def _one(self, proxy: KillableProxy, clients: Clients, case: Case) -> None:
        held: list[Held] = []
        if case.moment == "hold":
            # Its connection then knows where it leads, and the call goes in one message from BEGIN to COMMIT.
            warm = Attempted(way=case.call.way, mark=f"{case.call.mark} warm", key=f"{case.call.mark} warm")
            clients.call(warm, _nothing)
        if not case.alone:
            clients.open_several(case.call.way)
        clients.told.clear()
        clients.hear = lambda event: _cut_resolver(proxy, case, event)
        self._judge(clients, case, lambda: self._arm(proxy, case, held))
        for each in held:
            if each.sprung.is_set():
                each.release(0.05)
        for event in clients.told:
            if isinstance(event, OutcomeResolved):
                (self.findings.alone if case.alone else self.findings.beside).append(event.seconds)

    def _arm(self, proxy: KillableProxy, case: Case, held: list[Held]) -> None:
        if case.moment == "hold":
            held.append(proxy.hold(ANY))
        else:
            getattr(proxy, case.moment)(ANY, case.how)

    def _judge(self, clients: Clients, case: Case, arm: Callable[[], None]) -> None:
        found, mark, keyed = self.findings, case.call.mark, case.call.key is not None
        try:
            result = clients.call(case.call, arm)
        except OutcomeAborted:
            found.told["aborted"] += 1
            found.absent.add(mark)
        except CommitUnknown as error:
            found.told["unknown"] += 1
            if not keyed:
                found.open.add(mark)
                if clients.calls > 1:
                    found.wrong.append(f"ran again after an unknown commit: {mark}")
            else:
                self._resolve(clients, error, mark)
        except FreeholdError as error:
            found.told[error.code] += 1
            found.absent.add(mark)
        else:
            found.told["result"] += 1
            found.stored.add(mark)
            if result != mark:
                found.wrong.append(f"{mark} gave {result!r}")
            if not keyed and any(isinstance(event, CommitAmbiguous) for event in clients.told):
                found.wrong.append(f"a result after an unknown commit: {mark}")

    def _resolve(self, clients: Clients, error: CommitUnknown, mark: str) -> None:
        settled = clients.db.resolve(error.token)
        if settled.verdict is Verdict.COMMITTED:
            self.findings.stored.add(mark)
        elif settled.verdict is Verdict.ABORTED:
            self.findings.absent.add(mark)
        else:
            self.findings.wrong.append(f"no verdict of {mark}: {settled.reason}")


def _nothing() -> None:
    """This call is left alone."""


def _cut_resolver(proxy: KillableProxy, case: Case, event: Event) -> None:
    if case.again and isinstance(event, CommitAmbiguous):
        getattr(proxy, case.again)(ANY, Cut.RESET)


def attack(
    where: Ground, cases: Sequence[Case], body: Callable[[Body], None] | None = None
) -> tuple[Findings, list[str]]:
    """Go through the cases with some workers; gives what they found, and what is wrong with it."""
    batches = [cases[start : start + BATCH] for start in range(0, len(cases), BATCH)]
    every = Findings()
    with ThreadPoolExecutor(WORKERS) as pool:
        for found in pool.map(lambda batch: Attack(where, body).run(batch), batches):
            every.add(found)
    marks = {case.call.mark for case in cases}
    with where.admin() as admin:
        # Messages that were on their way when their connection was cut have arrived by now.
        admin.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = %s", (where.login,))
        counts = {mark: count for mark, count in counted(admin).items() if mark in marks}
    return every, every.judge(counts)


def caught(where: Ground, defect: Defect, seed: int) -> bool:
    """Whether a planted defect is seen; a defect of the database is taken back."""
    # A verdict that does not last is seen by messages that come after it.
    fitting = [case for case in drawn(40 * DEFECT_CASES, seed) if (case.moment == "hold") is (defect.body is None)]
    cases = [case for case in fitting if case.how is not Cut.SILENCE][:DEFECT_CASES]
    with defect.planted(where):
        return bool(attack(where, cases, defect.body)[1])


def run(size: int, seed: int, *, binaries: Binaries | None = None) -> Result:
    """``size`` cuts."""
    started = time.monotonic()
    with vault(binaries=binaries, settings={"max_connections": 200}) as where:
        found, wrong = attack(where, drawn(size, seed))
        # Seeds of their own: their marks must not meet those of the run.
        seen = [caught(where, defect, seed * 1000 + number) for number, defect in enumerate(DEFECTS, 1)]
    told = ", ".join(f"{count:,} {what}" for what, count in sorted(found.told.items()))
    return Result(
        name="cuts",
        size=size,
        seed=seed,
        violations=len(wrong),
        seconds=time.monotonic() - started,
        defects_seeded=len(DEFECTS),
        defects_caught=sum(seen),
        notes="; ".join(wrong[:3])
        or f"0 lost, 0 doubled; callers were told: {told}; {_told(found.beside)} (goal {GOAL * 1000:.0f} ms); "
        f"where a connection had to be opened first {_told(found.alone)}",
    )


def _told(seconds: Sequence[float]) -> str:
    ranked = sorted(seconds)
    p50, p99 = (ranked[int(len(ranked) * part)] * 1000 if ranked else 0.0 for part in (0.5, 0.99))
    return f"{len(ranked):,} verdicts, p50 {p50:.1f} ms, p99 {p99:.1f} ms"
