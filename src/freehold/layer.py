"""The data layer: SQLAlchemy metadata plus the list of what its data must promise."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from freehold.errors import DeclarationError
from freehold.events import Listener, ignore
from freehold.kernel.compile import Declared, compile_layer
from freehold.kernel.declare import Declarations, name_of
from freehold.registry import all_rooms
from freehold.rooms.encryption import Encryption, cipher_info
from freehold.rooms.versions import Versions
from freehold.runtime import AsyncDatabase, Database, KeyRing, Pool, Workload
from freehold.runtime.context import LIFETIME

_NAME = re.compile(r"[a-z][a-z0-9_]{0,19}")


class DataLayer(Declarations):
    """Plain SQLAlchemy models, and one declaration beside them.

    >>> layer = DataLayer(Base.metadata, Tenancy(root=Tenant), Roles(), History(Customer), name="crm")  # doctest: +SKIP

    Parameters
    ----------
    metadata
        The application's SQLAlchemy metadata.
    declarations
        What the data must promise: Tenancy, Roles, History, Report, Backup, Extra, Rename …
    name
        Begins the name of every role of the layer: at most 20 lower-case letters, digits and underscores.

    Raises
    ------
    DeclarationError
        The name cannot begin a role's name. What the declarations say is checked when the layer is first compiled.
    """

    def __init__(self, metadata: sa.MetaData, *declarations: object, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise DeclarationError(
                f"{name!r} cannot name a data layer",
                hint="Use at most 20 lower-case letters, digits and underscores, a letter first.",
            )
        super().__init__(metadata, tuple(declarations), name)

    @cached_property
    def declared(self) -> Declared:
        """Everything that the declarations compile to.

        Raises
        ------
        DeclarationError
            A declaration names what is not there, contradicts another, or leaves a table unclassified.
        """
        return compile_layer(self, all_rooms())

    @cached_property
    def tenant_columns(self) -> Mapping[sa.Table, str]:
        """The tenant column of each tenant-owned table, the root's primary key among them; no shared table."""
        classes = self.declared.model.classes
        owned = {table: classes[name_of(table)].tenant_column for table in self.metadata.tables.values()}
        return {table: column for table, column in owned.items() if column}

    @cached_property
    def accepted_advisories(self) -> Mapping[str, str] | None:
        """The advisories that ``Versions`` accepts, with the reasons; None where the layer declares none."""
        return next((found.accept for found in self.of_type(Versions)), None)

    def connect(
        self,
        url: str | sa.URL,
        *,
        keys: KeyRing | str | os.PathLike[str] | None = None,
        lifetime: float = LIFETIME,
        workloads: Sequence[Workload] = (),
        pools: Sequence[Pool] = (),
        replicas: Sequence[str | sa.URL] = (),
        listener: Listener = ignore,
        positions: bool = False,
        encryption: Encryption | None = None,
        **engine_options: Any,
    ) -> Database:
        """The application's way in.

        Parameters
        ----------
        url
            A PostgreSQL URL with the application's login; several hosts and ``target_session_attrs`` as libpq has them.
        keys
            The key ring that signs tenant contexts, its file, or None for ``FREEHOLD_CONTEXT_KEYS``.
        lifetime
            Seconds for which a context is valid before its transaction begins.
        workloads
            Named classes of transactions, beside "default" and "bulk".
        pools
            Pools beside the main one, which ``pool_size`` and the like describe.
        replicas
            URLs of streaming replicas, for ``db.read``. The layer must declare ``Outcomes()``.
        listener
            Told every event of the runtime, such as ``freehold.telemetry.EventLog()``.
        positions
            Ask for the position in the log after each COMMIT, so that ``session.position`` is there; always done where
            there are replicas. The layer must declare ``Outcomes()``.
        encryption
            How the data keys of encrypted columns are reached; without it they are neither read nor written.
        engine_options
            Further options of `sqlalchemy.create_engine`.

        Raises
        ------
        UnsafeLogin
            The login is a superuser, has BYPASSRLS, or could act as an owner.
        VersionRefused
            The layer declares ``Versions``, and a workload's isolation level has a known hole on the server that is not
            accepted by name.
        ContextKeyMissing, ServerDown, LoginRefused
        """
        return Database.connect(
            url,
            keys=keys,
            lifetime=lifetime,
            workloads=workloads,
            pools=pools,
            replicas=replicas,
            listener=listener,
            positions=positions,
            **self._declared(encryption),
            **engine_options,
        )

    async def connect_async(
        self,
        url: str | sa.URL,
        *,
        keys: KeyRing | str | os.PathLike[str] | None = None,
        lifetime: float = LIFETIME,
        workloads: Sequence[Workload] = (),
        pools: Sequence[Pool] = (),
        replicas: Sequence[str | sa.URL] = (),
        listener: Listener = ignore,
        positions: bool = False,
        encryption: Encryption | None = None,
        **engine_options: Any,
    ) -> AsyncDatabase:
        """The asynchronous twin of `connect`."""
        return await AsyncDatabase.connect(
            url,
            keys=keys,
            lifetime=lifetime,
            workloads=workloads,
            pools=pools,
            replicas=replicas,
            listener=listener,
            positions=positions,
            **self._declared(encryption),
            **engine_options,
        )

    def _declared(self, encryption: Encryption | None) -> dict[str, Any]:
        """What a database needs to know of the declaration."""
        others = tuple(table for table in self.metadata.tables.values() if table not in self.tenant_columns)
        return {
            "layer_name": self.name,
            "tenant_columns": self.tenant_columns,
            "tables": others,
            "accepted": self.accepted_advisories,
            "info": cipher_info(self, encryption) if encryption is not None else {},
        }
