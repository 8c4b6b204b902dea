"""The async twin: the same body, sessions and hooks, run by SQLAlchemy's greenlet bridge."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import psycopg
import sqlalchemy as sa
from sqlalchemy.ext import asyncio as sa_asyncio
from sqlalchemy.util.concurrency import greenlet_spawn

from freehold.events import Listener, ignore
from freehold.runtime.block import AsyncBlock
from freehold.runtime.body import Body, Opened
from freehold.runtime.bulk import AsyncBulkMethods
from freehold.runtime.context import LIFETIME, Context
from freehold.runtime.core import AsyncCoreTransaction, CoreAttempt
from freehold.runtime.criteria import TenantColumns
from freehold.runtime.database import check
from freehold.runtime.faults import Faults
from freehold.runtime.keys import KeyRing
from freehold.runtime.nodes import PRIMARY, Node, conninfo, open_async_node, primary_conninfo
from freehold.runtime.outcome import Claim, Settled
from freehold.runtime.pools import Pool
from freehold.runtime.reading import WAIT, Mode, Reading
from freehold.runtime.replica import Replica, check_position
from freehold.runtime.scope import UNSET
from freehold.runtime.session import HANDLE, Session
from freehold.runtime.signer import Signer
from freehold.runtime.statement import Compiler
from freehold.runtime.unit import Frame, Unit
from freehold.runtime.versions import check_versions
from freehold.runtime.waits import GREENLET
from freehold.runtime.workload import MAIN_POOL, Workload, by_name

P = ParamSpec("P")
R = TypeVar("R")


class AsyncSession(AsyncBulkMethods, sa_asyncio.AsyncSession):
    """An ``AsyncSession`` over :class:`freehold.runtime.session.Session`, with what that one adds to SQLAlchemy's."""

    sync_session_class = Session
    sync_session: Session

    @property
    def tenant(self) -> Any:
        """The tenant as it was given, or None."""
        return self.sync_session.tenant

    @property
    def context(self) -> Context:
        """What the database is told of the transaction."""
        return self.sync_session.context

    @property
    def read_only(self) -> bool:
        """Whether the server refuses every write."""
        return self.sync_session.read_only

    @property
    def position(self) -> str:
        """After the block: the position token; see :attr:`freehold.runtime.session.Session.position`."""
        return self.sync_session.position

    def after_commit(self, function: Callable[[], Any]) -> None:
        """Call a function, or await a coroutine function, once the commit is durable."""
        self.sync_session.after_commit(function)

    def after_rollback(self, function: Callable[[], Any]) -> None:
        """Call a function, or await a coroutine function, once nothing of this can be stored any more."""
        self.sync_session.after_rollback(function)

    def external(self, what: str) -> None:
        """Declare a side effect outside of the database; see :meth:`freehold.runtime.session.Session.external`."""
        self.sync_session.external(what)

    async def send(self, topic: str, payload: Any, *, key: str | None = None) -> int:
        """Write a message that is relayed once this transaction has committed."""
        return await self.run_sync(lambda _: self.sync_session.send(topic, payload, key=key))

    async def lock(self, name: str, *, shared: bool = False, wait: bool = True) -> bool:
        """Take the advisory lock of a name; see :func:`freehold.runtime.locks.lock_command`."""
        return await self.run_sync(lambda _: self.sync_session.lock(name, shared=shared, wait=wait))

    async def psycopg(self) -> psycopg.AsyncConnection[Any]:
        """The psycopg connection of this transaction, with the context bound. Leave its transaction alone."""
        raw: Any = await self.run_sync(lambda _: self.sync_session.psycopg())
        assert isinstance(raw, psycopg.AsyncConnection)
        return raw


