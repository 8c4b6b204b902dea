"""Data keys: made when they are first needed, read wrapped from the database, and kept unwrapped for a while."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from typing import Any, Protocol
from uuid import UUID, uuid4
from weakref import WeakSet

import sqlalchemy as sa
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import orm
from sqlalchemy.dialects.postgresql import insert

from freehold.errors import CiphertextRefused, EncryptionError, KeyDestroyed, KeyUnavailable
from freehold.rooms.encryption.header import pae
from freehold.rooms.encryption.provider import Context, KeyProvider, Wrapped

DATA, INDEX = "data", "index"
BLIND = b"freehold.blind.v1"


class Executes(Protocol):
    """A CoreTransaction, or a SQLAlchemy connection."""

    def execute(self, statement: Any, parameters: Any = ..., /) -> Any:
        """Run one statement."""
        ...


Handle = orm.Session | Executes
"""Where a transaction runs."""


@dataclass(frozen=True, slots=True, eq=False)
class DataKey:
    """An unwrapped key of one tenant. Nothing of it is printed."""

    key_id: UUID
    secret: bytes = field(repr=False)
    aead: AESGCM = field(repr=False)
    _blind: dict[tuple[str, ...], bytes] = field(default_factory=dict, repr=False)

    def blind(self, place: tuple[str, ...], data: bytes, size: int) -> bytes:
        """The keyed hash of a value, under a key of its own for each column and tenant (HKDF, HMAC-SHA-256)."""
        key = self._blind.get(place)
        if key is None:
            info = pae((BLIND, *(name.encode() for name in place)))
            key = self._blind[place] = HKDF(hashes.SHA256(), 32, salt=None, info=info).derive(self.secret)
        maker = hmac.HMAC(key, hashes.SHA256())
        maker.update(data)
        return maker.finalize()[:size]


def context_of(tenant: str, key_id: UUID, purpose: str) -> Context:
    """What a wrapped key is bound to."""
    return {"tenant": tenant, "key": str(key_id), "purpose": purpose}


def destroyed(tenant: str) -> KeyDestroyed:
    """The error of a tenant whose keys are gone."""
    return KeyDestroyed(
        f"The data keys of {f'tenant {tenant}' if tenant else 'the shared tables'} were destroyed",
        hint="What was encrypted with them is gone for good; a tenant that comes back needs a new identity.",
    )


@dataclass(frozen=True, slots=True)
class _Kept:
    key: DataKey
    until: float


class _Cache:
    """Keys by tenant and name, bounded by number and age; safe for threads."""

    def __init__(self, size: int, seconds: float) -> None:
        self._size, self._seconds = size, seconds
        self._kept: OrderedDict[tuple[str, str | UUID], _Kept] = OrderedDict()
        self._lock = Lock()

    def get(self, tenant: str, name: str | UUID) -> DataKey | None:
        with self._lock:
            found = self._kept.get((tenant, name))
            if found is None or found.until < monotonic():
                self._kept.pop((tenant, name), None)
                return None
            self._kept.move_to_end((tenant, name))
            return found.key

    def put(self, tenant: str, name: str | UUID, key: DataKey) -> None:
        with self._lock:
            self._kept[tenant, name] = _Kept(key, monotonic() + self._seconds)
            self._kept.move_to_end((tenant, name))
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)

    def forget(self, tenant: str) -> None:
        with self._lock:
            for place in [place for place in self._kept if place[0] == tenant]:
                del self._kept[place]

    def __len__(self) -> int:
        return len(self._kept)


class Keys:
    """The data keys of one database.

    Parameters
    ----------
    provider
        Wraps and unwraps them.
    tenant_type
        The SQLAlchemy type of the tenant column; None in a layer without tenants.
    size
        The most unwrapped keys that are kept.
    seconds
        For how long a key is kept, and so for how long at most another process uses one that was destroyed.
    """

    def __init__(
        self, provider: KeyProvider, tenant_type: sa.types.TypeEngine[Any] | None, size: int, seconds: float
    ) -> None:
        self._provider = provider
        self._cache = _Cache(size, seconds)
        self._tables = {True: _table("data_key", tenant_type), False: _table("shared_data_key", None)}
        self._creating: WeakSet[Any] = WeakSet()

    def forget(self, tenant: str) -> None:
        """Drop the unwrapped keys of a tenant."""
        self._cache.forget(tenant)

    def __len__(self) -> int:
        return len(self._cache)

    def of(self, handle: Handle, tenant: str, key_id: UUID) -> DataKey:
        """The key that a stored value names.

        Raises
        ------
        CiphertextRefused
            The tenant has no such key.
        KeyDestroyed, KeyUnavailable
        """
        found = self._cache.get(tenant, key_id)
        if found is None:
            table = self._tables[bool(tenant)]
            rows = self._rows(handle, tenant, (table.c.key_id == key_id,))
            if not rows:
                raise CiphertextRefused(
                    f"A stored value names the key {key_id}, which its owner does not have",
                    hint="The row was altered, or its keys were lost: restore both from one backup.",
                )
            found = self._unwrapped(handle, tenant, rows[0])
        return found

    def active(self, handle: Handle, tenant: str, purpose: str = DATA, *, make: bool = True) -> DataKey | None:
        """The key that encrypts, or hashes, from now on; one is made where there is none and ``make`` says so.

        Raises
        ------
        KeyDestroyed, KeyUnavailable
        """
        # A key that this transaction made is not in the database if a savepoint undoes it: it is looked for each time.
        found = None if transaction_of(handle) in self._creating else self._cache.get(tenant, purpose)
        if found is not None:
            return found
        table = self._tables[bool(tenant)]
        rows = self._rows(handle, tenant, (table.c.purpose == purpose, table.c.state != "retired"))
        if not rows and make:
            self._make(handle, tenant, purpose)
            rows = self._rows(handle, tenant, (table.c.purpose == purpose, table.c.state != "retired"))
            if not rows:
                raise EncryptionError("A data key was made and is not there", hint="Run the transaction again.")
        if not rows:
            return None
        if any(row.state == "destroyed" for row in rows):
            raise destroyed(tenant)
        found = self._unwrapped(handle, tenant, rows[0])
        if transaction_of(handle) not in self._creating:
            self._cache.put(tenant, purpose, found)
        return found

    def kept(self, tenant: str, purpose: str, row_of: Callable[[], Any]) -> DataKey:
        """The active key that an administrator writes with: kept from before, or of a row of the table.

        Raises
        ------
        KeyDestroyed, KeyUnavailable
        """
        found = self._cache.get(tenant, purpose)
        if found is None:
            found = self.opened(tenant, row_of())
            self._cache.put(tenant, purpose, found)
        return found

    def _rows(self, handle: Handle, tenant: str, conditions: Sequence[Any]) -> Sequence[Any]:
        table = self._tables[bool(tenant)]
        statement = sa.select(table).where(*conditions)
        if tenant:
            statement = statement.where(table.c.tenant_id == typed(tenant, table.c.tenant_id.type))
        found: Sequence[Any] = _run(handle, statement).all()
        return found

    def _make(self, handle: Handle, tenant: str, purpose: str) -> None:
        values = self.fresh(tenant, purpose)
        table = self._tables[bool(tenant)]
        if tenant:
            values = {**values, "tenant_id": typed(tenant, table.c.tenant_id.type)}
        self._creating.add(transaction_of(handle))
        _run(handle, insert(table).values(**values).on_conflict_do_nothing())

    def fresh(self, tenant: str, purpose: str) -> dict[str, Any]:
        """The row of a new key."""
        key_id = uuid4()
        wrapped = self._provider.wrap(os.urandom(32), context_of(tenant, key_id, purpose))
        return {
            "key_id": key_id,
            "purpose": purpose,
            "state": "active",
            "provider": self._provider.name,
            "provider_key": wrapped.provider_key,
            "wrapped": wrapped.data,
        }

    def opened(self, tenant: str, row: Any) -> DataKey:
        """The key of a row of the table.

        Raises
        ------
        KeyDestroyed, KeyUnavailable
        """
        if row.state == "destroyed":
            raise destroyed(tenant)
        if row.provider != self._provider.name:
            raise KeyUnavailable(
                f"A data key is wrapped by the provider {row.provider}, and this process has {self._provider.name}",
                hint="Connect with the provider that wrapped it.",
            )
        wrapped = Wrapped(row.provider_key, bytes(row.wrapped))
        secret = self._provider.unwrap(wrapped, context_of(tenant, row.key_id, row.purpose))
        if len(secret) != 32:
            raise KeyUnavailable(
                f"The provider {row.provider} unwrapped a key of {len(secret)} bytes, not of 32",
                hint="The stored key was altered: restore it from a backup.",
            )
        return DataKey(row.key_id, secret, AESGCM(secret))

    def _unwrapped(self, handle: Handle, tenant: str, row: Any) -> DataKey:
        kept = self._cache.get(tenant, row.key_id)
        if kept is not None:
            return kept
        found = self.opened(tenant, row)
        if transaction_of(handle) not in self._creating:
            self._cache.put(tenant, row.key_id, found)
        return found


def _table(name: str, tenant_type: sa.types.TypeEngine[Any] | None) -> sa.Table:
    owner = [sa.Column("tenant_id", tenant_type)] if tenant_type is not None else []
    return sa.Table(
        name,
        sa.MetaData(schema="freehold"),
        *owner,
        sa.Column("key_id", sa.Uuid),
        sa.Column("purpose", sa.Text),
        sa.Column("state", sa.Text),
        sa.Column("provider", sa.Text),
        sa.Column("provider_key", sa.Text),
        sa.Column("wrapped", sa.LargeBinary),
    )


_MAKE: Mapping[type[Any], Callable[[str], Any]] = {UUID: UUID, int: int, str: str}


def typed(tenant: str, kind: sa.types.TypeEngine[Any]) -> Any:
    """A tenant's text as its column takes it."""
    return _MAKE[kind.python_type](tenant)


def text_of(value: Any, kind: sa.types.TypeEngine[Any]) -> str:
    """A value of a key column as PostgreSQL writes it as text."""
    if type(value) is UUID and isinstance(kind, sa.Uuid):
        return str(value)
    if isinstance(kind, sa.Uuid):
        return str(UUID(str(value)))
    return str(int(value)) if isinstance(kind, sa.Integer) else str(value)


def transaction_of(handle: Any) -> Any:
    """What ends with the transaction: that of a session or connection, and a core transaction itself."""
    found = handle.get_transaction() if isinstance(handle, orm.Session | sa.Connection) else handle
    return handle if found is None else found


def _run(handle: Handle, statement: Any) -> Any:
    return handle.connection().execute(statement) if isinstance(handle, orm.Session) else handle.execute(statement)
