"""The bank: no snapshot with another sum, and every acknowledged transfer there once, after crash upon crash."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

import psycopg

from freehold.kernel.template import read_sql
from freehold.runtime.outcome import Settled, Verdict
from freehold.runtime.workload import Isolation, Retry, Workload
from torture.crashes import Tally, storm
from torture.ground import TENANT, Ground, ground
from torture.model import insert_company, layer
from torture.result import Result
from torture.tellers import ACCOUNTS, LEDGER, SNAPSHOT, START, Auditor, Books, Teller, Told, settled

TELLERS = 8
EACH = 150
"""Transfers and audits that are acknowledged between two crashes."""
PATIENT = Retry(attempts=200, seconds=30.0, base=0.002, cap=0.2)
DEFECTS = ("delete_transfer", "repeat_transfer", "add_money", "overdraw_account")
"""Changes that a broken database could have made, each a statement beside this module."""


def workloads(ledger: Isolation) -> tuple[Workload, ...]:
    """The tellers' level, which must be a snapshot's at least, and the auditor's."""
    return (
        Workload(LEDGER, isolation=ledger, retry=PATIENT),
        Workload(SNAPSHOT, isolation="repeatable read", read_only=True, retry=PATIENT),
    )


def run(size: int, seed: int) -> Result:
    """``size`` crashes."""
    with ground(layer(), durable=True, settings={"deadlock_timeout": "20ms"}) as where:
        return attack(where, size, seed)


def attack(where: Ground, crashes: int, seed: int, *, each: int = EACH) -> Result:
    """Load, kill, compare; then the same with defects."""
    started = time.monotonic()
    with where.admin() as connection:
        insert_company(connection, TENANT)
    tally, books, verdicts = load(where, "serializable", crashes=crashes, each=each, seed=seed)
    with where.admin() as connection:
        wrong = [*books.wrong, *tally.unexpected, *compare(connection, books.told, verdicts)]
        seen = [_planted(connection, defect, books, verdicts) for defect in DEFECTS]
    seen += [_lost_updates(where, seed, each), _lost_commits(where, seed, each)]
    unknown = Counter(found.verdict.value for found in verdicts.values())
    return Result(
        name="bank",
        size=tally.crashes,
        seed=seed,
        violations=len(wrong),
        seconds=time.monotonic() - started,
        defects_seeded=len(seen),
        defects_caught=sum(seen),
        notes="; ".join(wrong[:3])
        or f"crashes under load of {TELLERS} tellers, {sum(1 for told in books.told if told.transfer):,} transfers "
        f"acknowledged, {books.audits:,} audits, {len(verdicts)} still unknown to their caller and resolved later "
        f"({', '.join(f'{count} {verdict}' for verdict, count in unknown.items()) or 'none'})",
    )


def load(
    where: Ground, ledger: Isolation, *, crashes: int, each: int, seed: int
) -> tuple[Tally, Books, Mapping[str, Settled]]:
    """Tellers and an auditor through crashes; gives their books, and verdicts of what no caller learned, by request."""
    with where.admin() as connection, connection.transaction():
        connection.execute(read_sql("torture", "delete_transfers"))
        connection.execute(
            read_sql("torture", "fill_accounts"), {"accounts": ACCOUNTS, "start": START, "tenant": TENANT}
        )
    books = Books()
    with closing(_Disposed(where.connect(workloads=workloads(ledger), pool_size=TELLERS + 1))) as opened:
        db = opened.db
        draws = [random.Random(f"{seed} {ledger} {number}") for number in range(TELLERS)]
        workers = [Auditor(db, books).work, *(Teller(db, draw, books).work for draw in draws)]
        draw = random.Random(seed)
        tally = storm(where.server, workers, crashes=crashes, each=each, draw=draw, after_crash=lambda: None)
        verdicts = {told.request: settled(db, told) for told in books.told if told.transfer is None}
    return tally, books, verdicts


class _Disposed:
    """Closes a database like a file."""

    def __init__(self, db: Any) -> None:
        self.db = db

    def close(self) -> None:
        self.db.dispose()


def compare(connection: psycopg.Connection[Any], told: Sequence[Told], verdicts: Mapping[str, Settled]) -> list[str]:
    """What is in the tables against what the tellers were told."""
    rows = connection.execute(read_sql("torture", "read_transfers")).fetchall()
    stored = dict(rows)
    times = Counter(request for _, request in rows)
    wrong = [f"{request} was carried out {count} times" for request, count in times.items() if count > 1]
    for each in told:
        if each.transfer and stored.get(each.transfer) != each.request:
            wrong.append(f"{each.request} was acknowledged and is lost")
        if each.transfer == 0 and times[each.request]:
            wrong.append(f"{each.request} was refused and is there")
    for request, found in verdicts.items():
        if found.verdict is Verdict.COMMITTED:
            right = times[request] == bool(found.result) and (not found.result or found.result in stored)
        else:
            right = found.verdict is Verdict.ABORTED and not times[request]
        if not right:
            wrong.append(f"{request} is there {times[request]} times and called {found.verdict.value}: {found.reason}")
    unbalanced = connection.execute(read_sql("torture", "read_unbalanced"), {"start": START}).fetchall()
    return wrong + [f"account {row[0]} holds {row[1]} and not {row[2]}" for row in unbalanced]


def _planted(connection: psycopg.Connection[Any], defect: str, books: Books, verdicts: Mapping[str, Settled]) -> bool:
    """Whether a change behind the bank's back is seen; it is undone."""
    with connection.transaction(force_rollback=True):
        changed = connection.execute(read_sql("torture", defect)).rowcount
        return changed > 0 and bool(compare(connection, books.told, verdicts))


def _lost_updates(where: Ground, seed: int, each: int) -> bool:
    """Whether tellers at read committed, who overwrite each other's balances, are found out."""
    _, books, verdicts = load(where, "read committed", crashes=0, each=4 * each, seed=seed)
    with where.admin() as connection:
        return bool(books.wrong) and bool(compare(connection, books.told, verdicts))


def _lost_commits(where: Ground, seed: int, each: int) -> bool:
    """Whether a server that acknowledges what it has not written is found out when it is killed."""
    login = psycopg.sql.Identifier(where.login)
    with where.admin() as connection:
        connection.execute(psycopg.sql.SQL("ALTER ROLE {} SET synchronous_commit TO off").format(login))
        connection.execute("ALTER SYSTEM SET wal_writer_delay TO '10s'")
        connection.execute("SELECT pg_reload_conf()")
    _, books, verdicts = load(where, "serializable", crashes=2, each=each, seed=seed)
    with where.admin() as connection:
        return any("lost" in wrong for wrong in compare(connection, books.told, verdicts))