class AsyncDatabase:
    """One database, as the application's role, under asyncio; see :class:`freehold.runtime.database.Database`.

    >>> async with db.transaction(tenant=tenant, actor="ana") as session:  # doctest: +SKIP
    ...     session.add(Customer(name="Ada"))
    """

    def __init__(self, body: Body, tenant_columns: TenantColumns, replicas: Sequence[Replica] = ()) -> None:
        self._body = body
        self._reading = Reading(body, replicas)
        self._tenant_columns = tenant_columns
        self._compiler = Compiler(tenant_columns)

    @classmethod
    async def connect(
        cls,
        url: str | sa.URL,
        *,
        layer_name: str,
        tenant_columns: TenantColumns,
        tables: tuple[sa.Table, ...] = (),
        keys: KeyRing | str | os.PathLike[str] | None = None,
        lifetime: float = LIFETIME,
        workloads: Sequence[Workload] = (),
        pools: Sequence[Pool] = (),
        replicas: Sequence[str | sa.URL] = (),
        listener: Listener = ignore,
        positions: bool = False,
        accepted: Mapping[str, str] | None = None,
        info: Mapping[str, Any] | None = None,
        **engine_options: Any,
    ) -> AsyncDatabase:
        """Connect and check login and key; see :meth:`freehold.runtime.database.Database.connect`."""
        faults = Faults((*tenant_columns, *tables), tenant_columns, listener)
        signer, asked = Signer(KeyRing.find(keys), lifetime), positions or bool(replicas)
        frame = Frame(signer, by_name(workloads), faults, listener, GREENLET, asked, info=info or {})
        checked = partial(check, layer_name=layer_name, tables=(*tenant_columns, *tables), signer=signer)
        opened = partial(
            open_async_node, pools=(Pool(), *pools), options=engine_options, faults=faults, listener=listener
        )
        node = opened(PRIMARY, primary_conninfo(url))
        others = [Replica(opened(f"replica {n}", conninfo(each)), checked) for n, each in enumerate(replicas, 1)]
        try:
            async with node.async_pool(MAIN_POOL).connect() as connection:
                await connection.run_sync(checked)
                link: Any = (await connection.get_raw_connection()).driver_connection
                check_versions(link.server_version, frame.workloads.values(), accepted, listener)
                if asked:
                    await connection.run_sync(check_position)
        except BaseException:
            await greenlet_spawn(node.close)
            raise
        return cls(Body(frame, node), tenant_columns, others)

    @property
    def engine(self) -> sa_asyncio.AsyncEngine:
        """The engine over the main pool; what runs on it alone has no context, and so sees no tenant's row."""
        return self._body.primary.async_pool(MAIN_POOL)

    @property
    def positions(self) -> bool:
        """Whether each COMMIT tells its position in the log."""
        return self._body.frame.positions

    def transaction(
        self,
        *,
        tenant: Any = UNSET,
        actor: Any = UNSET,
        workload: str = "default",
        read_only: bool = False,
    ) -> AsyncBlock[AsyncSession]:
        """One transaction; see :meth:`freehold.runtime.database.Database.transaction`."""
        return AsyncBlock(lambda: self._session(self._unit(tenant, actor, workload, read_only)))

    def core(
        self, *, tenant: Any = UNSET, actor: Any = UNSET, workload: str = "default", read_only: bool = False
    ) -> AsyncBlock[AsyncCoreTransaction]:
        """One transaction on the fast path; see :meth:`freehold.runtime.database.Database.core`."""
        return AsyncBlock(lambda: self._core(self._unit(tenant, actor, workload, read_only)))

    async def run(
        self,
        function: Callable[..., Awaitable[R]],
        *arguments: Any,
        tenant: Any = UNSET,
        actor: Any = UNSET,
        workload: str = "default",
        key: str | None = None,
        request: Any = None,
        **options: Any,
    ) -> R:
        """Run a coroutine function in a transaction; see :meth:`freehold.runtime.database.Database.run`."""
        return await self._run(self._session, function, arguments, options, (tenant, actor, workload), key, request)

    async def run_core(
        self,
        function: Callable[..., Awaitable[R]],
        *arguments: Any,
        tenant: Any = UNSET,
        actor: Any = UNSET,
        workload: str = "default",
        key: str | None = None,
        request: Any = None,
        **options: Any,
    ) -> R:
        """:meth:`run` on the fast path."""
        return await self._run(self._core, function, arguments, options, (tenant, actor, workload), key, request)

    async def _run(
        self,
        open_attempt: Callable[[Unit], Opened],
        function: Callable[..., Awaitable[R]],
        arguments: tuple[Any, ...],
        options: dict[str, Any],
        said: tuple[Any, Any, str],
        key: str | None,
        request: Any,
    ) -> R:
        wanted = self._body.wanted(*said)
        claim = Claim.of(key, request) if key is not None else None
        called = (lambda *given: function(*given, **options)) if options else function
        found: R = await greenlet_spawn(self._body.run, open_attempt, called, arguments, wanted, claim)
        return found

    @asynccontextmanager
    async def read(
        self,
        *,
        tenant: Any = UNSET,
        actor: Any = UNSET,
        workload: str = "default",
        max_staleness: float | None = None,
        after: str | None = None,
        mode: Mode = "session",
        wait: float = WAIT,
    ) -> AsyncIterator[AsyncSession]:
        """A read on a replica or the primary; see :meth:`freehold.runtime.database.Database.read`."""
        wish = self._reading.wish(max_staleness, after, mode, wait)
        unit = self._reading.unit(self._body.wanted(tenant, actor, workload), wish)
        session = await greenlet_spawn(self._reading.open, self._session, unit, wish)
        with self._reading.noting(session):
            async with AsyncBlock[AsyncSession](lambda: session) as handle:
                yield handle

    @asynccontextmanager
    async def read_core(
        self,
        *,
        tenant: Any = UNSET,
        actor: Any = UNSET,
        workload: str = "default",
        max_staleness: float | None = None,
        after: str | None = None,
        mode: Mode = "session",
        wait: float = WAIT,
    ) -> AsyncIterator[AsyncCoreTransaction]:
        """:meth:`read` on the fast path."""
        wish = self._reading.wish(max_staleness, after, mode, wait)
        unit = self._reading.unit(self._body.wanted(tenant, actor, workload), wish)
        attempt = await greenlet_spawn(self._reading.open, self._core, unit, wish)
        with self._reading.noting(attempt):
            async with AsyncBlock[AsyncCoreTransaction](lambda: attempt) as handle:
                yield handle

    async def run_read(
        self,
        function: Callable[..., Awaitable[R]],
        *arguments: Any,
        tenant: Any = UNSET,
        actor: Any = UNSET,
        workload: str = "default",
        max_staleness: float | None = None,
        after: str | None = None,
        mode: Mode = "session",
        wait: float = WAIT,
        **options: Any,
    ) -> R:
        """Run a coroutine function in a read; see :meth:`freehold.runtime.database.Database.run_read`."""
        wish = self._reading.wish(max_staleness, after, mode, wait)
        wanted = self._reading.wanted(self._body.wanted(tenant, actor, workload), wish)
        called = (lambda *given: function(*given, **options)) if options else function
        attempts = self._reading.attempts(self._session, wish)
        found: R = await greenlet_spawn(self._body.run, attempts, called, arguments, wanted, None)
        return found

    def transactional(
        self, *, workload: str = "default"
    ) -> Callable[[Callable[Concatenate[AsyncSession, P], Awaitable[R]]], Callable[P, Awaitable[R]]]:
        """Decorate a coroutine function; see :meth:`freehold.runtime.database.Database.transactional`."""

        def decorate(function: Callable[Concatenate[AsyncSession, P], Awaitable[R]]) -> Callable[P, Awaitable[R]]:
            @wraps(function)
            async def call(*arguments: P.args, **options: P.kwargs) -> R:
                said = (UNSET, UNSET, workload)
                return await self._run(self._session, function, arguments, dict(options), said, None, None)

            return call

        return decorate

    async def resolve(self, token: str) -> Settled:
        """What became of a transaction; see :meth:`freehold.runtime.database.Database.resolve`."""
        tenant, claim = Claim.from_token(token)
        return await greenlet_spawn(self._body.settling.settle, claim, tenant)

    async def dispose(self) -> None:
        """Close every connection."""
        await greenlet_spawn(self._body.primary.close)
        await greenlet_spawn(self._reading.dispose)

    def _unit(self, tenant: Any, actor: Any, workload: str, read_only: bool) -> Unit:
        return self._body.unit(self._body.wanted(tenant, actor, workload, read_only=read_only))

    def _session(self, unit: Unit, node: Node | None = None) -> Session:
        engine = (node or self._body.primary).async_pool(unit.workload.pool)
        session = AsyncSession(engine, unit=unit, tenant_columns=self._tenant_columns, expire_on_commit=False)
        session.sync_session.info.update(unit.frame.info)
        session.sync_session.info[HANDLE] = session
        return session.sync_session

    def _core(self, unit: Unit, node: Node | None = None) -> CoreAttempt:
        lease = (node or self._body.primary).lend(unit.workload.pool)
        return CoreAttempt.on(AsyncCoreTransaction, unit, self._compiler, lease)
