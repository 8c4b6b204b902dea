"""One replica: its pools, its first check, and how long it is left alone after it failed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import psycopg
import sqlalchemy as sa

from freehold.errors import ConfigError, ContextError, FreeholdError, PoolExhausted, ServerError
from freehold.kernel.template import read_sql
from freehold.runtime.body import Opened
from freehold.runtime.gate import replica_gate
from freehold.runtime.literal import Written
from freehold.runtime.nodes import Node
from freehold.runtime.router import Kind, Need, Unfit
from freehold.runtime.unit import Unit

Check = Callable[[sa.Connection], None]
OpenOn = Callable[[Unit, Node], Opened]
Faults = (ServerError, ContextError, psycopg.Error, sa.exc.DBAPIError)
"""What the opening of a read on a replica may fail with, and goes elsewhere for."""
NO_CONNECTION = "all connections to it are taken"


@dataclass(slots=True)
class Rest:
    """How long a replica is left alone: twice as long after each failure in a row."""

    first: float
    longest: float
    times: int = 0
    until: float = 0.0

    def add(self, now: float) -> None:
        """It failed."""
        self.times += 1
        self.until = now + min(self.longest, self.first * 2.0 ** min(self.times - 1, 30))

    def trial(self, now: float) -> None:
        """One read tries it again; the others leave it alone until that is over."""
        if self.times:
            self.until = now + self.first

    def clear(self) -> None:
        """It works."""
        self.times, self.until = 0, 0.0


@dataclass(slots=True)
class Replica:
    """A replica with what is known of it.

    Parameters
    ----------
    broken
        Its rest after it could not be reached.
    slow
        Its rest after it was waited for in vain: meanwhile it is asked, and not waited for.
    """

    node: Node
    check: Check
    broken: Rest = field(default_factory=lambda: Rest(0.25, 10.0))
    slow: Rest = field(default_factory=lambda: Rest(0.25, 2.0))
    why: str = ""
    checked: bool = False

    @property
    def name(self) -> str:
        """The node's name."""
        return self.node.name

    def busy(self, pool: str) -> int:
        """How many of its connections are taken."""
        found = self.node.pool(pool).pool
        return found.checkedout() if isinstance(found, sa.pool.QueuePool) else 0

    def open(self, open_on: OpenOn, unit: Unit, need: Need, now: float) -> Opened:
        """The read's transaction, opened here.

        Raises
        ------
        Unfit
            It cannot be reached, has no connection left, or may not serve this read.
        UnsafeLogin
            Its login could step around row security.
        """
        if self.node.full(unit.workload.pool):
            raise Unfit(NO_CONNECTION, Kind.TAKEN)
        self.broken.trial(now)
        try:
            self._check()
            gate = replica_gate(need, unit.frame.waits)
            opened = opened_on(open_on, replace(unit, node=self.name, gate=gate), self.node)
        except PoolExhausted as error:
            raise Unfit(NO_CONNECTION, Kind.TAKEN) from error
        except Faults as error:
            self.failed(now, reason_of(error))
            self.node.forget()
            raise Unfit(self.why, Kind.BROKEN) from error
        self.broken.clear()
        return opened

    def failed(self, now: float, why: str) -> None:
        """Leave it alone for a while."""
        self.broken.add(now)
        self.why = why

    def _check(self) -> None:
        if not self.checked:
            with self.node.engine.connect() as connection:
                self.check(connection)
            self.checked = True


def opened_on(open_on: OpenOn, unit: Unit, node: Node) -> Opened:
    """A transaction that has passed its gate; nothing is left behind by one that has not."""
    opened = open_on(unit, node)
    try:
        opened.open()
    except BaseException:
        # It was never the caller's transaction: nobody is told of its end.
        unit.over = True
        opened.abandon()
        raise
    return opened


def reason_of(error: BaseException) -> str:
    """Why a replica cannot be used, in a line."""
    if isinstance(error, FreeholdError):
        return error.message
    return str(error).strip().split("\n")[0]


def check_position(connection: sa.Connection) -> None:
    """Refuse replicas and positions where no server says how far it is.

    Raises
    ------
    ConfigError
        The layer has no outcomes room, whose function says it.
    """
    try:
        connection.exec_driver_sql(Written(read_sql("freehold.runtime", "read_position")))
    except FreeholdError as error:
        raise ConfigError(
            "Replicas and positions need a database that tells its position",
            detail=reason_of(error),
            hint="Declare Outcomes() in the layer, and apply it.",
        ) from error
