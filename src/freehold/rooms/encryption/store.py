"""The tables of wrapped keys as an administrator changes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import namedtuple_row

from freehold.kernel.names import Sql, ddl, ident, idents, joined, trusted
from freehold.kernel.template import fill

PACKAGE = __package__ or ""


class Store:
    """The keys of one tenant, or of the shared tables.

    Parameters
    ----------
    connection
        In a transaction, of a role that sees and changes every row.
    tenant
        The tenant's text; "" for the shared tables.
    """

    def __init__(self, connection: psycopg.Connection[Any], tenant: str) -> None:
        self._connection = connection
        self._tenant = tenant
        self._keys = ddl("freehold.{}", ident("data_key" if tenant else "shared_data_key"))
        self._owner = ddl("tenant_id = %(tenant)s") if tenant else ddl("true")

    def rows(self) -> Sequence[Any]:
        """Every key, the oldest first."""
        found = self._run(fill(PACKAGE, "read_keys", keys=self._keys, owner=self._owner))
        return found.fetchall()

    def lock(self) -> None:
        """Keep everybody from making keys until the transaction ends."""
        self._run(fill(PACKAGE, "lock_keys", keys=self._keys))

    def retire(self) -> None:
        """Let the active data key encrypt nothing any more."""
        self._run(fill(PACKAGE, "retire_key", keys=self._keys, owner=self._owner))

    def insert(self, values: Mapping[str, Any]) -> None:
        """Write a key."""
        given = {**values, "tenant_id": self._tenant} if self._tenant else dict(values)
        marks = joined(ddl("%({})s", trusted(name)) for name in given)
        self._run(fill(PACKAGE, "insert_key", keys=self._keys, columns=idents(given), values=marks), given)

    def destroy(self) -> int:
        """Take the wrapped bytes from every key; how many had them."""
        return self._run(fill(PACKAGE, "destroy_keys", keys=self._keys, owner=self._owner)).rowcount

    def listed(self) -> Sequence[Any]:
        """Every living key of every tenant, with its tenant."""
        tenant = ddl("tenant_id::text") if self._tenant else ddl("''")
        return self._run(fill(PACKAGE, "list_keys", keys=self._keys, tenant=tenant)).fetchall()

    def rewrap(self, values: Mapping[str, Any]) -> int:
        """Write the new wrapping of a key unless somebody else has; 1 or 0."""
        return self._run(fill(PACKAGE, "rewrap_key", keys=self._keys), values).rowcount

    def _run(self, text: Sql, values: Mapping[str, Any] | None = None) -> psycopg.Cursor[Any]:
        cursor = self._connection.cursor(row_factory=namedtuple_row)
        return cursor.execute(sql.SQL(text), {"tenant": self._tenant, **(values or {})})
