"""The bulk methods of a session, blocking and asynchronous, which do the same work."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

import psycopg
import sqlalchemy as sa

from freehold.runtime.bulk.change import Changed, Matched, NotMatched, merge_rows, upsert
from freehold.runtime.bulk.load import copy_in
from freehold.runtime.bulk.source import Rows
from freehold.runtime.bulk.unload import Format, copy_out
from freehold.runtime.bulk.wire import Wire, wire_of
from freehold.runtime.connections import raise_typed_only
from freehold.runtime.criteria import TenantColumns

Table = sa.Table | type[Any]
ROWS_AT_ONCE = 1000
"""Rows that one switch between the event loop and the session brings."""


class BulkMethods:
    """Many rows at once, for :class:`freehold.runtime.session.Session`."""

    _tenant_columns: TenantColumns

    def copy_in(
        self, table: Table, columns: Sequence[str] | None = None, rows: Rows = (), *, skip_conflicts: bool = False
    ) -> int:
        """Load rows by COPY under the tenant's policies; gives how many were stored.

        See :func:`freehold.runtime.bulk.load.copy_in`.
        """
        wire, target, tenant = self._bulk(table)
        with self._typed():
            return copy_in(wire, target, columns, rows, tenant_column=tenant, skip_conflicts=skip_conflicts)

    def upsert(
        self,
        table: Table,
        rows: Rows,
        *,
        key: Sequence[str],
        update: Sequence[str] | None = None,
        columns: Sequence[str] | None = None,
        changed: bool = True,
    ) -> Changed:
        """Insert rows, or update those that a unique key already has.

        See :func:`freehold.runtime.bulk.change.upsert`.
        """
        wire, target, tenant = self._bulk(table)
        with self._typed():
            return upsert(
                wire, target, rows, key=key, update=update, columns=columns, changed=changed, tenant_column=tenant
            )

    def merge_rows(
        self,
        table: Table,
        rows: Rows,
        *,
        on: Sequence[str],
        matched: Matched = "update",
        not_matched: NotMatched = "insert",
        update: Sequence[str] | None = None,
        columns: Sequence[str] | None = None,
        changed: bool = True,
    ) -> Changed:
        """Update, delete or insert by MERGE; see :func:`freehold.runtime.bulk.change.merge_rows`."""
        wire, target, tenant = self._bulk(table)
        with self._typed():
            return merge_rows(
                wire,
                target,
                rows,
                on=on,
                matched=matched,
                not_matched=not_matched,
                update=update,
                columns=columns,
                changed=changed,
                tenant_column=tenant,
            )

    def copy_out(self, statement: Any, *, form: Format = "rows") -> Iterator[Any]:
        """What a table or query holds, by COPY; see :func:`freehold.runtime.bulk.unload.copy_out`."""
        what = statement if isinstance(statement, sa.sql.ClauseElement) else sa.inspect(statement).local_table
        wire = wire_of(self._ready())
        with self._typed():
            return self._each(copy_out(wire, what, self._ready().dialect, form=form))

    def _each(self, source: Iterator[Any]) -> Iterator[Any]:
        with self._typed():
            yield from source

    @contextmanager
    def _typed(self) -> Iterator[None]:
        """Raise Freehold's errors where the statement fails: a savepoint around it may catch them."""
        session: Any = self
        try:
            yield
        except psycopg.Error as error:
            raise_typed_only(error, session.unit.link, session.unit.frame.faults)
            raise

    def _bulk(self, table: Table) -> tuple[Wire, sa.Table, str]:
        target = table if isinstance(table, sa.Table) else sa.inspect(table).local_table
        return wire_of(self._ready()), target, self._tenant_columns.get(target, "")

    def _ready(self) -> sa.Connection:
        """The session's connection, which has seen all that was added to the session."""
        session: Any = self
        session.flush()
        connection: sa.Connection = session.connection()
        return connection


class AsyncBulkMethods:
    """The same for :class:`freehold.runtime.asynchronous.AsyncSession`; rows may come from an asynchronous iterable."""

    sync_session: Any

    async def copy_in(
        self, table: Table, columns: Sequence[str] | None = None, rows: Rows = (), *, skip_conflicts: bool = False
    ) -> int:
        """Load rows by COPY under the tenant's policies; see :func:`freehold.runtime.bulk.load.copy_in`."""
        stored: int = await self._inside(
            lambda: self.sync_session.copy_in(table, columns, rows, skip_conflicts=skip_conflicts)
        )
        return stored

    async def upsert(self, table: Table, rows: Rows, *, key: Sequence[str], **options: Any) -> Changed:
        """Insert or update by a unique key; see :func:`freehold.runtime.bulk.change.upsert`."""
        changed: Changed = await self._inside(lambda: self.sync_session.upsert(table, rows, key=key, **options))
        return changed

    async def merge_rows(self, table: Table, rows: Rows, *, on: Sequence[str], **options: Any) -> Changed:
        """Update, delete or insert by MERGE; see :func:`freehold.runtime.bulk.change.merge_rows`."""
        changed: Changed = await self._inside(lambda: self.sync_session.merge_rows(table, rows, on=on, **options))
        return changed

    async def copy_out(self, statement: Any, *, form: Format = "rows") -> AsyncIterator[Any]:
        """What a table or query holds, by COPY; see :func:`freehold.runtime.bulk.unload.copy_out`."""
        source: Any = await self._inside(lambda: self.sync_session.copy_out(statement, form=form))
        many = ROWS_AT_ONCE if form == "rows" else 1
        try:
            while found := await self._inside(lambda: list(islice(source, many))):
                for each in found:
                    yield each
        finally:
            await self._inside(source.close)

    async def _inside(self, work: Any) -> Any:
        session: Any = self
        return await session.run_sync(lambda _: work())
