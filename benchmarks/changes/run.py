"""Every change on a copy of the same large table: applied, contracted, and once more as somebody in a hurry would."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from benchmarks.changes.catalogue import CASES, OWN_ROLE, RIGHTS, Case
from benchmarks.changes.load import Application, Login, Seen, load
from benchmarks.changes.shape import NAME, TEMPLATE, Shape, copied, fill
from benchmarks.measure import Section
from freehold.errors import FreeholdError
from freehold.kernel.budget import LockBudget
from freehold.kernel.compile import Declared
from freehold.operations import apply_layer, plan_layer
from freehold.rooms.roles.credentials import set_password
from freehold.runtime import Key, KeyRing
from freehold.servers import OwnedServer, disposable, find_embedded
from freehold.testing.database import create_database

ROWS = int(os.environ.get("FREEHOLD_BENCH_ROWS", "5000000"))
"""Rows of the table; the environment variable makes a smaller one, for a look at it."""
BUDGET = LockBudget() if ROWS >= 1_000_000 else LockBudget(hold_seconds=0.0)
"""On a small table everything would fit the lock budget."""
CLIENTS = 4
PASSWORD = secrets.token_urlsafe()
PLAIN = Login(OWN_ROLE, PASSWORD)
"""As an application has before there is Freehold: rights on the tables, given by hand."""
TENANTS = Login(f"{NAME}_app_a", PASSWORD, KeyRing((Key("load", secrets.token_bytes(32)),)))
"""An application that is ready for tenancy: it has its role and names the tenant of each transaction."""
METHOD = (
    f"Each change alone, on a copy of the same table of {ROWS:,} rows with a child table, six indexes and constraints, "
    f"under {CLIENTS} clients that read, update, insert and delete, resting 4 ms between; fsync on. Then two "
    "clients of the older and two of the newer version of the application for a second, then `freehold contract` under "
    "the newer one. The clients log in as a role that owns nothing, is no superuser and holds rights on the tables "
    "given by hand; a row that is there and not found counts as a failed transaction. For tenancy the application was "
    "made ready first, as it must be: with its own role, and naming the tenant of each transaction, while the tables "
    "are exempt still. A witness samples every 5 ms who waits for a lock on a table. Naively: the usual statement, "
    "without lock_timeout, under the same clients on another copy. pgroll: its operation for it, by its documentation. "
    '"Repeated" are transactions with a prepared statement whose result has another type since (SQLSTATE 0A000), '
    "which the runtime repeats."
)
COLUMNS = (
    "change",
    "seconds",
    "longest wait for a lock, s",
    "longest transaction, s",
    "failed transactions",
    "written naively: longest wait, s",
    "naively: failed",
    "pgroll",
)
BOTH_SECONDS = 1.0
"""How long both versions of the application run side by side, after the expansion."""


@dataclass(frozen=True)
class Outcome:
    """One change, and what the clients saw of it."""

    case: Case
    seconds: float
    changing: Seen
    beside: Seen
    after: Seen
    naive: Seen | None
    failure: str = ""

    @property
    def refused(self) -> list[str]:
        """Transactions that failed."""
        return [*self.changing.refused, *self.beside.refused, *self.after.refused]


def run(names: Sequence[str] = ()) -> Section:
    """Run the cases, or those that are named.

    Parameters
    ----------
    names
        Words that a case's name holds.
    """
    settings = {"max_wal_size": "16GB", "shared_buffers": "2GB", "maintenance_work_mem": "512MB"}
    with disposable(find_embedded(), settings=settings, durable=True) as server:
        _template(server)
        outcomes = [_outcome(server, case) for case in CASES if not names or any(name in case.name for name in names)]
    return Section(
        title=f"{len(outcomes)} kinds of change of a table of {ROWS:,} rows under load",
        method=METHOD,
        columns=COLUMNS,
        rows=[_cells(outcome) for outcome in outcomes],
        verdict=_verdict(outcomes),
    )


def _template(server: OwnedServer) -> None:
    create_database(server, TEMPLATE)
    with server.connect(TEMPLATE, autocommit=True) as connection:
        apply_layer(connection, Shape().layer().declared)
        fill(connection, ROWS)
        connection.execute(f"CREATE ROLE {PLAIN.user} LOGIN PASSWORD '{PASSWORD}'".encode())
        connection.execute(f"GRANT USAGE ON SCHEMA app TO {PLAIN.user}".encode())
        connection.execute(f"GRANT {', '.join(RIGHTS)} ON ALL TABLES IN SCHEMA app TO {PLAIN.user}".encode())


def _outcome(server: OwnedServer, case: Case) -> Outcome:
    before, after = Shape(), Shape()
    case.before(before)
    case.edit(after)
    naive = _naive(server, case, before) if case.naive else None
    outcome = _changed(server, case, before, after, naive)
    print(" | ".join(_cells(outcome)), *outcome.refused[:2], outcome.failure, flush=True)
    return outcome


def _changed(server: OwnedServer, case: Case, before: Shape, after: Shape, naive: Seen | None) -> Outcome:
    nothing = Seen()
    login = TENANTS if case.tenants else PLAIN
    older = Application(login, more=case.older)
    newer = Application(login, table=f"app.{after.table}", mail=case.mail, more=(*case.older, *case.newer))
    declared = after.layer().declared
    try:
        with _copy(server, case, before) as connection:
            started = time.monotonic()
            with load(server, NAME, ROWS, [older] * CLIENTS) as changing:
                time.sleep(0.3)
                _apply(connection, case, declared, contract=False)
                time.sleep(0.3)
            seconds = time.monotonic() - started - 0.6
            with load(server, NAME, ROWS, [older, older, newer, newer]) as beside:
                time.sleep(BOTH_SECONDS)
            with load(server, NAME, ROWS, [newer] * CLIENTS) as later:
                time.sleep(0.2)
                _apply(connection, case, declared, contract=True)
            left = [step.change.title for step in plan_layer(connection, declared).steps]
            failure = f"left: {left}" if left else ""
            return Outcome(case, seconds, changing, beside, later, naive, failure)
    except (FreeholdError, psycopg.Error) as error:
        return Outcome(case, 0.0, nothing, nothing, nothing, naive, f"{error}")


def _apply(connection: psycopg.Connection[Any], case: Case, declared: Declared, *, contract: bool) -> None:
    apply_layer(
        connection,
        declared,
        contract=contract,
        data_loss=case.loses,
        weaker_guard="a benchmark" if case.weaker else "",
        long_lock=case.long_lock,
        budget=BUDGET,
    )


@contextmanager
def _copy(server: OwnedServer, case: Case, before: Shape) -> Iterator[psycopg.Connection[Any]]:
    """A copy of the table, in the shape that it has before the change."""
    with copied(server), server.connect(NAME, autocommit=True) as connection:
        apply_layer(connection, before.layer().declared, contract=True, data_loss=True, weaker_guard="a benchmark")
        if case.tenants and TENANTS.keys:
            key = TENANTS.keys.signing
            connection.execute("SELECT freehold.add_context_key_v1(%s, %s)", (key.key_id, key.secret))
            set_password(connection, TENANTS.user, PASSWORD)
        yield connection


def _naive(server: OwnedServer, case: Case, before: Shape) -> Seen:
    older = Application(PLAIN, more=case.older)
    with _copy(server, case, before) as connection, load(server, NAME, ROWS, [older] * CLIENTS) as seen:
        time.sleep(0.3)
        try:
            for statement in case.naive.split("; "):
                connection.execute(statement.encode())
        except psycopg.Error as error:
            seen.refused.append(f"the change itself: {error}")
        time.sleep(0.3)
    return seen


def _cells(outcome: Outcome) -> list[str]:
    phases = (outcome.changing, outcome.beside, outcome.after)
    naive = outcome.naive
    if outcome.failure:
        return [outcome.case.name, f"**{outcome.failure.splitlines()[0]}**", *["-"] * (len(COLUMNS) - 2)]
    return [
        outcome.case.name,
        f"{outcome.seconds:,.1f}",
        f"{max(seen.longest_wait for seen in phases):.2f}",
        f"{max(seen.longest_transaction for seen in phases):.2f}",
        f"{len(outcome.refused)} of {sum(seen.transactions for seen in phases):,}{_repeated(phases)}",
        f"{naive.longest_wait:.1f}" if naive else "-",
        f"{len(naive.refused):,}" if naive else "-",
        outcome.case.pgroll or "-",
    ]


def _repeated(phases: Sequence[Seen]) -> str:
    count = sum(seen.repeated for seen in phases)
    return f", {count} repeated" if count else ""


def _verdict(outcomes: Sequence[Outcome]) -> str:
    done = [outcome for outcome in outcomes if not outcome.failure]
    waits = [max(o.changing.longest_wait, o.beside.longest_wait, o.after.longest_wait) for o in done]
    total = sum(o.changing.transactions + o.beside.transactions + o.after.transactions for o in done)
    failed = sum(len(outcome.refused) for outcome in done)
    naive = [o.naive.longest_wait for o in done if o.naive]
    return (
        f"{len(done)} of {len(outcomes)} changes came to their end; {failed} of {total:,} transactions failed; the "
        f"longest wait for a lock was {max(waits, default=0):.2f} s (goal 1 s), naively {max(naive, default=0):.1f} s."
    )
