"""The data layer: SQLAlchemy metadata plus the list of what its data must promise."""

from __future__ import annotations

import os
import re
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from freehold.errors import DeclarationError
from freehold.kernel.compile import Declared, compile_layer
from freehold.kernel.declare import Declarations, name_of
from freehold.registry import all_rooms
from freehold.rooms.versions import Versions
from freehold.runtime import AsyncDatabase, Database, KeyRing

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

    def connect(
        self, url: str | sa.URL, *, keys: KeyRing | str | os.PathLike[str] | None = None, **options: Any
    ) -> Database:
        """The application's way in.

        Parameters
        ----------
        url
            A PostgreSQL URL with the application's login.
        keys
            The key ring that signs tenant contexts, its file, or None for ``FREEHOLD_CONTEXT_KEYS``.
        options
            Further options of `sqlalchemy.create_engine`.

        Raises
        ------
        UnsafeLogin
            The login is a superuser, has BYPASSRLS, or could act as an owner.
        ContextKeyMissing, ServerDown, LoginRefused
        """
        return Database.connect(url, keys=keys, **self._place(), **options)

    async def connect_async(
        self, url: str | sa.URL, *, keys: KeyRing | str | os.PathLike[str] | None = None, **options: Any
    ) -> AsyncDatabase:
        """The asynchronous twin of `connect`."""
        return await AsyncDatabase.connect(url, keys=keys, **self._place(), **options)

    def _place(self) -> dict[str, Any]:
        classes = self.declared.model.classes
        tables = tuple(self.metadata.tables.values())
        owned = {table: classes[name_of(table)].tenant_column for table in tables}
        return {
            "layer_name": self.name,
            "tenant_columns": {table: column for table, column in owned.items() if column},
            "tables": tuple(table for table in tables if not owned[table]),
            "accepted": next((found.accept for found in self.of_type(Versions)), None),
        }
