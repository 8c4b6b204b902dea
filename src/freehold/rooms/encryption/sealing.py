"""Encrypt what a table holds in clear already, beside the applications that write it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from freehold.errors import InputError
from freehold.events import Listener, Progress, ignore
from freehold.kernel.declare import Entity
from freehold.kernel.names import Sql, ddl, ident, joined, qualified, trusted
from freehold.kernel.template import fill
from freehold.rooms.encryption.declare import blind
from freehold.rooms.encryption.envelope import seal as sealed_for
from freehold.rooms.encryption.keys import DATA, INDEX, DataKey, destroyed, text_of
from freehold.rooms.encryption.provider import Encryption
from freehold.rooms.encryption.runtime import Cipher, Layer, Target
from freehold.rooms.encryption.store import Store
from freehold.servers.faults import translated

PACKAGE = __package__ or ""
PASSES = 3


@dataclass(frozen=True, slots=True)
class Copied:
    """What a run encrypted.

    Parameters
    ----------
    rows
        Rows whose clear values are encrypted beside them now.
    left
        Rows that are not: others held them all the time, or wrote them meanwhile. Run again.
    """

    rows: int
    left: int


@translated("encrypt clear values")
def seal(
    connection: psycopg.Connection[Any],
    layer: Layer,
    encryption: Encryption,
    entity: Entity,
    *,
    tenant: Any = None,
    batch: int = 500,
    listener: Listener = ignore,
) -> Copied:
    """Encrypt the clear values of a table into the columns beside them, as ``Encrypted(..., clear=...)`` pairs them.

    It waits for nobody's row and writes over no encrypted value: rows that somebody holds, or has written meanwhile,
    are left for the next pass, and where a clear value changes later the database takes away the encrypted one (see
    ``copies``). A run that is cut short does no harm; the same again goes on.

    Parameters
    ----------
    connection
        In autocommit mode, of a role that sees every row: row security that hid one would make this an error.
    tenant
        Whose rows; everybody's where it is None.
    batch
        Rows written in one transaction.
    listener
        Told of the progress.

    Raises
    ------
    KeyDestroyed, KeyUnavailable, ServerError
    InputError
        Nothing of the table is declared to be copied, a clear value is of another type, or a batch has no rows.
    """
    if batch < 1:
        raise InputError(f"A batch of {batch} rows encrypts nothing", hint="Give 1 or more.")
    work = _Sealing(connection, Cipher(layer, encryption), entity, tenant)
    title, done = f"rows of {'.'.join(work.target.declaration.table)} to encrypt", 0
    for _ in range(PASSES):
        total = done + work.count()
        for count in work.batches(batch):
            done += count
            listener(Progress(title, done, max(done, total)))
        left = work.count()
        if not left:
            break
    return Copied(done, left)


@translated("count clear values")
def unsealed(
    connection: psycopg.Connection[Any], layer: Layer, encryption: Encryption, entity: Entity, *, tenant: Any = None
) -> int:
    """How many rows have a clear value that is not encrypted beside it; 0 before the clear columns may be dropped.

    Parameters
    ----------
    connection, tenant
        As for :func:`seal`.
    """
    return _Sealing(connection, Cipher(layer, encryption), entity, tenant).count()


@contextmanager
def _transaction(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """A transaction in which row security hides nothing silently."""
    with connection.transaction():
        connection.execute("SET LOCAL row_security = off")
        yield


class _Sealing:
    """The rows of one table that hold clear values without encrypted ones."""

    def __init__(self, connection: psycopg.Connection[Any], cipher: Cipher, entity: Entity, tenant: Any) -> None:
        self.target = target = cipher.target(entity)
        if not target.declaration.clear:
            raise InputError(
                f"Nothing says where clear values of {'.'.join(target.declaration.table)} are to be encrypted",
                hint='Declare it: Encrypted(..., clear={"email_sealed": "email"}).',
            )
        self._connection, self._cipher = connection, cipher
        self._tenant = _owner_text(target, tenant)
        self._pairs = tuple(target.declaration.clear.items())
        self._key = target.declaration.key

    def count(self) -> int:
        """How many there are."""
        text = fill(PACKAGE, "count_unsealed", table=self._table, unsealed=self._unsealed, owner=self._owner)
        with _transaction(self._connection):
            row = self._connection.execute(sql.SQL(text), {"tenant": self._tenant}).fetchone()
        return int(row[0]) if row else 0

    def batches(self, size: int) -> Iterator[int]:
        """Encrypt them in the order of the key, each batch in a transaction of its own; how many rows each had."""
        after: Sequence[str] | None = None
        while True:
            with _transaction(self._connection):
                rows = self._connection.execute(sql.SQL(self._read(after)), self._values(after, size)).fetchall()
            if not rows:
                return
            given = [self._sealed(row) for row in rows]
            with _transaction(self._connection), self._connection.cursor() as cursor:
                # The triggers of other rooms write under policies of their own.
                cursor.execute("SET LOCAL row_security = on")
                cursor.executemany(sql.SQL(self._write), given)
                written = cursor.rowcount
            after = rows[-1][1 : 1 + len(self._key)]
            yield written

    def _sealed(self, row: Sequence[Any]) -> list[Any]:
        """The values of a row's columns in the order of the statement, then its key and what stood in clear."""
        width, pairs = 1 + len(self._key), len(self._pairs)
        tenant, key, clear, unchanged = row[0], row[1:width], row[width : width + pairs], row[width + pairs :]
        names = {self.target.tenant_column: tenant, **dict(zip(self._key, key, strict=True))}
        found: list[Any] = []
        for (column, _), value in zip(self._pairs, clear, strict=True):
            data = None if value is None else self.target.type_of(column).encode(value)
            found += self._written(column, tenant, names, data)
        return [*found, *key, *unchanged]

    def _written(self, column: str, tenant: str, names: Mapping[str, Any], data: bytes | None) -> Iterator[Any]:
        index = self.target.declaration.search.get(column)
        if data is None:
            yield from (None,) * (1 if index is None else 2)
            return
        if index is not None:
            place = (self.target.schema, self.target.table, column, tenant)
            yield self._key_of(tenant, INDEX).blind(place, index.normal(data), index.bits // 8)
        active = self._key_of(tenant, DATA)
        yield sealed_for(active.aead, active.key_id, data, self.target.place(column, names))

    def _key_of(self, tenant: str, purpose: str) -> DataKey:
        """The active key of a tenant, which is made where there is none."""
        keys = self._cipher.keys

        def row() -> Any:
            store = Store(self._connection, tenant)
            with _transaction(self._connection):
                found = _active(store, tenant, purpose)
            # Wrapped before the lock: a provider that is slow keeps nobody waiting.
            return found or self._made(store, tenant, purpose)

        return keys.kept(tenant, purpose, row)

    def _made(self, store: Store, tenant: str, purpose: str) -> Any:
        fresh = self._cipher.keys.fresh(tenant, purpose)
        with _transaction(self._connection):
            store.lock()
            if _active(store, tenant, purpose) is None:
                store.insert(fresh)
            return _active(store, tenant, purpose)

    @property
    def _table(self) -> Sql:
        return qualified(self.target.schema, self.target.table)

    @property
    def _owner(self) -> Sql:
        return ddl("{} = %(tenant)s", ident(self.target.tenant_column)) if self._tenant else ddl("true")

    @property
    def _unsealed(self) -> Sql:
        return joined(
            (fill(PACKAGE, "is_unsealed", clear=ident(clear), sealed=ident(column)) for column, clear in self._pairs),
            " OR ",
        )

    def _read(self, after: Sequence[str] | None) -> Sql:
        marks = joined(ddl("%({})s", trusted(f"after_{n}")) for n in range(len(self._key)))
        names = joined(map(ident, self._key))
        return fill(
            PACKAGE,
            "read_unsealed",
            table=self._table,
            tenant=ddl("{}::text", ident(self.target.tenant_column)) if self.target.tenant_column else ddl("''"),
            key=joined(ddl("{}::text", ident(name)) for name in self._key),
            columns=joined(
                [
                    *(ident(clear) for _, clear in self._pairs),
                    *(ddl("{}::text", ident(clear)) for _, clear in self._pairs),
                ]
            ),
            unsealed=self._unsealed,
            owner=self._owner,
            after=ddl("AND ({}) > ({})", names, marks) if after is not None else Sql(""),
            # By the table's name, since a key's text sorts in another order than the key.
            order=joined(ddl("{}.{}", ident(self.target.table), ident(name)) for name in self._key),
        )

    def _values(self, after: Sequence[str] | None, batch: int) -> Mapping[str, Any]:
        places = {f"after_{n}": value for n, value in enumerate(after or ())}
        return {"tenant": self._tenant, "batch": batch, **places}

    @property
    def _write(self) -> Sql:
        values: list[Sql] = []
        for column, _ in self._pairs:
            if column in self.target.declaration.search:
                values.append(
                    ddl("{0} = CASE WHEN {1} IS NULL THEN %s ELSE {0} END", ident(blind(column)), ident(column))
                )
            values.append(ddl("{0} = coalesce({0}, %s)", ident(column)))
        same_key = joined((ddl("{} = %s", ident(name)) for name in self._key), " AND ")
        unchanged = joined((ddl("{}::text IS NOT DISTINCT FROM %s", ident(clear)) for _, clear in self._pairs), " AND ")
        return fill(
            PACKAGE,
            "write_sealed",
            table=self._table,
            values=joined(values),
            same_key=same_key,
            unchanged=unchanged,
        )


def _active(store: Store, tenant: str, purpose: str) -> Any:
    rows = store.rows()
    if any(row.state == "destroyed" for row in rows):
        raise destroyed(tenant)
    return next((row for row in rows if (row.purpose, row.state) == (purpose, "active")), None)


def _owner_text(target: Target, tenant: Any) -> str:
    if tenant is None:
        return ""
    try:
        return text_of(tenant, target.tenant_type) if target.tenant_type is not None else _no_tenants(target)
    except ValueError as error:
        raise InputError(
            f"{tenant!r} is no tenant of the layer", hint="Give a value of the tenant column's type."
        ) from error


def _no_tenants(target: Target) -> str:
    raise InputError(f"No tenant owns the rows of {'.'.join(target.declaration.table)}", hint="Leave tenant= out.")
