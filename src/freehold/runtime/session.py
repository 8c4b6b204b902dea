"""The session of one transaction: it binds the context, fills in the tenant, and ends only with its block."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.pq.abc import PGresult
from sqlalchemy import orm
from sqlalchemy.orm import ORMExecuteState, SessionTransaction, UOWTransaction

from freehold.errors import CommitInside
from freehold.runtime.bulk import BulkMethods
from freehold.runtime.connections import raise_typed
from freehold.runtime.context import Context
from freehold.runtime.criteria import TenantColumns, TenantCriteria, coerced, tenant_attribute, tenant_type
from freehold.runtime.exchange import Command
from freehold.runtime.link import IDLE
from freehold.runtime.locks import lock_command
from freehold.runtime.outbox import send
from freehold.runtime.outcome import decode, encode
from freehold.runtime.unit import Unit

NO_TENANTS: TenantColumns = {}
HANDLE = "freehold_handle"


class Session(BulkMethods, orm.Session):
    """A SQLAlchemy session in which one tenant is bound.

    It is made by ``Database.transaction`` and ends with that block: ``commit()``, ``rollback()`` and ``close()`` raise
    :class:`CommitInside`. Savepoints (``begin_nested``) work as ever.
    """

    def __init__(
        self,
        bind: Any = None,
        *,
        unit: Unit | None = None,
        tenant_columns: TenantColumns = NO_TENANTS,
        **options: Any,
    ) -> None:
        super().__init__(bind, **options)
        assert unit is not None, "a session comes from Database.transaction"
        self.unit = unit
        self._tenant_columns = tenant_columns
        self._criteria: dict[Any, TenantCriteria] = {}
        self._ended = False
        self._torn = False

    @property
    def tenant(self) -> Any:
        """The tenant as it was given, or None."""
        return self.unit.tenant

    @property
    def context(self) -> Context:
        """What the database is told of the transaction."""
        return self.unit.context

    @property
    def read_only(self) -> bool:
        """Whether the server refuses every write."""
        return self.unit.read_only or self.unit.workload.read_only

    @property
    def position(self) -> str:
        """After the block: the position token that later reads can ask for; "" where no position was learned."""
        return self.unit.position_token

    def after_commit(self, function: Callable[[], Any]) -> None:
        """Call a function once the commit is durable; one that fails is told as ``AfterCommitFailed``."""
        self.unit.after_commit.append(function)

    def after_rollback(self, function: Callable[[], Any]) -> None:
        """Call a function once nothing of this transaction can be stored any more."""
        self.unit.after_rollback.append(function)

    def external(self, what: str) -> None:
        """Declare a side effect outside of the database: from here on this transaction never runs again by itself."""
        self.unit.external.append(what)

    def lock(self, name: str, *, shared: bool = False, wait: bool = True) -> bool:
        """Take the advisory lock of a name until the transaction ends; see :func:`freehold.runtime.locks.lock`."""
        command = lock_command(name, tenant=self.unit.context.tenant, shared=shared, wait=wait)
        return self._send([command])[0].get_value(0, 0) == b"t"

    def send(self, topic: str, payload: Any, *, key: str | None = None) -> int:
        """Write a message, relayed once this transaction has committed; see :func:`freehold.runtime.outbox.send`."""
        return send(self, topic, payload, key)

    def commit(self) -> None:
        """Refused: the block commits."""
        if not self._ended:
            raise _inside("commit")
        super().commit()

    def rollback(self) -> None:
        """Refused: leave the block with an exception."""
        if not self._ended:
            raise _inside("rollback")
        super().rollback()

    def close(self) -> None:
        """Refused: the block closes."""
        if not self._ended:
            raise _inside("close")
        super().close()

    def reset(self) -> None:
        """Refused: the block closes."""
        if not self._ended:
            raise _inside("reset")
        super().reset()

    def invalidate(self) -> None:
        """Refused: the block closes."""
        if not self._ended:
            raise _inside("invalidate")
        super().invalidate()

    def get_bind(self, *arguments: Any, **options: Any) -> sa.Engine | sa.Connection:
        """The engine; refused after the transaction, before a connection is taken."""
        self._refuse_over()
        return super().get_bind(*arguments, **options)

    def connection(self, *arguments: Any, **options: Any) -> sa.Connection:
        """The connection; refused after the transaction, also where another engine is named."""
        self._refuse_over()
        return super().connection(*arguments, **options)

    def _refuse_over(self) -> None:
        if self._torn:
            raise _inside("rollback")
        if self.unit.over:
            self.unit.refuse_over()

    def _send(self, commands: Sequence[Command]) -> list[PGresult]:
        """Run commands of the runtime itself on the transaction's connection."""
        self.connection()
        link = self.unit.link
        assert link is not None
        try:
            return self.unit.frame.waits.drive(link, link.send(commands))
        except psycopg.Error as error:
            raise_typed(error, link, self.unit.frame.faults)

    def open(self) -> None:
        """Begin at once where a key is claimed, whose work may be done already, or where a server has to be judged."""
        gate = self.unit.gate
        if gate is not None and not gate.passed:
            self.connection()
        if self.unit.claim is not None or (gate is not None and not gate.passed):
            self._send(())

    def finish(self, result: Any = None) -> Any:
        """Commit; called once, by the block that began the transaction.

        Parameters
        ----------
        result
            What a keyed transaction stores for those who ask again, and gives.
        """
        if self._torn:
            raise _inside("rollback")
        if self.in_transaction():
            # Flushed before the door opens, so that no flush hook can commit in between.
            self.flush()
            if self.unit.claim is not None:
                result = decode(encode(result))
                self.unit.store(result)
            link = self.unit.link
            if link is not None:
                link.release()
                if link.opening is None and link.pgconn.transaction_status == IDLE:
                    # It has begun, or given up what it was to begin with, by a rollback on the driver's connection.
                    raise _inside("rollback")
        self._ended = True
        self.commit()
        self.unit.committed()
        return result

    @property
    def handle(self) -> Any:
        """What the user's function is given: this session, or the asynchronous one around it."""
        return self.info.get(HANDLE, self)

    def join(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """Call a function inside a savepoint."""
        with self.begin_nested():
            return self.unit.frame.waits.call(function, self.handle, *arguments)

    def let_go(self) -> None:
        """Roll back what is not committed and close."""
        self._ended = True
        # After its end the connection is somebody else's.
        link = None if self.unit.over else self.unit.link
        try:
            if link is not None and not link.usable:
                self.invalidate()
            elif link is not None:
                link.held = False
                self.rollback()
        finally:
            self.close()

    def abandon(self) -> None:
        """Let go, and run what is to follow; called once, by the block that began the transaction."""
        try:
            self.let_go()
        finally:
            self.unit.ended()

    def psycopg(self) -> psycopg.Connection[Any]:
        """The psycopg connection of this transaction, with the context bound. Leave its transaction alone.

        Under :class:`AsyncSession` it is a ``psycopg.AsyncConnection``.
        """
        raw: psycopg.Connection[Any] = self.connection().connection.driver_connection  # type: ignore[assignment]
        return raw

    def criteria(self, mapper: orm.Mapper[Any]) -> TenantCriteria:
        """The loader option that names this session's tenant in statements over the mapper's registry."""
        found = self._criteria.get(mapper.registry)
        if found is None:
            kind = tenant_type(self._tenant_columns)
            tenant = coerced(self.tenant, kind)
            found = self._criteria[mapper.registry] = TenantCriteria(
                mapper.registry, self._tenant_columns, tenant, kind
            )
        return found

    @property
    def names_tenant(self) -> bool:
        """Whether statements of this session carry a tenant."""
        return self.tenant is not None and bool(self._tenant_columns)


def _inside(method: str) -> CommitInside:
    return CommitInside(
        f"{method}() inside the transaction's block",
        hint="The block commits when it ends and rolls back when an exception leaves it; begin_nested() undoes a part.",
    )


@sa.event.listens_for(Session, "after_begin")
def _bind_context(session: Session, transaction: SessionTransaction, connection: sa.Connection) -> None:
    if not transaction.nested:
        link: Any = connection.connection.driver_connection
        session.unit.attach(link)


@sa.event.listens_for(Session, "after_transaction_end")
def _tear(session: Session, transaction: SessionTransaction) -> None:
    """Know of a transaction that SQLAlchemy's own object has ended; its connection is no longer the session's."""
    if not session._ended and transaction.parent is None and session.unit.link is not None:
        session.unit.link = None
        session._torn = True


@sa.event.listens_for(Session, "before_flush")
def _fill_tenant(session: Session, flush: UOWTransaction, objects: object) -> None:
    if not session.names_tenant:
        return
    columns = session._tenant_columns
    for instance in session.new:
        mapper = sa.inspect(instance).mapper
        if mapper.local_table in columns:
            key = tenant_attribute(mapper, columns)
            if getattr(instance, key) is None:
                setattr(instance, key, coerced(session.tenant, tenant_type(columns)))


@sa.event.listens_for(Session, "do_orm_execute")
def _name_tenant(state: ORMExecuteState) -> None:
    session = state.session
    if not isinstance(session, Session) or state.is_column_load or not session.names_tenant:
        return
    mapper = state.bind_mapper
    if mapper is not None and (state.is_select or state.is_update or state.is_delete):
        state.statement = state.statement.options(session.criteria(mapper))
