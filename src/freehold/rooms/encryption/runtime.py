"""Encryption in an application: the door to keys, explicit encrypting for Core and raw SQL, and exact search."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Protocol, cast

import sqlalchemy as sa
from sqlalchemy import orm

from freehold.errors import ConfigError, InputError
from freehold.kernel.declare import Entity, name_of, table_of
from freehold.rooms.encryption.columns import EncryptedType, Sealed
from freehold.rooms.encryption.declare import Encrypted, blind
from freehold.rooms.encryption.envelope import seal, unseal
from freehold.rooms.encryption.header import Place, key_of
from freehold.rooms.encryption.keys import INDEX, Handle, Keys, text_of
from freehold.rooms.encryption.provider import Encryption
from freehold.rooms.encryption.watch import CIPHER, watch


class Layer(Protocol):
    """What a cipher needs of a data layer."""

    def of_type(self, kind: type[Any]) -> Iterable[Any]:
        """The declarations of one type."""
        ...

    @property
    def tenant_columns(self) -> Mapping[sa.Table, str]:
        """The tenant column of each tenant-owned table."""
        ...


class Target:
    """One encrypted table: its declaration, and where the parts of a value's place are found."""

    def __init__(self, declaration: Encrypted, tenant_column: str) -> None:
        self.declaration = declaration
        self.tenant_column = tenant_column
        self.schema, self.table = declaration.table
        columns = table_of(declaration.entity).columns
        self.key = tuple((name, columns[name].type) for name in declaration.key)
        self.tenant_type = columns[tenant_column].type if tenant_column else None
        names = [name for name, _ in self.key]
        self._tenant_at = names.index(tenant_column) if tenant_column in names else None

    @cached_property
    def attributes(self) -> Mapping[str, str]:
        """The attribute of a mapped class for each column, by the column's name."""
        mapper = orm.class_mapper(cast("type[Any]", self.declaration.entity), configure=False)
        return {column.name: mapper.get_property_by_column(column).key for column in mapper.local_table.columns}

    def place(self, column: str, row: Mapping[str, Any]) -> Place:
        """Where a value of a row is stored."""
        key = [self._text(row, name, kind) for name, kind in self.key]
        tenant = key[self._tenant_at] if self._tenant_at is not None else self.tenant(row)
        return Place(self.schema, self.table, column, tenant, tuple(key))

    def tenant(self, row: Mapping[str, Any]) -> str:
        """The tenant's text; "" in a shared table."""
        return self._text(row, self.tenant_column, self.tenant_type) if self.tenant_type is not None else ""

    def type_of(self, column: str) -> EncryptedType:
        """The type of an encrypted column."""
        if column not in self.declaration.types:
            raise InputError(
                f"{self.schema}.{self.table}.{column} is not declared to be encrypted",
                hint=f"Encrypted are {', '.join(self.declaration.columns)}.",
            )
        return self.declaration.types[column]

    def _text(self, row: Mapping[str, Any], name: str, kind: sa.types.TypeEngine[Any]) -> str:
        value = row.get(name)
        if value is None or isinstance(value, sa.ClauseElement):
            raise InputError(
                f"A value of {self.schema}.{self.table} is encrypted for its row, and {name} is not known",
                hint="Give the row's tenant and primary key before it is written.",
            )
        try:
            return text_of(value, kind)
        except ValueError as error:
            raise InputError(
                f"{name} of {self.schema}.{self.table} has a value that is not of its type", hint="Correct the value."
            ) from error


