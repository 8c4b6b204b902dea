"""Run batches beside the application: short, never in its way, resumable, and no faster than replicas follow."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from freehold.errors import LockTimeout, RowsRefused
from freehold.events import Listener, Progress, ignore
from freehold.kernel.budget import Pace
from freehold.kernel.names import Sql
from freehold.kernel.online.batch import Batch
from freehold.kernel.template import read_sql

PACKAGE = __package__ or ""
Connection = psycopg.Connection[Any]
FIRST_SIZE, LARGEST_SIZE = 500, 20_000
SHOWN = 5
"""Rows that an error names."""
PATIENCE = 50
"""How often a single row may be found locked before the backfill gives up; each time waits for `Pace.lock_seconds`."""


@dataclass
class Backfill:
    """One run over the batches that are left."""

    connection: Connection
    batch: Batch
    pace: Pace
    listener: Listener = ignore
    size: int = FIRST_SIZE
    refused: int = 0

    def run(self) -> int:
        """Every batch, each in its own transaction with its progress; returns the rows changed, earlier runs' too.

        Raises
        ------
        LockTimeout
            Somebody holds a row all the time. What is done stays done; the same again goes on from there.
        RowsRefused
            Rows do not fit the new shape; those that were brought before them stay, and the error names some.
        """
        place, rows, finished = self._begun()
        while not finished:
            log = self._throttle()
            started = time.monotonic()
            try:
                met, changed, last = self._one(place)
            except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected) as error:
                self._make_room(error)
                continue
            except (psycopg.DataError, psycopg.IntegrityError) as error:
                raise self._refused(place, error) from error
            self.refused = 0
            place, rows, finished = last or place, rows + changed, met == 0
            self._keep(started, log)
            self.listener(Progress(f"rows of {self.batch.name}", rows, 0))
        return rows

    def _begun(self) -> tuple[list[str] | None, int, bool]:
        row = self.connection.execute(_query("read_progress"), {"name": self.batch.name}).fetchone()
        return (row[0], row[1], row[2]) if row else (None, 0, False)

    def _one(self, place: list[str] | None) -> tuple[int, int, list[str] | None]:
        wait = self.size == 1
        with self.connection.transaction():
            self._prepared()
            found = self.connection.execute(sql.SQL(self.batch.query(self.size, place, wait=wait))).fetchone()
            met, changed, last = found or (0, 0, None)
            progress = {"name": self.batch.name, "place": last, "rows": changed, "finished": met == 0}
            self.connection.execute(_query("keep_progress"), progress)
        return met, changed, last

    def _prepared(self) -> None:
        # What brings rows along is no business of theirs: it is neither history, nor audit, nor a derived value.
        with _tolerated(self.connection):
            self.connection.execute("SET LOCAL session_replication_role = 'replica'")
        self.connection.execute("SET LOCAL row_security = off")
        timeout = f"{int(self.pace.lock_seconds * 1000)}ms"
        self.connection.execute("SELECT set_config('lock_timeout', %s, true)", (timeout,))

    def _make_room(self, error: psycopg.Error) -> None:
        """Somebody writes a row of the batch: a smaller one a little later finds them gone."""
        self.refused += self.size == 1
        if self.refused > PATIENCE:
            raise LockTimeout(
                f"{self.batch.name} cannot go on: somebody holds a row of {self.batch.table} all the time",
                detail=f"SQLSTATE {error.sqlstate}, {PATIENCE} tries of {self.pace.lock_seconds:g} s.",
                hint="End that transaction (see pg_blocking_pids) and apply again: it goes on where it stopped.",
            ) from error
        self.size = max(1, self.size // 4)
        time.sleep(random.uniform(0.002, 0.02))  # noqa: S311 - jitter

    def _refused(self, place: list[str] | None, error: psycopg.Error) -> RowsRefused:
        """Which rows it is about: every batch that is refused is tried in halves, and nothing is kept."""
        found: list[str] = []
        names = ", ".join(self.batch.columns)
        for key in self._offenders(place):
            found.append(f"({names}) = ({', '.join(key)})")
            if len(found) == SHOWN:
                break
        return RowsRefused(
            f"{self.batch.name}: rows do not fit: {error.diag.message_primary}",
            detail=f"{'; '.join(found)}. SQLSTATE {error.sqlstate}; at most {SHOWN} are named.",
            hint="Mend these rows and apply again: it goes on where it stopped. The table serves as before meanwhile.",
        )

    def _offenders(self, place: list[str] | None) -> Iterator[list[str]]:
        size = self.size
        while True:
            try:
                with self.connection.transaction(force_rollback=True):
                    self._prepared()
                    row = self.connection.execute(sql.SQL(self.batch.query(size, place, wait=True))).fetchone()
                if not row or not row[0]:
                    return
                place = row[2]
            except (psycopg.DataError, psycopg.IntegrityError):
                if size > 1:
                    size //= 2
                    continue
                found = self.connection.execute(sql.SQL(self.batch.first(place))).fetchone()
                if not found:
                    return
                place = found[0]
                yield found[0]
            except psycopg.errors.LockNotAvailable:
                return

    def _keep(self, started: float, log: int) -> None:
        """Let the next batch take the time that it should, and the log no more than it may."""
        taken = max(time.monotonic() - started, 0.001)
        wanted = self.size * self.pace.batch_seconds / taken
        self.size = int(max(1, min(LARGEST_SIZE, wanted, self.size * 2)))
        if self.pace.wal_bytes_per_second:
            written = self._position() - log
            time.sleep(max(0.0, written / self.pace.wal_bytes_per_second - taken))

    def _throttle(self) -> int:
        """Wait until the slowest standby has caught up; returns the position in the log."""
        while True:
            row = self.connection.execute(_query("read_lag")).fetchone()
            position, lag = row or (0, 0)
            if lag <= self.pace.replica_lag_bytes:
                return int(position)
            self.listener(Progress(f"bytes that a standby lags while {self.batch.name} waits", int(lag), 0))
            time.sleep(0.5)

    def _position(self) -> int:
        row = self.connection.execute(_query("read_lag")).fetchone()
        return int(row[0]) if row else 0


@contextmanager
def _tolerated(connection: Connection) -> Iterator[None]:
    """A login that may not silence triggers lets them fire."""
    try:
        with connection.transaction():
            yield
    except psycopg.errors.InsufficientPrivilege:
        return


def _query(name: str) -> sql.SQL:
    text: Sql = read_sql(PACKAGE, name)
    return sql.SQL(text)
