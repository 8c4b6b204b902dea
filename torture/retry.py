"""The retry engine: what conflicts comes to its end within its budget, and what cannot succeed runs once."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from freehold.events import Event, RetryScheduled
from freehold.kernel.template import read_sql
from freehold.runtime.workload import NO_RETRY, Retry, Workload
from torture.conflicts import NUMBERS, PAIRED, PLAIN, RATE, SNAPSHOT, Client
from torture.ground import TENANT, Ground, ground
from torture.model import insert_company, layer
from torture.result import Result

CLIENTS = 8
FATAL_SHARE = 0.1
"""Of all transactions, how many must fail at once."""
NEEDED = 0.999
"""Of those that may be retried, how many must succeed."""
BUDGET = Retry(base=0.001, cap=0.05)
"""The default number of attempts, 10; short waits, as the conflicts here do not last."""
DERIVED = frozenset({"test_pkey"})
DEFECT_SIZE = 400


def workloads(retry: Retry = BUDGET, careless: frozenset[str] = frozenset()) -> tuple[Workload, ...]:
    """The workloads; ``careless`` are constraints that are wrongly called derived."""
    return (
        Workload(SNAPSHOT, isolation="repeatable read", retry=retry),
        Workload(NUMBERS, retry=Retry(base=retry.base, cap=retry.cap, attempts=retry.attempts, derived=DERIVED)),
        Workload(PLAIN, retry=Retry(base=retry.base, cap=retry.cap, attempts=retry.attempts, derived=careless)),
    )


def run(size: int, seed: int) -> Result:
    """``size`` transactions."""
    with ground(layer(), settings={"deadlock_timeout": "10ms"}) as where:
        return attack(where, size, seed)


def attack(where: Ground, size: int, seed: int, *, defect_size: int = DEFECT_SIZE) -> Result:
    """Run them, then with defects of the budget and of what may be retried."""
    started = time.monotonic()
    causes: Counter[str] = Counter()
    clients = load(where, size, seed, workloads(), causes)
    wrong = judge(where, clients)
    seen = [_seen_when_doubled(where, clients)]
    for broken in (workloads(NO_RETRY), workloads(careless=DERIVED)):
        seen.append(bool(judge(where, load(where, defect_size, seed, broken))))
    return Result(
        name="retry",
        size=size,
        seed=seed,
        violations=len(wrong),
        seconds=time.monotonic() - started,
        defects_seeded=len(seen),
        defects_caught=sum(seen),
        notes="; ".join(wrong[:3]) or _notes(clients, causes),
    )


def load(
    where: Ground, size: int, seed: int, given: Sequence[Workload], causes: Counter[str] | None = None
) -> list[Client]:
    """Clients that have done their share; ``causes`` counts why they ran again."""
    told = Counter[str]() if causes is None else causes

    def listener(event: Event) -> None:
        if isinstance(event, RetryScheduled):
            told[event.cause] += 1

    with where.admin() as connection:
        insert_company(connection, TENANT)
        connection.execute(read_sql("torture", "delete_test"))
        for key in (*PAIRED, *(Client.own_of(number) for number in range(CLIENTS))):
            connection.execute(read_sql("torture", "insert_test"), (TENANT, key, 0))
    with ExitStack() as stack:
        db, rival = (where.connect(workloads=given, pool_size=CLIENTS, listener=listener) for _ in range(2))
        stack.callback(db.dispose)
        stack.callback(rival.dispose)
        clients = [Client(number, db, rival, random.Random(f"{seed} {number}")) for number in range(CLIENTS)]
        pool = stack.enter_context(ThreadPoolExecutor(CLIENTS))
        for future in [pool.submit(_work, client, size // CLIENTS) for client in clients]:
            future.result()
    return clients


def _work(client: Client, size: int) -> None:
    for _ in range(max(1, size)):
        if client.draw.random() < FATAL_SHARE:
            client.fail()
        else:
            client.work()


def judge(where: Ground, clients: Sequence[Client]) -> list[str]:
    """What went wrong: too few successes, calls of what cannot succeed, and rows that tell another story."""
    wrong = [what for client in clients for what in client.wrong]
    done, given_up = sum(sum(client.done.values()) for client in clients), sum(client.given_up for client in clients)
    if done < NEEDED * (done + given_up):
        wrong.append(f"{given_up} of {done + given_up} transactions came to no end")
    return wrong + _stories(where, clients)


def _stories(where: Ground, clients: Sequence[Client]) -> list[str]:
    with where.admin() as connection:
        rows: dict[int, int] = dict(connection.execute(read_sql("torture", "read_test")).fetchall())
    told = {"deadlock": (sum(rows[key] for key in PAIRED), 2 * sum(client.done["deadlock"] for client in clients))}
    for client in clients:
        own = range(client.own + 1, client.own_of(client.number + 1))
        told[f"conflict {client.number}"] = (rows[client.own], client.done["conflict"] + client.rivals["conflict"])
        there = sum(key in own for key in rows)
        told[f"derived {client.number}"] = (there, client.done["derived"] + client.rivals["derived"])
    return [f"{what}: {there} and not {right}" for what, (there, right) in told.items() if there != right]


def _seen_when_doubled(where: Ground, clients: Sequence[Client]) -> bool:
    """Whether one commit more than was told, as a blind repetition leaves it, is seen in the rows."""
    with where.admin() as connection:
        connection.execute(read_sql("torture", "repeat_bump"), (clients[0].own,))
    return bool(_stories(where, clients))


def _notes(clients: Sequence[Client], causes: Counter[str]) -> str:
    attempts = sum((client.attempts for client in clients), Counter[int]())
    calls, done = sum(times * count for times, count in attempts.items()), attempts.total()
    ordered = sorted(attempts.elements())
    why = ", ".join(f"{cause} ({count:,})" for cause, count in causes.most_common())
    given_up = sum(client.given_up for client in clients)
    return (
        f"{RATE:.0%} of attempts overtaken by a rival; {done:,} done in {calls:,} attempts, p50 {ordered[done // 2]}, "
        f"p99 {ordered[done * 99 // 100]}, most {ordered[-1]} ; again for {why}; {given_up} gave up; "
        f"six kinds of errors that no retry cures were raised after one call each time"
    )
