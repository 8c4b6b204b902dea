"""The session of one transaction: it binds the context, fills in the tenant, and ends only with its block."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.orm import ORMExecuteState, SessionTransaction, UOWTransaction

from freehold.errors import CommitInside
from freehold.runtime import copy
from freehold.runtime.connections import allow_commit, bind
from freehold.runtime.context import Context
from freehold.runtime.criteria import TenantColumns, TenantCriteria, tenant_attribute
from freehold.runtime.signer import Signer

NO_TENANTS: TenantColumns = {}


class Session(orm.Session):
    """A SQLAlchemy session in which one tenant is bound.

    It is made by ``Database.transaction`` and ends with that block: ``commit()``, ``rollback()`` and ``close()`` raise
    :class:`CommitInside`. Savepoints (``begin_nested``) work as ever.
    """

    def __init__(
        self,
        bind: Any = None,
        *,
        signer: Signer | None = None,
        tenant: Any = None,
        actor: str = "",
        tenant_columns: TenantColumns = NO_TENANTS,
        read_only: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(bind, **options)
        assert signer is not None, "a session comes from Database.transaction"
        self._signer = signer
        self._tenant = tenant
        self._tenant_columns = tenant_columns
        self._criteria: dict[Any, TenantCriteria] = {}
        self._ended = False
        self.read_only = read_only
        self.context = Context("" if tenant is None else str(tenant), actor)

    @property
    def tenant(self) -> Any:
        """The tenant as it was given, or None."""
        return self._tenant

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

    def finish(self) -> None:
        """Commit; called once, by the block that began the transaction."""
        if self.in_transaction():
            # Flushed before the door opens, so that no flush hook can commit in between.
            self.flush()
            for connection in self._connections():
                allow_commit(connection)
        self._ended = True
        self.commit()

    def abandon(self) -> None:
        """Roll back what is not committed and close; called once, by the block that began the transaction."""
        self._ended = True
        self.rollback()
        self.close()

    def _connections(self) -> Iterable[sa.Connection]:
        transaction = self.get_transaction()
        assert transaction is not None
        return {entry[0] for entry in transaction._connections.values()}

    def psycopg(self) -> psycopg.Connection[Any]:
        """The psycopg connection of this transaction, with the context bound. Leave its transaction alone.

        Under :class:`AsyncSession` it is a ``psycopg.AsyncConnection``.
        """
        raw: psycopg.Connection[Any] = self.connection().connection.driver_connection  # type: ignore[assignment]
        return raw

    def copy_in(
        self,
        table: sa.Table | type[Any],
        columns: Sequence[str],
        rows: Iterable[Sequence[Any]] | Iterable[bytes],
        *,
        skip_conflicts: bool = False,
    ) -> int:
        """Load rows by COPY under the tenant's policies; gives how many were stored.

        See :func:`freehold.runtime.copy.copy_in`.
        """
        target = table if isinstance(table, sa.Table) else sa.inspect(table).local_table
        tenant_column = self._tenant_columns.get(target, "")
        return copy.copy_in(
            self.connection(), target, columns, rows, tenant_column=tenant_column, skip_conflicts=skip_conflicts
        )

    def criteria(self, mapper: orm.Mapper[Any]) -> TenantCriteria:
        """The loader option that names this session's tenant in statements over the mapper's registry."""
        found = self._criteria.get(mapper.registry)
        if found is None:
            kind = _tenant_type(self._tenant_columns)
            tenant = coerced(self._tenant, kind)
            found = self._criteria[mapper.registry] = TenantCriteria(
                mapper.registry, self._tenant_columns, tenant, kind
            )
        return found

    @property
    def names_tenant(self) -> bool:
        """Whether statements of this session carry a tenant."""
        return self._tenant is not None and bool(self._tenant_columns)


def _inside(method: str) -> CommitInside:
    return CommitInside(
        f"{method}() inside the transaction's block",
        hint="The block commits when it ends and rolls back when an exception leaves it; begin_nested() undoes a part.",
    )


def _tenant_type(columns: TenantColumns) -> sa.types.TypeEngine[Any]:
    table, name = next(iter(columns.items()))
    return table.columns[name].type


def coerced(tenant: Any, kind: sa.types.TypeEngine[Any]) -> Any:
    """The tenant as the column's Python type, where it was given as text."""
    wanted = kind.python_type
    if isinstance(tenant, str) and wanted in {uuid.UUID, int}:
        return wanted(tenant)
    return str(tenant) if wanted is str else tenant


@sa.event.listens_for(Session, "after_begin")
def _bind_context(session: Session, transaction: SessionTransaction, connection: sa.Connection) -> None:
    if not transaction.nested:
        bind(connection, session._signer, session.context, read_only=session.read_only)


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
                setattr(instance, key, coerced(session.tenant, _tenant_type(columns)))


@sa.event.listens_for(Session, "do_orm_execute")
def _name_tenant(state: ORMExecuteState) -> None:
    session = state.session
    if not isinstance(session, Session) or state.is_column_load or not session.names_tenant:
        return
    mapper = state.bind_mapper
    if mapper is not None and (state.is_select or state.is_update or state.is_delete):
        state.statement = state.statement.options(session.criteria(mapper))
