"""Bounded pools of connections, which say who holds them and lend them without SQLAlchemy's proxy."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import sqlalchemy as sa

from freehold.errors import ConfigError, PoolExhausted
from freehold.events import Listener, PoolWaited, ignore
from freehold.runtime.link import IDLE, Link
from freehold.runtime.workload import MAIN_POOL


@dataclass(frozen=True, slots=True)
class Pool:
    """A bounded set of connections that workloads name; one class of work cannot take another's.

    Parameters
    ----------
    size
        Connections kept open.
    overflow
        Further connections for peaks, closed afterwards.
    wait
        Seconds to wait for a free connection.
    """

    name: str = MAIN_POOL
    size: int = 5
    overflow: int = 10
    wait: float = 5.0


logger = logging.getLogger("freehold")
NOTICED = 0.01
"""Seconds of waiting for a connection from which on it is told."""


class Holders:
    """Who holds the connections of one pool, and who waited for one."""

    def __init__(self, name: str, listener: Listener = ignore) -> None:
        self.name = name
        self.listener = listener
        self._out: dict[int, tuple[Link, float]] = {}

    def watch(self, engine: sa.Engine) -> None:
        """Follow the engine's pool."""
        sa.event.listen(engine, "checkout", self._checkout)
        sa.event.listen(engine, "checkin", self._checkin)

    def note(self, record: Any, link: Link) -> None:
        """Somebody has a connection now, by its place in the pool: one that is lost comes back as none."""
        self._out[id(record)] = (link, time.monotonic())

    def tell_wait(self, record: Any, began: float) -> None:
        """Tell that somebody has waited since ``began`` by the clock; the time that went into connecting is none."""
        connecting = record.starttime
        waited = (connecting if connecting >= began else time.time()) - began
        if waited > NOTICED:
            try:
                self.listener(PoolWaited(self.name, waited))
            except Exception:
                # A listener decides nothing.
                logger.exception("A listener failed")

    def exhausted(self) -> PoolExhausted:
        """The error, with the longest holder first."""
        now = time.monotonic()
        out = sorted(self._out.values(), key=lambda held: held[1])
        return PoolExhausted(
            f"No connection of the pool {self.name} became free in time; {len(out)} are taken",
            detail="; ".join(f"{_holder(link)} for {now - since:.1f} s" for link, since in out[:10]),
            hint="Make those transactions shorter, or give their workload a pool of its own.",
        )

    def _checkout(self, raw: Any, record: Any, fairy: Any) -> None:
        self.note(record, record.driver_connection)

    def _checkin(self, raw: Any, record: Any) -> None:
        self._out.pop(id(record), None)


def _holder(link: Link) -> str:
    actor, workload = link.holder
    return f"{actor or 'nobody'} (workload {workload})"


class Lease:
    """A connection out of a pool, for those who are certain to give it back.

    SQLAlchemy's own proxy also comes back where it is forgotten, which costs more than a statement of the fast path.
    """

    __slots__ = ("_pool", "_record", "link")

    def __init__(self, pool: Any, record: Any, link: Any) -> None:
        self._pool = pool
        self._record = record
        self.link = link

    def give_back(self) -> None:
        """Back to the pool, with what is open rolled back; a connection that cannot be used is dropped."""
        record, link = self._record, self.link
        try:
            if not link.usable:
                record.invalidate()
            elif link.pgconn.transaction_status == IDLE:
                link.opening = None
            else:
                self._pool._dialect.do_rollback(record.dbapi_connection)
        except Exception as error:  # noqa: BLE001  # whatever it is, the connection is not to be used again
            record.invalidate(error)
        except BaseException as error:
            record.invalidate(error)
            raise
        finally:
            record.checkin(_fairy_was_created=False)


class QueuePool(sa.pool.QueuePool):
    """SQLAlchemy's pool for threads."""

    freehold: ClassVar[Holders]

    def connect(self) -> Any:
        """A connection behind SQLAlchemy's proxy, or the error that says who holds them all."""
        began = time.time()
        try:
            found: Any = super().connect()
        except sa.exc.TimeoutError as error:
            raise self.freehold.exhausted() from error
        try:
            self.freehold.tell_wait(found._connection_record, began)
        except BaseException:
            found.close()
            raise
        return found

    def lend(self) -> Lease:
        """A connection that is alive.

        Raises
        ------
        PoolExhausted
            None became free in time.
        """
        began = time.time()
        try:
            record: Any = self._do_get()
        except sa.exc.TimeoutError as error:
            raise self.freehold.exhausted() from error
        try:
            record.get_connection()
            if record.driver_connection.dead:
                # Those that are older have likely gone with it.
                record.invalidate()
                self._invalidate_time = time.time()
                record.get_connection()
            link = record.driver_connection
            self.freehold.tell_wait(record, began)
        except BaseException as error:
            record._checkin_failed(error, _fairy_was_created=False)
            raise
        self.freehold.note(record, link)
        return Lease(self, record, link)


class AsyncQueuePool(QueuePool, sa.pool.AsyncAdaptedQueuePool):
    """SQLAlchemy's pool under asyncio; it is asked inside ``greenlet_spawn``."""


def pool_options(pool: Pool, holders: Holders, kind: type[sa.Pool], given: Mapping[str, Any]) -> dict[str, Any]:
    """The options of an engine over a pool.

    Raises
    ------
    ConfigError
        Another kind of pool was given.
    """
    if "poolclass" in given or "pool" in given:
        raise ConfigError(
            "The pool of a database cannot be replaced",
            hint="Give its size as Pool(size=..., overflow=...); behind PgBouncer a small one does.",
        )
    # The pool is made again when its engine is disposed of: what it needs to know stands on its class.
    own = type(kind.__name__, (kind,), {"freehold": holders})
    sizes = {"poolclass": own, "pool_size": pool.size, "max_overflow": pool.overflow, "pool_timeout": pool.wait}
    # What is given for the engine sizes the main pool; others say their size themselves.
    kept = {name: value for name, value in given.items() if pool.name == MAIN_POOL or name not in sizes}
    return {**sizes, **kept}
