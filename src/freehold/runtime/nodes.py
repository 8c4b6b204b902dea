"""The servers that a database is reached at, and the pools of connections to each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import psycopg
import sqlalchemy as sa
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy.ext import asyncio as sa_asyncio

from freehold.errors import ConfigError, InputError
from freehold.events import Listener
from freehold.runtime.connections import PATIENCE, watch
from freehold.runtime.driver import AsyncConnection, Connection
from freehold.runtime.faults import Faults
from freehold.runtime.pools import AsyncQueuePool, Holders, Lease, Pool, QueuePool, pool_options
from freehold.runtime.refusal import only_literals
from freehold.runtime.waits import BLOCKING, GREENLET, Waits
from freehold.runtime.watchdog import libpq_defaults
from freehold.runtime.workload import MAIN_POOL
from freehold.servers.faults import refused

E = TypeVar("E")
PRIMARY = "primary"
DIALECT = "postgresql+psycopg://"


def conninfo(url: str | sa.URL, **defaults: Any) -> str:
    """libpq's key-value string of any PostgreSQL URL, libpq's own with several hosts among them.

    Parameters
    ----------
    defaults
        libpq's settings where the URL does not say otherwise.

    Raises
    ------
    InputError
        It is not an address of PostgreSQL.
    """
    try:
        return make_conninfo(**{**libpq_defaults(), **defaults, **_said(url)})
    except psycopg.ProgrammingError as error:
        raise InputError(
            "The database's address cannot be read",
            detail=str(error),
            hint="Write postgresql://user@host:port/database; several hosts are separated by commas.",
        ) from error


def _said(url: str | sa.URL) -> dict[str, Any]:
    if isinstance(url, sa.URL):
        query = {name: value if isinstance(value, str) else ",".join(value) for name, value in url.query.items()}
        return {**url.translate_connect_args(username="user", database="dbname"), **query}
    scheme, colon, rest = url.partition("://")
    own = colon and scheme.split("+")[0] in {"postgresql", "postgres"}
    return dict(conninfo_to_dict(f"postgresql://{rest}" if own else url))


def primary_conninfo(url: str | sa.URL) -> str:
    """The same for the primary: of several hosts the one that takes writes, where the URL does not say otherwise."""
    found = conninfo(url)
    several = "," in str(conninfo_to_dict(found).get("host", "")) + str(conninfo_to_dict(found).get("hostaddr", ""))
    return conninfo(found, target_session_attrs="primary") if several else found


@dataclass(slots=True)
class Node:
    """One address with its pools.

    Parameters
    ----------
    name
        "primary", or "replica 1" and so on.
    """

    name: str
    conninfo: str
    engines: Mapping[str, sa.Engine]
    async_engines: Mapping[str, sa_asyncio.AsyncEngine] = field(default_factory=dict)

    @property
    def engine(self) -> sa.Engine:
        """The engine of the main pool."""
        return self.engines[MAIN_POOL]

    def pool(self, name: str) -> sa.Engine:
        """The engine over a pool.

        Raises
        ------
        ConfigError
            There is no pool of that name.
        """
        return _named(self.engines, name)

    def async_pool(self, name: str) -> sa_asyncio.AsyncEngine:
        """The asynchronous engine over a pool."""
        return _named(self.async_engines, name)

    def lend(self, name: str = MAIN_POOL) -> Lease:
        """A connection of a pool.

        Raises
        ------
        ConfigError
            There is no pool of that name.
        PoolExhausted
            None became free in time.
        """
        lender: Any = self.pool(name).pool
        lease: Lease = lender.lend()
        return lease

    def full(self, name: str = MAIN_POOL) -> bool:
        """Whether a connection of a pool would have to be waited for."""
        pool: Any = self.pool(name).pool
        return not pool.checkedin() and -1 < pool._max_overflow <= pool._overflow

    def forget(self) -> None:
        """Use no connection again that is older than now: the server behind it may be gone, or no longer what it was.

        The pool stays, unlike with ``dispose()``: one in use would come back to a pool that nobody holds any more,
        stay open there, and count for nobody's size.
        """
        for engine in self.engines.values():
            engine.pool._invalidate_time = time.time()

    def close(self) -> None:
        """Close every connection that is not in use."""
        for engine in self.engines.values():
            engine.dispose()


def _named(engines: Mapping[str, E], name: str) -> E:
    if name not in engines:
        raise ConfigError(f"There is no pool called {name}", hint=f"Give it to connect(pools=(Pool({name!r}),)).")
    return engines[name]


def open_node(
    name: str,
    address: str,
    pools: Iterable[Pool],
    options: Mapping[str, Any],
    faults: Faults,
    listener: Listener,
) -> Node:
    """A node for threads; no connection is opened yet."""

    def creator() -> Connection:
        return _connected(lambda: Connection.connect(address), address)

    engines: dict[str, sa.Engine] = {}
    for pool in pools:
        holders = Holders(pool.name, listener)
        chosen = pool_options(pool, holders, QueuePool, options)
        engines[pool.name] = sa.create_engine(DIALECT, creator=creator, **chosen)
        _watch(engines[pool.name], holders, BLOCKING, faults)
    return Node(name, address, engines)


def open_async_node(
    name: str,
    address: str,
    pools: Iterable[Pool],
    options: Mapping[str, Any],
    faults: Faults,
    listener: Listener,
) -> Node:
    """A node for asyncio; no connection is opened yet."""

    async def creator() -> AsyncConnection:
        try:
            return await AsyncConnection.connect(address)
        except psycopg.OperationalError as error:
            raise await asyncio.to_thread(refused, error, address, PATIENCE) from error

    engines: dict[str, sa_asyncio.AsyncEngine] = {}
    for pool in pools:
        holders = Holders(pool.name, listener)
        chosen = pool_options(pool, holders, AsyncQueuePool, options)
        engines[pool.name] = sa_asyncio.create_async_engine(DIALECT, async_creator=creator, **chosen)
        _watch(engines[pool.name].sync_engine, holders, GREENLET, faults)
    return Node(name, address, {key: engine.sync_engine for key, engine in engines.items()}, engines)


def _watch(engine: sa.Engine, holders: Holders, waits: Waits, faults: Faults) -> None:
    only_literals(engine)
    holders.watch(engine)
    watch(engine, waits, faults)


def _connected(connect: Callable[[], Connection], address: str) -> Connection:
    try:
        return connect()
    except psycopg.OperationalError as error:
        raise refused(error, address, PATIENCE) from error
