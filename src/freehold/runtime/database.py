"""An application's way into its database: one call a transaction, with tenant and actor."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy import orm

from freehold.runtime.connections import raise_typed, watch
from freehold.runtime.context import LIFETIME
from freehold.runtime.criteria import TenantColumns
from freehold.runtime.guard import check_key, check_login
from freehold.runtime.keys import KeyRing
from freehold.runtime.session import Session
from freehold.runtime.signer import Signer


def driver_url(url: str | sa.URL) -> sa.URL:
    """The URL with psycopg 3 as its driver, whichever PostgreSQL URL it was."""
    made = sa.make_url(url)
    return made.set(drivername="postgresql+psycopg") if made.get_backend_name() in {"postgresql", "postgres"} else made


def check(connection: sa.Connection, layer_name: str, tables: tuple[sa.Table, ...], signer: Signer) -> None:
    """Refuse an unsafe login and a key that the database does not know."""
    check_login(connection, layer_name, tables)
    check_key(connection, signer)


class Database:
    """One database, as the application's role.

    >>> with db.transaction(tenant=tenant, actor="ana") as session:  # doctest: +SKIP
    ...     session.add(Customer(name="Ada"))
    """

    def __init__(self, engine: sa.Engine, signer: Signer, tenant_columns: TenantColumns) -> None:
        self.engine = engine
        self.signer = signer
        self._sessions = orm.sessionmaker(
            engine, class_=Session, signer=signer, tenant_columns=tenant_columns, expire_on_commit=False
        )

    @classmethod
    def connect(
        cls,
        url: str | sa.URL,
        *,
        layer_name: str,
        tenant_columns: TenantColumns,
        tables: tuple[sa.Table, ...] = (),
        keys: KeyRing | str | os.PathLike[str] | None = None,
        lifetime: float = LIFETIME,
        **engine_options: Any,
    ) -> Database:
        """Connect and check login and key.

        Parameters
        ----------
        url
            Any PostgreSQL URL; the login must be one that row security holds.
        layer_name
            The data layer's name, which begins its roles' names.
        tenant_columns
            The tenant column of each tenant-owned table, the root's primary key among them.
        tables
            Further tables of the layer that the login must not own.
        keys
            A key ring, the path of a file of mode 0600, or None for the variable ``FREEHOLD_CONTEXT_KEYS``.
        lifetime
            Seconds for which a context is valid before its transaction begins.

        Raises
        ------
        UnsafeLogin, ContextKeyMissing, ServerDown, LoginRefused
        """
        signer = Signer(KeyRing.find(keys), lifetime)
        engine = sa.create_engine(driver_url(url), **engine_options)
        watch(engine)
        try:
            with engine.connect() as connection:
                check(connection, layer_name, (*tenant_columns, *tables), signer)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine, signer, tenant_columns)

    @contextmanager
    def transaction(self, *, actor: str, tenant: Any = None, read_only: bool = False) -> Iterator[Session]:
        """One transaction: committed when the block ends, rolled back when an exception leaves it.

        Parameters
        ----------
        actor
            Who acts, as history and audit record it.
        tenant
            Whose rows are reached; None for shared tables alone.
        read_only
            Let the server refuse every write.
        """
        session = self._sessions(tenant=tenant, actor=actor, read_only=read_only)
        try:
            yield session
            session.finish()
        except psycopg.Error as error:
            # From the raw connection; what SQLAlchemy runs is translated where it fails.
            raise_typed(error, read_only=read_only)
            raise
        finally:
            session.abandon()

    def dispose(self) -> None:
        """Close every connection."""
        self.engine.dispose()
