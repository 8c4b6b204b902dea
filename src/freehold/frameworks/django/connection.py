"""psycopg connections whose every transaction begins with the scope's signed context."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg import pq

from freehold.errors import ContextMissing, NestedTransaction
from freehold.kernel.template import read_sql
from freehold.runtime import driver
from freehold.runtime.context import Context
from freehold.runtime.scope import NOBODY, Scope, current
from freehold.runtime.unit import Frame, Unit
from freehold.runtime.workload import Workload

IDLE = pq.TransactionStatus.IDLE
Begin = Callable[[Scope], Unit]


class Connection(driver.Connection):
    """A connection for Django: ``begin_as`` makes the transaction of a scope; None while it is being set up."""

    begin_as: Begin | None = None
    unit: Unit | None = None

    @contextmanager
    def turn(self) -> Iterator[None]:
        """One call of a cursor: in the open transaction, in one that it begins, or in one of its own under autocommit.

        Raises
        ------
        ContextMissing
            Nobody acts, so that no transaction can begin.
        NestedTransaction
            The scope is another one than that of the open transaction.
        """
        alone = self.autocommit and self.begin_as is not None and self._idle
        if self.begin_as is not None:
            self._enter(self.begin_as)
        if not alone:
            yield
            return
        try:
            yield
        except BaseException:
            self._undo()
            raise
        self.commit()

    def commit(self) -> None:
        """Commit: Django calls it at the end of ``atomic``, and refuses others inside."""
        try:
            self.release()
            super().commit()
        finally:
            self._end()

    def rollback(self) -> None:
        """Roll back; see :meth:`commit`."""
        try:
            self.release()
            super().rollback()
        finally:
            self._end()

    @property
    def _idle(self) -> bool:
        return self.pgconn.transaction_status == IDLE

    def _enter(self, begin_as: Begin) -> None:
        scope = current()
        ended_inside = self._begun and self.held
        if ended_inside or not self._idle:
            # Where a statement has ended the transaction, the driver refuses the next one.
            self._refuse_other(scope)
            return
        if not scope.actor:
            raise ContextMissing(
                "A statement is run and nobody acts",
                hint="Run it inside freehold.acting(tenant=..., actor=...), as FreeholdMiddleware does for a request.",
            )
        self.unit = begin_as(scope)
        self.unit.attach(self)

    def _refuse_other(self, scope: Scope) -> None:
        unit = self.unit
        if unit is None or scope == NOBODY:
            return
        if (unit.tenant, unit.context.actor) != (scope.tenant, scope.actor):
            raise NestedTransaction(
                "The tenant or actor changed inside a transaction",
                detail=f"It began for {unit.tenant!r} by {unit.context.actor!r}.",
                hint="Enter freehold.acting() outside transaction.atomic().",
            )

    def _end(self) -> None:
        """Tell what became of the transaction, where one was begun."""
        unit, self.unit = self.unit, None
        if unit is not None:
            unit.ended()

    def _undo(self) -> None:
        # How long the statement ran, and not its rollback, tells a time limit from a cancellation.
        waited = self.waited
        if self.closed:
            self._end()
        else:
            try:
                self.rollback()
            except psycopg.OperationalError:
                # What broke the statement broke the connection; the first error says so.
                self.close()
        self.waited = waited


class _Turns:
    """Puts every call of a cursor into a transaction of the scope."""

    connection: Connection

    def execute(self, *arguments: Any, **options: Any) -> Any:
        """See psycopg."""
        with self.connection.turn():
            return super().execute(*arguments, **options)  # type: ignore[misc]  # a mixin

    def executemany(self, *arguments: Any, **options: Any) -> Any:
        """See psycopg."""
        with self.connection.turn():
            return super().executemany(*arguments, **options)  # type: ignore[misc]  # a mixin

    @contextmanager
    def copy(self, *arguments: Any, **options: Any) -> Iterator[Any]:
        """See psycopg."""
        with self.connection.turn(), super().copy(*arguments, **options) as copy:  # type: ignore[misc]
            yield copy


class ClientCursor(_Turns, base.CursorMixin, psycopg.ClientCursor[Any], driver.Cursor):
    """Django's usual cursor: parameters are bound by the client."""

    def _convert_query(self, query: Any, params: Any = None) -> Any:
        converted = super()._convert_query(query, params)
        # They stand in the text already; left here, the first statement of a transaction would send them again.
        converted.params = None
        return converted


class BindingCursor(_Turns, base.CursorMixin, driver.Cursor):
    """The cursor of ``server_side_binding``."""


class NamedCursor(_Turns, base.ServerSideCursor):
    """The cursor of ``iterator()`` inside a transaction."""


def learn(connection: psycopg.Connection[Any]) -> tuple[int, int]:
    """The server's process id and clock, in microseconds."""
    row = connection.execute(read_sql("freehold.runtime", "read_backend")).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def beginner(frame: Frame, workload: Workload) -> Begin:
    """Makes the transactions of one connection."""

    def begin_as(scope: Scope) -> Unit:
        tenant = "" if scope.tenant is None else str(scope.tenant)
        context = Context(tenant, scope.actor, request_id=scope.request_id)
        return Unit(frame, workload, scope.tenant, context)

    return begin_as
