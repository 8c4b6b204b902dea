"""The async twin: the same session and the same hooks, run by SQLAlchemy's greenlet bridge."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.ext import asyncio as sa_asyncio

from freehold.runtime.connections import raise_typed, watch
from freehold.runtime.context import LIFETIME
from freehold.runtime.criteria import TenantColumns
from freehold.runtime.database import check, driver_url
from freehold.runtime.keys import KeyRing
from freehold.runtime.session import Session
from freehold.runtime.signer import Signer


class AsyncSession(sa_asyncio.AsyncSession):
    """An ``AsyncSession`` over :class:`freehold.runtime.session.Session`, with its COPY and its raw connection."""

    sync_session_class = Session
    sync_session: Session

    async def copy_in(
        self,
        table: sa.Table | type[Any],
        columns: Sequence[str],
        rows: Iterable[Sequence[Any]] | Iterable[bytes],
        *,
        skip_conflicts: bool = False,
    ) -> int:
        """Load rows by COPY under the tenant's policies; see :func:`freehold.runtime.copy.copy_in`."""
        return await self.run_sync(
            lambda _: self.sync_session.copy_in(table, columns, rows, skip_conflicts=skip_conflicts)
        )

    async def psycopg(self) -> psycopg.AsyncConnection[Any]:
        """The psycopg connection of this transaction, with the context bound. Leave its transaction alone."""
        raw: Any = await self.run_sync(lambda _: self.sync_session.psycopg())
        assert isinstance(raw, psycopg.AsyncConnection)
        return raw


class AsyncDatabase:
    """One database, as the application's role, under asyncio.

    >>> async with db.transaction(tenant=tenant, actor="ana") as session:  # doctest: +SKIP
    ...     session.add(Customer(name="Ada"))
    """

    def __init__(self, engine: sa_asyncio.AsyncEngine, signer: Signer, tenant_columns: TenantColumns) -> None:
        self.engine = engine
        self.signer = signer
        self._sessions = sa_asyncio.async_sessionmaker(
            engine, class_=AsyncSession, signer=signer, tenant_columns=tenant_columns, expire_on_commit=False
        )

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
        **engine_options: Any,
    ) -> AsyncDatabase:
        """Connect and check login and key; see :meth:`freehold.runtime.database.Database.connect`."""
        signer = Signer(KeyRing.find(keys), lifetime)
        engine = sa_asyncio.create_async_engine(driver_url(url), **engine_options)
        watch(engine.sync_engine)
        try:
            async with engine.connect() as connection:
                await connection.run_sync(check, layer_name, (*tenant_columns, *tables), signer)
        except BaseException:
            await engine.dispose()
            raise
        return cls(engine, signer, tenant_columns)

    @asynccontextmanager
    async def transaction(
        self, *, actor: str, tenant: Any = None, read_only: bool = False
    ) -> AsyncIterator[AsyncSession]:
        """One transaction; see :meth:`freehold.runtime.database.Database.transaction`."""
        session = self._sessions(tenant=tenant, actor=actor, read_only=read_only)
        inner = session.sync_session
        try:
            yield session
            await session.run_sync(lambda _: inner.finish())
        except psycopg.Error as error:
            raise_typed(error, read_only=read_only)
            raise
        finally:
            await session.run_sync(lambda _: inner.abandon())

    async def dispose(self) -> None:
        """Close every connection."""
        await self.engine.dispose()
