"""A steady load of readers and writers, and a witness that sees who waits for a lock."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from freehold.servers import OwnedServer

PAUSE = 0.004
"""What a client rests between transactions: a steady load, that leaves the machine some room."""
WAITING = """
SELECT pid, wait_event FROM pg_stat_activity
WHERE application_name = 'load' AND wait_event_type = 'Lock' AND datname = %s
"""


@dataclass(frozen=True)
class Application:
    """What one version of the application does, by the names that it knows."""

    table: str = "app.entry"
    mail: str = "mail"
    more: tuple[tuple[str, str], ...] = ()

    def transaction(self, connection: psycopg.Connection[Any], rows: int, dice: random.Random) -> None:
        """Read a row, change one, add one, and sometimes take one away or read many."""
        run, number = connection.execute, dice.randint(1, rows)
        names, values = "".join(f", {name}" for name, _ in self.more), "".join(f", {value}" for _, value in self.more)
        with connection.transaction():
            run(f"SELECT units, {self.mail} FROM {self.table} WHERE id = %s".encode(), (number,))
            run(f"UPDATE {self.table} SET units = units + 1 WHERE id = %s".encode(), (dice.randint(1, rows),))
            insert = (
                f"INSERT INTO {self.table} (company_id, amount, code, {self.mail}, digits, note, at, body{names}) "
                f"VALUES (%s, 1.25, 'new', gen_random_uuid()::text, '7', 'n', '2026-05-05', '{{}}'{values}) "
                "RETURNING id"
            )
            row = run(insert.encode(), (1 + number % 100,)).fetchone()
            if row and number % 4 == 0:
                run(f"DELETE FROM {self.table} WHERE id = %s".encode(), row)
        if number % 50 == 0:
            run(f"SELECT count(*) FROM {self.table} WHERE company_id = %s AND id < 5000".encode(), (1 + number % 100,))


OLDER = Application()


@dataclass
class Seen:
    """What happened meanwhile."""

    transactions: int = 0
    longest_transaction: float = 0.0
    longest_wait: float = 0.0
    repeated: int = 0
    """Transactions that met a column whose type had changed, once for each statement that had been prepared."""
    refused: list[str] = field(default_factory=list)


@contextmanager
def load(server: OwnedServer, database: str, rows: int, clients: Sequence[Application]) -> Iterator[Seen]:
    """Run one client for each application until the block ends."""
    seen, done, lock = Seen(), threading.Event(), threading.Lock()

    def client(application: Application, seed: int) -> None:
        dice = random.Random(seed)
        with server.connect(database, autocommit=True) as connection:
            connection.execute("SET application_name = 'load'")
            while not done.is_set():
                started = time.monotonic()
                try:
                    application.transaction(connection, rows, dice)
                except psycopg.errors.FeatureNotSupported:
                    # A prepared statement's result has another type: the runtime repeats the transaction, as here.
                    with lock:
                        seen.repeated += 1
                except psycopg.Error as error:
                    with lock:
                        seen.refused.append(f"{error.sqlstate} {error.diag.message_primary or error}")
                taken = time.monotonic() - started
                with lock:
                    seen.transactions += 1
                    seen.longest_transaction = max(seen.longest_transaction, taken)
                time.sleep(PAUSE)

    def witness() -> None:
        since: dict[int, float] = {}
        with server.connect("postgres", autocommit=True) as connection:
            while not done.is_set():
                rows_ = connection.execute(WAITING, (database,)).fetchall()
                now = time.monotonic()
                waiting = {pid for pid, event in rows_ if event == "relation"}
                since = {pid: since.get(pid, now) for pid in waiting}
                seen.longest_wait = max([seen.longest_wait, *(now - begun for begun in since.values())])
                time.sleep(0.005)

    threads = [threading.Thread(target=client, args=(each, number)) for number, each in enumerate(clients)]
    threads.append(threading.Thread(target=witness))
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        done.set()
        for thread in threads:
            thread.join()
