"""What an administrator does with keys: rotate data keys beside writers, wrap them anew, and destroy them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from freehold.errors import CiphertextRefused, InputError
from freehold.events import Listener, Progress, ignore
from freehold.kernel.names import Sql, ddl, ident, idents, joined, qualified, trusted
from freehold.kernel.template import fill
from freehold.rooms.encryption.envelope import seal, unseal
from freehold.rooms.encryption.header import KEY_AT, NONCE_AT, key_of
from freehold.rooms.encryption.keys import DATA, INDEX, DataKey, Keys, context_of, destroyed, text_of
from freehold.rooms.encryption.provider import Encryption, KeyProvider
from freehold.rooms.encryption.runtime import Cipher, Layer, Target
from freehold.rooms.encryption.store import Store
from freehold.servers.faults import translated

PACKAGE = __package__ or ""
PASSES = 3


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation did.

    Parameters
    ----------
    key_id
        The data key that encrypts from now on.
    rewritten
        Rows that are encrypted with it now.
    left
        Rows that writers with an older key have written meanwhile; run again with ``resume=True`` once those have had
        the time of ``Encryption.seconds`` to learn of the new one.
    unreadable
        Table and key of the first hundred rows that did not open; they are as they were.
    """

    key_id: UUID
    rewritten: int
    left: int
    unreadable: tuple[tuple[str, ...], ...] = ()


@translated("rotate a data key")
def rotate(
    connection: psycopg.Connection[Any],
    layer: Layer,
    encryption: Encryption,
    *,
    tenant: Any = None,
    resume: bool = False,
    batch: int = 500,
    listener: Listener = ignore,
) -> Rotated:
    """Make a new data key for a tenant, and encrypt its rows with it, beside readers and writers.

    The older keys stay, retired: history, backups and rows that are not rewritten yet need them. At any moment every
    row is readable, so that a run that is cut short does no harm; ``resume=True`` goes on with its key.

    Parameters
    ----------
    connection
        In autocommit mode, of a role that sees every row: row security that hid one would make this an error.
    tenant
        Whose key; None for that of the shared tables.
    resume
        Encrypt what is left with the key that is active already.
    batch
        Rows rewritten in one transaction.
    listener
        Told of the progress.

    Raises
    ------
    KeyDestroyed, KeyUnavailable, ServerError
    InputError
        The layer has no tenants, or a batch has no rows.
    """
    if batch < 1:
        raise InputError(f"A batch of {batch} rows rewrites nothing", hint="Give 1 or more.")
    cipher = Cipher(layer, encryption)
    text = _tenant_text(layer, tenant)
    # Wrapped before the lock: a provider that is slow keeps nobody waiting.
    fresh = cipher.keys.fresh(text, DATA)
    with _transaction(connection):
        row = _activate(Store(connection, text), fresh, text, resume=resume)
    active = cipher.keys.opened(text, row)
    rewritten, left, unreadable = 0, 0, []
    for target in (each for each in cipher.targets.values() if bool(each.tenant_column) == bool(text)):
        work = _Rewriting(target, text, active, cipher.keys)
        done = work.run(connection, batch, listener)
        rewritten, left = rewritten + done, left + work.left - len(work.unreadable)
        unreadable += work.unreadable
    return Rotated(active.key_id, rewritten, left, tuple(unreadable[:100]))


@translated("wrap data keys anew")
def rewrap(
    connection: psycopg.Connection[Any],
    layer: Layer,
    encryption: Encryption,
    *,
    to: KeyProvider | None = None,
    listener: Listener = ignore,
) -> int:
    """Wrap every data key with the newest key-encrypting key; no row of data is touched. How many were.

    Parameters
    ----------
    connection
        In autocommit mode, of a role that sees every row.
    to
        Another provider that wraps them from now on.
    """
    cipher = Cipher(layer, encryption)
    provider, done = to or encryption.provider, 0
    for store in [Store(connection, text) for text in _scopes(cipher)]:
        with _transaction(connection):
            rows = store.listed()
        for number, row in enumerate(rows, 1):
            with _transaction(connection):
                done += _rewrap_one(store, cipher.keys, row, provider)
            listener(Progress("data keys", number, len(rows)))
    return done


