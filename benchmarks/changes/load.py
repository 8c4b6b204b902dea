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

from freehold.errors import FreeholdError
from freehold.runtime import KeyRing
from freehold.runtime.context import Backend, Context
from freehold.runtime.signer import Signer
from freehold.servers import OwnedServer

COMPANIES = 100
PAUSE = 0.004
"""What a client rests between transactions: a steady load, that leaves the machine some room."""
WAITING = """
SELECT pid, wait_event FROM pg_stat_activity
WHERE application_name = 'load' AND wait_event_type = 'Lock' AND datname = %s
"""


class Unseen(Exception):
    """A row that is there was not found."""


@dataclass(frozen=True)
class Login:
    """Whom an application logs in as: no superuser, no owner, and under row security where there is any.

    Parameters
    ----------
    keys
        What it signs the tenant of its transactions with; without them it names none.
    """

    user: str
    password: str
    keys: KeyRing | None = None

    def bind(self, connection: psycopg.Connection[Any], tenant: int) -> None:
        """Tell the transaction whose rows it is about."""
        if self.keys:
            backend = Backend(connection.info.backend_pid)
            token = Signer(self.keys).token(Context(str(tenant), "load"), backend)
            connection.execute("SELECT set_config('freehold.context', %s, true)", (token,))


@dataclass(frozen=True)
class Application:
    """What one version of the application does, by the names that it knows.

    Parameters
    ----------
    more
        Columns that it gives for a new row beside the others, each with an SQL expression.
    """

    login: Login
    table: str = "app.entry"
    mail: str = "mail"
    more: tuple[tuple[str, str], ...] = ()

    def transaction(self, connection: psycopg.Connection[Any], rows: int, dice: random.Random) -> None:
        """Read a row of a company, change one, add one, and sometimes take one away or read many.

        Raises
        ------
        Unseen
        """
        company = dice.randint(1, COMPANIES)
        own = range(company - 1 or COMPANIES, rows + 1, COMPANIES)
        names, values = "".join(f", {name}" for name, _ in self.more), "".join(f", {value}" for _, value in self.more)
        with connection.transaction():
            self.login.bind(connection, company)
            self._one(connection, f"SELECT units, {self.mail} FROM {self.table} WHERE id = %s", dice.choice(own))
            self._one(connection, f"UPDATE {self.table} SET units = units + 1 WHERE id = %s", dice.choice(own))
            insert = (
                f"INSERT INTO {self.table} (company_id, amount, code, {self.mail}, digits, note, at, body{names}) "
                f"VALUES (%s, 1.25, 'new', gen_random_uuid()::text, '7', 'n', '2026-05-05', '{{}}'{values}) "
                "RETURNING id"
            )
            row = self._one(connection, insert, company).fetchone()
            if row and dice.random() < 0.25:
                self._one(connection, f"DELETE FROM {self.table} WHERE id = %s", row[0])
        if dice.random() < 0.02:
            with connection.transaction():
                self.login.bind(connection, company)
                many = f"SELECT count(*) FROM {self.table} WHERE company_id = %s AND id < 5000"
                connection.execute(many.encode(), (company,))

    def _one(self, connection: psycopg.Connection[Any], statement: str, value: int) -> psycopg.Cursor[Any]:
        """Run a statement about one row, which must be met."""
        found = connection.execute(statement.encode(), (value,))
        if found.rowcount != 1:
            raise Unseen(f"{found.rowcount} rows: {statement}")
        return found


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
        dice, login = random.Random(seed), application.login
        try:
            with server.connect(database, user=login.user, password=login.password, autocommit=True) as connection:
                connection.execute("SET application_name = 'load'")
                while not done.is_set():
                    once(application, connection, dice)
                    time.sleep(PAUSE)
        except (FreeholdError, psycopg.Error) as error:
            with lock:
                seen.refused.append(f"a client is gone: {error}")

    def once(application: Application, connection: psycopg.Connection[Any], dice: random.Random) -> None:
        started = time.monotonic()
        try:
            application.transaction(connection, rows, dice)
        except psycopg.errors.FeatureNotSupported:
            # A prepared statement's result has another type: the runtime repeats the transaction, as here.
            with lock:
                seen.repeated += 1
        except (Unseen, psycopg.Error) as error:
            if connection.closed:
                raise
            with lock:
                seen.refused.append(_said(error))
        taken = time.monotonic() - started
        with lock:
            seen.transactions += 1
            seen.longest_transaction = max(seen.longest_transaction, taken)

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


def _said(error: Exception) -> str:
    if isinstance(error, psycopg.Error):
        return f"{error.sqlstate} {error.diag.message_primary or error}"
    return str(error)