class Cipher:
    """Encrypts and decrypts for one database; ``layer.connect(encryption=...)`` makes it and gives it to each session.

    Parameters
    ----------
    layer
        The data layer.
    encryption
        How keys are reached.
    """

    def __init__(self, layer: Layer, encryption: Encryption) -> None:
        owned = layer.tenant_columns
        kind = next((table.columns[name].type for table, name in owned.items()), None)
        self.keys = Keys(encryption.provider, kind, encryption.keys, encryption.seconds)
        self.targets = {
            item.table: Target(item, owned.get(table_of(item.entity), "")) for item in layer.of_type(Encrypted)
        }
        self._by_table: dict[Any, Target] = {}
        for target in self.targets.values():
            watch(target)
            self._by_table[table_of(target.declaration.entity)] = target

    def attach(self, session: orm.Session) -> None:
        """Let a plain SQLAlchemy session encrypt and decrypt; one from ``layer.connect`` does already."""
        session.info[CIPHER] = self

    def forget(self, tenant: Any) -> None:
        """Drop a tenant's unwrapped keys from this process."""
        self.keys.forget(str(tenant))

    def target(self, entity: Entity) -> Target:
        """The encrypted table of an entity.

        Raises
        ------
        InputError
            No declaration encrypts it.
        """
        found = self._by_table.get(entity) or self.targets.get(name_of(entity))
        if found is None:
            raise InputError(
                f"Nothing of {'.'.join(name_of(entity))} is declared to be encrypted", hint="Declare Encrypted(...)."
            )
        return found

    def encrypt(self, handle: Handle, entity: Entity, column: str, value: Any, row: Mapping[str, Any]) -> Sealed | None:
        """Encrypt a value for a row, to be written by Core or raw SQL.

        Parameters
        ----------
        handle
            The session, core transaction or SQLAlchemy connection whose transaction writes.
        column
            The column's name in the database.
        row
            At least the primary key and the tenant column of the row, by name.

        Raises
        ------
        InputError
            The value is of another type than the column, or the key is not whole.
        KeyUnavailable, KeyDestroyed
        """
        target = self.target(entity)
        return self.sealed(handle, target, target.type_of(column).encode(value), target.place(column, row), value)

    def sealed(self, handle: Handle, target: Target, data: bytes, place: Place, value: Any = b"") -> Sealed | None:
        """Encrypt encoded bytes; NULL stays NULL."""
        if value is None:
            return None
        key = self.keys.active(handle, place.tenant)
        assert key is not None, "one is made"
        return Sealed(seal(key.aead, key.key_id, data, place))

    def decrypt(self, handle: Handle, entity: Entity, column: str, value: bytes | None, row: Mapping[str, Any]) -> Any:
        """Decrypt a value that was read by Core or raw SQL, or from the row's history.

        Raises
        ------
        CiphertextRefused
            It was altered, or is another row's.
        KeyUnavailable, KeyDestroyed
        """
        if value is None:
            return None
        target = self.target(entity)
        return target.type_of(column).decode(self.opened(handle, bytes(value), target.place(column, row)))

    def opened(self, handle: Handle, value: bytes, place: Place) -> bytes:
        """The clear bytes of a stored value."""
        return unseal(self.keys.of(handle, place.tenant, key_of(value)).aead, value, place)

    def blind(self, handle: Handle, entity: Entity, column: str, value: Any, tenant: Any = None) -> bytes | None:
        """What the blind index of a column holds for a value; None for None."""
        target = self.target(entity)
        owner = text_of(tenant, target.tenant_type) if target.tenant_type is not None else ""
        return self.hashed(handle, target, column, value, owner)

    def hashed(
        self, handle: Handle, target: Target, column: str, value: Any, tenant: str, *, make: bool = True
    ) -> bytes | None:
        """The keyed hash of a value; None for None, and where there is no key and none is to be made."""
        index = target.declaration.search.get(column)
        if index is None:
            raise InputError(
                f"{target.schema}.{target.table}.{column} has no blind index",
                hint='Declare one: Encrypted(..., search={"' + column + '": BlindIndex()}).',
            )
        if value is None:
            return None
        key = self.keys.active(handle, tenant, INDEX, make=make)
        data = index.normal(target.type_of(column).encode(value))
        place = (target.schema, target.table, column, tenant)
        return key.blind(place, data, index.bits // 8) if key is not None else None

    def matches(self, handle: Handle, attribute: Any, value: Any, tenant: Any = None) -> sa.ColumnElement[bool]:
        """The condition that a row's encrypted column probably has a value; :meth:`find` is exact.

        Parameters
        ----------
        handle
            The session, core transaction or connection that asks.
        attribute
            A mapped attribute such as ``Contact.email``, of an alias too.
        tenant
            Whose rows; the session's own where it is not given.
        """
        table, name = attribute.property.columns[0].table, attribute.property.columns[0].name
        target = self.target(table)
        owner = getattr(handle, "tenant", None) if tenant is None else tenant
        if target.tenant_type is not None and owner is None:
            raise InputError(f"A search in {target.schema}.{target.table} names no tenant", hint="Give tenant=...")
        text = text_of(owner, target.tenant_type) if target.tenant_type is not None else ""
        if value is None:
            return cast("sa.ColumnElement[bool]", attribute.is_(None))
        found = self.hashed(handle, target, name, value, text, make=False)
        entity = attribute.parent.entity
        companion = getattr(entity, target.attributes[blind(name)])
        condition = sa.false() if found is None else companion == found
        if target.tenant_column and found is not None:
            condition &= getattr(entity, target.attributes[target.tenant_column]) == owner
        return condition

    def find(self, session: orm.Session, attribute: Any, value: Any, *conditions: Any, tenant: Any = None) -> list[Any]:
        """The objects whose encrypted attribute has a value, false positives left out.

        Parameters
        ----------
        conditions
            Further conditions of the query.
        """
        target = self.target(attribute.class_)
        name = attribute.property.columns[0].name
        kind, index = target.type_of(name), target.declaration.search.get(name)
        query = sa.select(attribute.class_).where(self.matches(session, attribute, value, tenant), *conditions)
        found = session.scalars(query).all()
        if value is None or index is None:
            return list(found)
        wanted = index.normal(kind.encode(value))
        held = ((item, getattr(item, attribute.key)) for item in found)
        return [item for item, clear in held if clear is not None and index.normal(kind.encode(clear)) == wanted]


def cipher_of(handle: Any) -> Cipher:
    """The cipher of a session or core transaction that comes from ``layer.connect(encryption=...)``.

    Raises
    ------
    ConfigError
        It has none.
    """
    info = handle.info if hasattr(handle, "info") else handle.unit.frame.info
    found = info.get(CIPHER)
    if not isinstance(found, Cipher):
        raise ConfigError(
            "The session has no cipher", hint="Connect with layer.connect(..., encryption=Encryption(provider))."
        )
    return found


__all__ = ["CIPHER", "Cipher", "Encryption", "Layer", "Target", "cipher_of"]