@translated("destroy data keys")
def destroy(connection: psycopg.Connection[Any], layer: Layer, *, tenant: Any) -> int:
    """Destroy every data key of a tenant, and with them all that was encrypted: rows, history and backups. How many.

    The keys' rows stay without their wrapped bytes, so that what is read later fails with ``KeyDestroyed`` and
    no new key is made. Other processes keep an unwrapped key for at most ``Encryption.seconds``; this one may call
    ``cipher.forget``.

    A backup that is older holds the wrapped keys: they open only for who may use their key-encrypting key. With a
    provider that has one for each tenant, destroy that as well.

    Parameters
    ----------
    connection
        In autocommit mode, of a role that sees every row.
    tenant
        Whose keys.
    """
    text = _tenant_text(layer, tenant)
    if not text:
        raise InputError("Name the tenant whose keys are to be destroyed", hint="Give tenant=...")
    with _transaction(connection):
        store = Store(connection, text)
        store.lock()
        count = store.destroy()
        held = {row.purpose for row in store.rows()}
        for purpose in {DATA, INDEX} - held:
            store.insert(_tombstone(purpose))
    return count


def _tombstone(purpose: str) -> Mapping[str, Any]:
    """The row of a key that never was, so that none is made later."""
    values = {"key_id": UUID(int=0 if purpose == DATA else 1), "purpose": purpose, "state": "destroyed"}
    return {**values, "provider": "", "provider_key": "", "wrapped": None}


def _scopes(cipher: Cipher) -> Iterator[str]:
    """A text that stands for each table of keys that the layer has."""
    owned = {bool(target.tenant_column) for target in cipher.targets.values()}
    return ("any" if each else "" for each in sorted(owned))


def _rewrap_one(store: Store, keys: Keys, row: Any, provider: KeyProvider) -> int:
    secret = keys.opened(row.tenant, row).secret
    wrapped = provider.wrap(secret, context_of(row.tenant, row.key_id, row.purpose))
    values = {"provider": provider.name, "provider_key": wrapped.provider_key, "wrapped": wrapped.data}
    return store.rewrap({**values, "key_id": row.key_id, "old": row.wrapped})


def _activate(store: Store, fresh: Mapping[str, Any], tenant: str, *, resume: bool) -> Any:
    """The row of the active key: the fresh one, or the one that an earlier run made."""
    store.lock()
    rows = store.rows()
    if any(row.state == "destroyed" for row in rows):
        raise destroyed(tenant)
    found = next((row for row in rows if row.state == "active" and row.purpose == DATA), None)
    if found is None or not resume:
        store.retire()
        store.insert(fresh)
        found = next(row for row in store.rows() if row.key_id == fresh["key_id"])
    return found


def _tenant_text(layer: Layer, tenant: Any) -> str:
    if tenant is None:
        return ""
    kind = next((table.columns[name].type for table, name in layer.tenant_columns.items()), None)
    try:
        text = text_of(tenant, kind) if kind is not None else ""
    except ValueError:
        text = ""
    if not text:
        raise InputError(f"{tenant!r} is no tenant of the layer", hint="Give a value of the tenant column's type.")
    return text


