"""Replies to COMMIT are lost while the server fails over or is restored: what is called committed is there."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field

from freehold.errors import CommitUnknown, OutcomeLost
from freehold.runtime.body import Body
from freehold.runtime.outcome import Settled, Verdict
from freehold.servers import Binaries, OwnedServer
from freehold.servers.disposable import replica_of
from freehold.servers.settings import Settings
from torture.asking import ask_elsewhere
from torture.callers import Caller, called
from torture.cut_defects import hasty, hopeful
from torture.ground import Ground
from torture.result import Result
from torture.vault import counted, vault

EACH = 10
"""Cut replies of one failover or restore."""
DEFECT_CUTS = 6
POINT = "before the loss"
RESTORE: Settings = {"recovery_target_name": POINT, "recovery_target_action": "promote"}
KINDS = ("failover", "failover", "restore")
LIMIT = 30.0
COMMITTED, LOST = Verdict.COMMITTED.value, Verdict.LOST.value
Change = Callable[[Body], None]


@dataclass
class Findings:
    """What the callers were told, and what of that is not so."""

    told: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    rounds: Counter[str] = field(default_factory=Counter)

    def judge(self, caller: Caller, verdict: str, stored: int) -> None:
        """Hold what one caller was told against the server that is left."""
        self.told[verdict] += 1
        ran_again = caller.error is None and verdict == LOST
        wanted = int(verdict == COMMITTED or ran_again)
        about = f"{caller.call.mark} ({caller.moment}, {'kept' if caller.kept else 'dropped'})"
        if stored != wanted:
            self.wrong.append(f"told {verdict}, and {stored} rows, for {about}")
        if verdict not in {COMMITTED, LOST}:
            self.wrong.append(f"told {verdict} for {about}")
        if caller.moment == "cut_after" and verdict != (COMMITTED if caller.kept else LOST):
            self.wrong.append(f"told {verdict} for {about}")


class Drill:
    """A server that fails over again and again, each time to a standby of its own."""

    def __init__(self, where: Ground, draw: random.Random) -> None:
        self.where, self.draw = where, draw
        self.change: Change | None = None
        self.found = Findings()
        self._number = 0
        self._current: AbstractContextManager[OwnedServer] | None = None

    def round(self, kind: str, size: int) -> None:
        """One failover, or one restore to a point in time, with this many cut replies before it."""
        self.found.rounds[kind] += 1
        old = self.where.server
        context = replica_of(old, settings=RESTORE if kind == "restore" else None, port=old.port + 1)
        standby = context.__enter__()
        with ExitStack() as stack:
            callers = [stack.enter_context(self._caller(number < size // 2)) for number in range(size)]
            threads = [caller.start() for caller in callers if caller.kept]
            self._cut(callers, kept=True)
            self._draw_the_line(standby, kind)
            threads += [caller.start() for caller in callers if not caller.kept]
            self._cut(callers, kept=False)
            self._fail_over(standby, kind)
            for caller in callers:
                caller.proxy.redirect(standby.host, standby.port)
                caller.proxy.resume()
            for thread in threads:
                thread.join()
            self._judge(callers)
        if self._current is not None:
            self._current.__exit__(None, None, None)
        self._current = context

    def attack(self, size: int) -> Findings:
        """As many failovers and restores as ``size`` cuts take."""
        self.found = Findings()
        for number, start in enumerate(range(0, size, EACH)):
            self.round(KINDS[number % len(KINDS)], min(EACH, size - start))
        return self.found

    def caught(self, change: Change) -> bool:
        """Whether a planted defect is seen, in one failover."""
        self.change = change
        return bool(self.attack(DEFECT_CUTS).wrong)

    def close(self) -> None:
        """Remove the last standby."""
        if self._current is not None:
            self._current.__exit__(None, None, None)

    def _caller(self, kept: bool) -> AbstractContextManager[Caller]:
        self._number += 1
        return called(self.where, f"reply {self._number}", self.draw, kept=kept, change=self.change)

    def _cut(self, callers: Sequence[Caller], *, kept: bool) -> None:
        for caller in callers:
            if caller.kept == kept:
                assert caller.cut.wait(LIMIT), "the reply was never cut"

    def _draw_the_line(self, standby: OwnedServer, kind: str) -> None:
        """What is committed from here on does not reach the standby."""
        with self.where.admin() as admin:
            # A COMMIT whose connection was cut at the same moment may still be under way.
            admin.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = %s", (self.where.login,)
            )
            if kind == "restore":
                admin.execute("SELECT pg_create_restore_point(%s)", (POINT,))
                admin.execute("SELECT pg_switch_wal()")
            found = admin.execute("SELECT pg_current_wal_insert_lsn()").fetchone()
        with standby.connect(self.where.database, autocommit=True) as there:
            if kind == "restore":
                _wait(lambda: there.execute("SELECT NOT pg_is_in_recovery()").fetchone() == (True,))
                return
            _wait(lambda: there.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", found).fetchone() == (True,))
            there.execute("ALTER SYSTEM SET primary_conninfo = ''")
            there.execute("SELECT pg_reload_conf()")
            _wait(lambda: there.execute("SELECT count(*) FROM pg_stat_wal_receiver").fetchone() == (0,))

    def _fail_over(self, standby: OwnedServer, kind: str) -> None:
        self.where.server.kill()
        with standby.connect(self.where.database, autocommit=True) as there:
            if kind != "restore":
                there.execute("SELECT pg_promote()")
            # An unrelated commit, after which transaction ids of the former timeline are used anew.
            there.execute("CREATE TABLE IF NOT EXISTS vault.unrelated ()")
        for name in RESTORE:
            standby.settings.pop(name, None)
        self.where.server = standby

    def _judge(self, callers: Sequence[Caller]) -> None:
        asking = [each for each in callers if isinstance(each.error, CommitUnknown) and each.error.token]
        answers = ask_elsewhere(
            self.where, [each.error.token for each in asking if isinstance(each.error, CommitUnknown)]
        )
        elsewhere = dict(zip((each.call.mark for each in asking), answers, strict=True))
        with self.where.admin() as admin:
            counts = counted(admin)
        for caller in callers:
            mark = caller.call.mark
            verdict = elsewhere.get(mark) or (LOST if isinstance(caller.error, OutcomeLost) else caller.verdict)
            self.found.judge(caller, verdict, counts.get(mark, 0))
        self.found.told["asked from another process"] += len(asking)


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the standby does not follow")
        time.sleep(0.01)


def _forgetful(body: Body) -> None:
    """Know nothing of timelines: what is not there was never there."""
    insist = body.settling._insist

    def without_timelines(ask: Callable[[], Settled]) -> Settled:
        settled = insist(ask)
        return Settled(Verdict.ABORTED) if settled.verdict is Verdict.LOST else settled

    body.settling._insist = without_timelines  # type: ignore[method-assign]


DEFECTS: tuple[Change, ...] = (hopeful, hasty, _forgetful)


def run(size: int, seed: int, *, binaries: Binaries | None = None) -> Result:
    """``size`` cut replies, ten to each failover or restore."""
    started = time.monotonic()
    with vault(binaries=binaries) as where:
        drill = Drill(where, random.Random(seed))
        try:
            found = drill.attack(size)
            seen = [drill.caught(change) for change in DEFECTS]
        finally:
            drill.close()
    told = ", ".join(f"{count} {what}" for what, count in sorted(found.told.items()))
    rounds = " and ".join(f"{count} of {what}" for what, count in found.rounds.items())
    return Result(
        name="failover",
        size=size,
        seed=seed,
        violations=len(found.wrong),
        seconds=time.monotonic() - started,
        defects_seeded=len(DEFECTS),
        defects_caught=sum(seen),
        notes="; ".join(found.wrong[:3]) or f"rounds: {rounds}; no false verdict; callers were told: {told}",
    )
