"""Named classes of transactions: isolation, time limits, retry budget, and the pool that serves them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from psycopg import sql

from freehold.errors import ConfigError
from freehold.kernel.template import read_sql
from freehold.runtime.exchange import Command

Isolation = Literal["read committed", "repeatable read", "serializable"]
ISOLATIONS: tuple[Isolation, ...] = ("read committed", "repeatable read", "serializable")
MAIN_POOL = "main"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often, and for how long, a transaction is run again after a conflict.

    Waits follow "full jitter" (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015): uniform between
    zero and a bound that doubles with each attempt.

    Parameters
    ----------
    attempts
        How often the function runs in all.
    seconds
        No attempt begins later than this after the first.
    base, cap
        The wait's bound after the first attempt, and its highest bound, in seconds.
    derived
        Names of unique and exclusion constraints whose violation (23505, 23P01) means that a value derived from a read
        in the same transaction was outdated, such as a next number. Others are the caller's mistake and never retried.
    """

    attempts: int = 10
    seconds: float = 10.0
    base: float = 0.005
    cap: float = 0.5
    derived: frozenset[str] = frozenset()

    def bound(self, attempt: int) -> float:
        """The longest wait, in seconds, after the given attempt, counted from 1."""
        return float(min(self.cap, self.base * 2.0 ** min(attempt - 1, 60)))


NO_RETRY = Retry(attempts=1)
"""For what must be told of every failure itself."""


@dataclass(frozen=True, kw_only=True)
class Workload:
    """A named class of transactions; the defaults suit short transactions of an application (OLTP).

    Parameters
    ----------
    name
        What ``db.transaction(workload=...)`` calls it.
    isolation
        PostgreSQL's level: "read committed", "repeatable read" (snapshot isolation) or "serializable".
    read_only
        Let the server refuse writes.
    deferrable
        With ``isolation="serializable"`` and ``read_only``: wait at the start for a snapshot that can cause no
        serialization failure, and take no predicate locks.
    statement_timeout, lock_timeout, idle_timeout, transaction_timeout
        Seconds; None leaves the server's setting. ``idle_timeout`` is idle_in_transaction_session_timeout. The server
        keeps a transaction timeout from PostgreSQL 17 on; before that the runtime begins no statement after it.
    retry
        The budget of ``db.run``.
    pool
        The pool that serves it: a workload waits for connections of its own pool alone.
    slow
        Seconds after which a transaction is told as :class:`~freehold.events.TransactionSlow`.

    Raises
    ------
    ConfigError
        The level is unknown, or ``deferrable`` has no effect.
    """

    name: str = field(kw_only=False)
    isolation: Isolation = "read committed"
    read_only: bool = False
    deferrable: bool = False
    statement_timeout: float | None = 30.0
    lock_timeout: float | None = 5.0
    idle_timeout: float | None = 60.0
    transaction_timeout: float | None = None
    retry: Retry = Retry()
    pool: str = MAIN_POOL
    slow: float = 1.0

    def __post_init__(self) -> None:
        if self.isolation not in ISOLATIONS:
            raise ConfigError(
                f"The workload {self.name} has an unknown isolation level {self.isolation!r}",
                hint=f"Choose one of: {', '.join(ISOLATIONS)}.",
            )
        if self.deferrable and not (self.read_only and self.isolation == "serializable"):
            raise ConfigError(
                f"The workload {self.name} is deferrable, which only a serializable read-only transaction can be",
                hint='Say isolation="serializable", read_only=True as well, or leave deferrable out.',
            )

    def begin(self, *, read_only: bool = False) -> Command:
        """The BEGIN of its transactions; the level is always named, so that no server's default decides it."""
        return self._begins[read_only or self.read_only]

    @cached_property
    def _begins(self) -> Mapping[bool, Command]:
        return {read_only: Command(self._begin_text(read_only)) for read_only in (False, True)}

    def bind(self, server_version: int) -> bytes:
        """The statement that binds the context, its two parameters, and sets the timeouts of one transaction."""
        found = self._binds.get(server_version)
        if found is None:
            settings: list[sql.Composable] = [sql.SQL(read_sql("freehold.runtime", "bind_context").strip())]
            settings += [
                sql.SQL("pg_catalog.set_config({}, {}, true)").format(name, value)
                for name, value in self.settings(server_version)
            ]
            found = self._binds[server_version] = sql.SQL(", ").join(settings).as_bytes()
        return found

    @cached_property
    def _binds(self) -> dict[int, bytes]:
        return {}

    def _begin_text(self, read_only: bool) -> bytes:
        words = ["BEGIN ISOLATION LEVEL", self.isolation.upper()]
        words += ["READ ONLY"] if read_only else []  # a replica, or a login for reading, begins no other
        words += ["DEFERRABLE"] if self.deferrable else []
        return " ".join(words).encode()

    def settings(self, server_version: int) -> tuple[tuple[str, str], ...]:
        """Transaction-local settings, by name, in milliseconds."""
        wanted = {
            "statement_timeout": self.statement_limit(server_version),
            "lock_timeout": self.lock_timeout,
            "idle_in_transaction_session_timeout": self.idle_timeout,
        }
        if server_version >= 170000:
            wanted["transaction_timeout"] = self.transaction_timeout
        return tuple((name, f"{round(value * 1000)}ms") for name, value in wanted.items() if value is not None)

    def statement_limit(self, server_version: int) -> float | None:
        """Seconds that a statement may take; before 17 also those of the whole transaction."""
        if server_version >= 170000 or self.transaction_timeout is None:
            return self.statement_timeout
        return min(self.transaction_timeout, self.statement_timeout or self.transaction_timeout)


DEFAULT = Workload("default")
BULK = Workload("bulk", statement_timeout=0, idle_timeout=600.0, slow=float("inf"))
"""For loads and maintenance: no statement timeout, and slow by nature."""


def by_name(workloads: Iterable[Workload]) -> Mapping[str, Workload]:
    """The workloads of a database by name, with "default" and "bulk" where none of that name is given.

    Raises
    ------
    ConfigError
        Two have the same name.
    """
    found = {DEFAULT.name: DEFAULT, BULK.name: BULK}
    given: set[str] = set()
    for workload in workloads:
        if workload.name in given:
            raise ConfigError(f"Two workloads are called {workload.name}", hint="Give each its own name.")
        given.add(workload.name)
        found[workload.name] = workload
    return found


def find(workloads: Mapping[str, Workload], name: str) -> Workload:
    """The workload of that name.

    Raises
    ------
    ConfigError
        There is none.
    """
    if name not in workloads:
        raise ConfigError(
            f"There is no workload called {name}",
            hint=f"Give it to connect(workloads=...). Known: {', '.join(workloads)}.",
        )
    return workloads[name]