@contextmanager
def _transaction(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """A transaction in which row security hides nothing silently."""
    with connection.transaction():
        connection.execute("SET LOCAL row_security = off")
        yield


class _Rewriting:
    """The rows of one table and tenant that are to be encrypted with the active key."""

    def __init__(self, target: Target, tenant: str, active: DataKey, keys: Keys) -> None:
        self._target, self._tenant, self._active, self._keys = target, tenant, active, keys
        self._known: dict[UUID, DataKey] = {active.key_id: active}
        self._columns = target.declaration.columns
        self._key = target.declaration.key
        self.left = 0
        self.unreadable: list[tuple[str, ...]] = []

    def run(self, connection: psycopg.Connection[Any], batch: int, listener: Listener) -> int:
        """Rewrite in the order of the key, again while writers with an older key leave something; how many rows."""
        title, done = f"encrypted rows of {self._target.schema}.{self._target.table}", 0
        for _ in range(PASSES):
            self.unreadable, after = [], None
            total = done + self._count(connection)
            while rows := self._batch(connection, after, batch):
                after = rows[-1][0]
                done += sum(changed for _, changed in rows)
                listener(Progress(title, done, max(done, total)))
            self.left = self._count(connection)
            if self.left <= len(self.unreadable):
                break
        return done

    def _batch(
        self, connection: psycopg.Connection[Any], after: Sequence[str] | None, batch: int
    ) -> list[tuple[Sequence[str], int]]:
        with _transaction(connection):
            rows = connection.execute(sql.SQL(self._read(after)), self._values(after, batch)).fetchall()
            # The triggers of other rooms write under policies of their own.
            connection.execute("SET LOCAL row_security = on")
            width = len(self._key)
            return [(row[:width], self._rewrite(connection, row[:width], row[width:])) for row in rows]

    def _rewrite(self, connection: psycopg.Connection[Any], key: Sequence[str], stored: Sequence[bytes | None]) -> int:
        try:
            values = [
                self._renewed(connection, name, key, old) for name, old in zip(self._columns, stored, strict=True)
            ]
        except CiphertextRefused:
            self.unreadable.append((f"{self._target.schema}.{self._target.table}", *key))
            return 0
        return connection.execute(sql.SQL(self._write), [*values, *key, *stored]).rowcount

    def _renewed(
        self, connection: psycopg.Connection[Any], column: str, key: Sequence[str], old: bytes | None
    ) -> bytes | None:
        if old is None or key_of(old) == self._active.key_id:
            return old
        row = {self._target.tenant_column: self._tenant, **dict(zip(self._key, key, strict=True))}
        place = self._target.place(column, row)
        clear = unseal(self._opener(connection, key_of(old)).aead, old, place)
        return seal(self._active.aead, self._active.key_id, clear, place)

    def _opener(self, connection: psycopg.Connection[Any], key_id: UUID) -> DataKey:
        if key_id not in self._known:
            row = next((row for row in Store(connection, self._tenant).rows() if row.key_id == key_id), None)
            if row is None:
                raise CiphertextRefused(
                    f"A stored value names the key {key_id}, which its owner does not have",
                    hint="Restore the row, or the table of data keys, from a backup.",
                )
            self._known[key_id] = self._keys.opened(self._tenant, row)
        return self._known[key_id]

    @property
    def _table(self) -> Sql:
        return qualified(self._target.schema, self._target.table)

    @property
    def _owner(self) -> Sql:
        return ddl("{} = %(tenant)s", ident(self._target.tenant_column)) if self._tenant else ddl("true")

    @property
    def _outdated(self) -> Sql:
        start, length = trusted(str(KEY_AT + 1)), trusted(str(NONCE_AT - KEY_AT))
        return joined(
            (fill(PACKAGE, "is_outdated", column=ident(name), start=start, length=length) for name in self._columns),
            " OR ",
        )

    def _count(self, connection: psycopg.Connection[Any]) -> int:
        text = fill(PACKAGE, "count_outdated", table=self._table, owner=self._owner, outdated=self._outdated)
        with _transaction(connection):
            row = connection.execute(sql.SQL(text), self._values(None, 0)).fetchone()
        return int(row[0]) if row else 0

    def _read(self, after: Sequence[str] | None) -> Sql:
        marks = joined(ddl("%({})s", trusted(f"after_{n}")) for n in range(len(self._key)))
        return fill(
            PACKAGE,
            "read_outdated",
            table=self._table,
            key=joined(ddl("{}::text", ident(name)) for name in self._key),
            columns=idents(self._columns),
            owner=self._owner,
            outdated=self._outdated,
            after=ddl("AND ({}) > ({})", idents(self._key), marks) if after is not None else Sql(""),
            # By the table's name, since a key's text sorts in another order than the key.
            order=joined(ddl("{}.{}", ident(self._target.table), ident(name)) for name in self._key),
        )

    def _values(self, after: Sequence[str] | None, batch: int) -> Mapping[str, Any]:
        places = {f"after_{n}": value for n, value in enumerate(after or ())}
        return {"tenant": self._tenant, "active": self._active.key_id, "batch": batch, **places}

    @property
    def _write(self) -> Sql:
        return fill(
            PACKAGE,
            "write_values",
            table=self._table,
            values=joined(ddl("{} = %s", ident(name)) for name in self._columns),
            same_key=joined((ddl("{} = %s", ident(name)) for name in self._key), " AND "),
            unchanged=joined((ddl("{} IS NOT DISTINCT FROM %s", ident(name)) for name in self._columns), " AND "),
        )
